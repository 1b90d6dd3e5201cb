"""What embeddings of clips return."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.results.checks import check_features
from workbench.results.interval import number_text
from workbench.results.provenance import Provenance
from workbench.results.result import Result

Space = Literal["map", "features"]
Onto = Literal["first", "previous"]
Start = Literal["own", "previous"]
Method = Literal["tsne", "umap", "pca"]


@dataclass(frozen=True)
class MapOptions:
    """How a map is fitted and judged.

    `perplexity` of t-SNE and `neighbors` of UMAP, both lowered where clips are few; `k` neighbours of kNN accuracy,
    trustworthiness and continuity; `jobs` threads, above 1 t-SNE and UMAP differ a little from run to run.
    """

    perplexity: float = 30.0
    neighbors: int = 15
    k: int = 5
    jobs: int = 1


NO_LABEL = -1
"""In `labels`: the clip has none."""
METHOD_NAMES: dict[Method, str] = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


@dataclass(frozen=True, eq=False)
class MapMeasure(Result):
    """One figure: of the map or of the features it was made from, on `n` clips with `k` neighbours (None where none are asked).

    `null` is what it would be if there was nothing to find. Where so few clips, or classes, say nothing, both are NaN and
    `reason` tells why.
    """

    name: str
    space: Space
    value: float
    null: float
    n: int
    k: int | None
    reason: str = ""

    def __str__(self) -> str:
        """The figure with its null, or why there is none."""
        return f"– ({self.reason})" if self.reason else f"{number_text(self.value)} (chance {number_text(self.null)})"


@dataclass(frozen=True, eq=False)
class PlacedClips(Result):
    """Further clips on a map that did not move; `accuracy`: share whose class wins the vote of the k nearest old clips.

    The accuracy's null: the old clips' labels shuffled. Without labels there is none.
    """

    xy: np.ndarray  # (m, 2)
    labels: np.ndarray  # (m,) class indexes, or NO_LABEL
    accuracy: MapMeasure
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class EmbeddingResult(Result):
    """A two-dimensional map of n clips, with the `measures` of its quality, if any; `parameters` are those really used.

    Clips have labels, or none has. `projection` places further clips; it is in no file.
    """

    method: Method
    xy: np.ndarray  # (n, 2), no unit
    labels: np.ndarray  # (n,) class indexes, or NO_LABEL
    label_names: tuple[str, ...]
    measures: tuple[MapMeasure, ...]
    parameters: dict[str, Any]
    notes: tuple[str, ...]
    provenance: Provenance
    projection: Callable[[np.ndarray], np.ndarray] | None = field(default=None, repr=False, compare=False)

    @property
    def has_labels(self) -> bool:
        """Whether the clips have labels: all of them, or none."""
        return bool((self.labels != NO_LABEL).all())

    def measure(self, name: str, space: Space = "map") -> MapMeasure:
        """One quality figure of the map, or of the features.

        Raises:
            InputError: one that is not there.
        """
        for found in self.measures:
            if (found.name, found.space) == (name, space):
                return found
        there = ", ".join(f"{m.name} ({m.space})" for m in self.measures)
        raise InputError(f"no measure {name!r} of the {space}; there are {there}")

    @property
    def k(self) -> int:
        """Neighbours that vote in the kNN accuracy."""
        return self.measure("kNN accuracy").k or 0

    @property
    def knn_accuracy(self) -> float:
        """Share of clips whose class wins the vote of their k nearest neighbours in the map, the clip itself left out."""
        return self.measure("kNN accuracy").value

    @property
    def knn_chance(self) -> float:
        """The same with the labels shuffled."""
        return self.measure("kNN accuracy").null

    @property
    def trust_k(self) -> int:
        """Neighbours that trustworthiness and continuity look at."""
        return self.measure("trustworthiness").k or 0

    @property
    def trustworthiness(self) -> float:
        """How far neighbours in the map are also near in the features; 1 is best."""
        return self.measure("trustworthiness").value

    def transform(self, new: ArrayLike) -> np.ndarray:
        """Place further clips (m, d) on the finished map, (m, 2); the map itself does not move.

        Raises:
            InputError: another number of features than the map was fitted on, or values that are not finite.
        """
        array = check_features(new, minimum=1)
        if array.shape[1] != self.parameters["features"]:
            raise InputError(
                f"new clips have {array.shape[1]} features, the map was fitted on {self.parameters['features']}; "
                "take the same activation of the same model"
            )
        if self.projection is None:
            raise InputError("a map that was read from a file places no further clips; make it again with workbench embed")
        return self.projection(array)

    @property
    def caption(self) -> str:
        """Two clauses: method, parameters and n; then the quality figures of the map, with what nothing would give."""
        settings = {
            "tsne": f"perplexity {self.parameters.get('perplexity', 0):.3g}, seed {self.parameters['seed']}",
            "umap": f"{self.parameters.get('neighbors')} neighbours, seed {self.parameters['seed']}",
            "pca": f"{100 * self.parameters.get('explained_variance', 0):.0f} % of the variance",
        }[self.method]
        head = f"{METHOD_NAMES[self.method]} ({settings}), n = {len(self.xy)}"
        if not self.measures:
            return f"{head}; how far to trust it was not measured"
        found = [f"{self.k}-NN accuracy {self.measure('kNN accuracy')}"]
        others = [m for m in self.measures if m.name.endswith("other groups") and m.space == "map"]
        found += [f"{m.k}-NN accuracy from other groups {m if m.reason else f'{m.value:.2f}'}" for m in others]
        found += [f"{name} {self.measure(name).value:.2f}" for name in ("trustworthiness", "continuity")]
        silhouettes = self.measure("silhouette")
        found.append(f"silhouette {silhouettes if silhouettes.reason else number_text(silhouettes.value)}")
        return f"{head}; {', '.join(found)}"


@dataclass(frozen=True, eq=False)
class EmbeddingSeries(Result):
    """Aligned maps by name, all of the same clips in the same order.

    `moved[i]`, in [0, 1]: Procrustes disparity of map i + 1 from the map that it was turned onto, the share of its spread that no
    turning or scaling explains; `moved_null[i]` the same with the clips paired at random.
    """

    names: tuple[str, ...]
    maps: tuple[EmbeddingResult, ...]
    clip_ids: tuple[str, ...] | None
    onto: Onto
    start: Start
    moved: tuple[float, ...]
    moved_null: tuple[float, ...]
    provenance: Provenance

    def map(self, name: str) -> EmbeddingResult:
        """The map of one model or stage.

        Raises:
            InputError: one that is not there.
        """
        if name not in self.names:
            raise InputError(f"no map of {name!r}; there are {', '.join(self.names)}")
        return self.maps[self.names.index(name)]
