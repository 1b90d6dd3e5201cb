"""What the page Embedding asks for, and how it is made: at once where that is quick, as a command where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from workbench.analysis.embedding.displays.colours import Colouring
from workbench.analysis.embedding.displays.scatter import short_accuracy
from workbench.analysis.embedding.results import METHOD_NAMES, EmbeddingResult, EmbeddingSeries, Method
from workbench.analysis.embedding.task import Embedded, Options, embedding_of
from workbench.app.clip_map import Panel, Stage
from workbench.store.collection import Collection

Shown = Literal["map", "models", "film"]
SHOWN: dict[Shown, str] = {"map": "One model", "models": "Side by side", "film": "Film over the stages"}
LARGE = 3000
"""Beyond so many clips t-SNE and UMAP take minutes, so that PCA comes first."""
SAMPLE = 2000
"""Clips of a sample, of each class alike."""
QUICK = 6000
"""Clips times maps that t-SNE and UMAP are made of while the reader waits."""


@dataclass(frozen=True)
class Request:
    """Which maps: of one model or several, of one activation (None is what each classifier reads) or a film over the stages."""

    shown: Shown
    models: tuple[str, ...]
    activation: str | None
    method: Method
    clips: int | None = None

    def options(self, count: int) -> Options:
        """Of `embedding.task.run`, for `count` clips. PCA of many is not measured, which would take longer than the map."""
        names = ("stages",) if self.shown == "film" else None if self.activation is None else (self.activation,)
        measured = self.method != "pca" or count <= LARGE
        return Options(names, self.method, clips=self.clips, measured=measured)

    def maps(self, stages: int) -> int:
        """How many maps are made; in a film one for each of the `stages`."""
        return {"map": 1, "models": len(self.models), "film": stages}[self.shown]

    def quick(self, count: int, stages: int) -> bool:
        """Whether the maps are made while the reader waits: of `count` clips, in a film so many `stages`."""
        return self.method == "pca" or min(count, self.clips or count) * self.maps(stages) <= QUICK

    def sampled(self, stages: int) -> "Request":
        """The same of a sample that is made while the reader waits."""
        return replace(self, clips=min(SAMPLE, QUICK // self.maps(stages)))

    def cli(self, dataset: str, workspace: str) -> list[str]:
        """The command that makes the same."""
        activation = {"film": "stages"}.get(self.shown, self.activation)
        asked = [] if activation is None else ["--activation", activation]
        asked += [] if self.clips is None else ["--clips", str(self.clips)]
        place = ["--dataset", dataset, "--workspace", workspace]
        return ["workbench", "embed", *self.models, *asked, "--method", self.method, *place]

    def python(self, dataset: str, workspace: str) -> str:
        """The same in Python."""
        names = {"film": ("stages",)}.get(self.shown, None if self.activation is None else (self.activation,))
        clips = "" if self.clips is None else f", clips={self.clips}"
        return f"""
from workbench.analysis.embedding.task import Options, run
from workbench.store.collection import open_collection
from workbench.store.workspace import open_workspace

place = open_workspace({workspace!r})
collections = [open_collection(place.collection_folder({dataset!r}, name)) for name in {list(self.models)!r}]
found = run(collections, Options({names!r}, {self.method!r}{clips})).found
"""


def activations_of(collections: Mapping[str, Collection], mappable: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Activations that a map of one of the models can be made of, what a classifier reads first."""
    read = [embedding_of(collection) for collection in collections.values()]
    there = [name for names in mappable.values() for name in names]
    return [name for name in dict.fromkeys([*read, *reversed(there)]) if name in there]


def panels(found: Embedded, title: str, placed: Mapping[str, np.ndarray] | None = None) -> list[Panel]:
    """Maps as the component shows them: a panel for each model, or one whose stages are a film.

    `placed` are further clips (2,) on a single map, by name.
    """
    made = found.found
    if isinstance(made, EmbeddingResult):
        return [Panel(title, (Stage("", _figures(made), made.xy),), placed)]
    notes = [_figures(one) for one in made.maps]
    if made.onto == "first":
        each = zip(made.names, notes, made.maps, strict=True)
        return [Panel(name, (Stage("", note, one.xy),)) for name, note, one in each]
    for index, (moved, null) in enumerate(zip(made.moved, made.moved_null, strict=True), 1):
        notes[index] += f" · moved {moved:.2f} (random {null:.2f})"
    return [Panel(title, tuple(Stage(name, note, m.xy) for name, note, m in zip(made.names, notes, made.maps, strict=True)))]


def _figures(found: EmbeddingResult) -> str:
    if not found.measures:
        return "quality not measured"
    return f"{short_accuracy(found)} · trustworthiness {found.trustworthiness:.2f}"


def axes_of(found: EmbeddingResult | EmbeddingSeries) -> tuple[str, str]:
    """Names of the two axes."""
    method = METHOD_NAMES[(found.maps[0] if isinstance(found, EmbeddingSeries) else found).method]
    return f"{method} 1", f"{method} 2"


def maps_of(found: EmbeddingResult | EmbeddingSeries) -> dict[str, EmbeddingResult]:
    """The maps by name, "" for a single one."""
    return dict(zip(found.names, found.maps, strict=True)) if isinstance(found, EmbeddingSeries) else {"": found}


def twin(found: EmbeddingResult | EmbeddingSeries, rows: pd.DataFrame, colours: Colouring) -> pd.DataFrame:
    """The numbers of maps of the clips `rows` as a table: the clip, what its colour tells, its places."""
    made = {"clip": rows.index, colours.title: colours.values}
    for name, one in maps_of(found).items():
        made |= {f"{axis} {name}".strip(): values.round(3) for axis, values in zip("xy", one.xy.T, strict=True)}
    return pd.DataFrame(made)
