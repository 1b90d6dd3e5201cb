"""A Collection: what one checkpoint said about every clip of a manifest, on disk.

    <folder>/  manifest.json   predictions.parquet   activations/<name>.npy

Predictions: clip_id, fold, label (index in the checkpoint's own order), label_name, p_<class> for each class, then the other
columns of the manifest. Activations are memory-mapped; nothing is ever unpickled.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from workbench.passport import note_data, note_run

SCHEMA = 1
MANIFEST, PREDICTIONS, ACTIVATIONS = "manifest.json", "predictions.parquet", "activations"


@dataclass(frozen=True)
class Collection:
    """A finished collection; `meta` is its manifest.json."""

    folder: Path
    meta: dict[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        return tuple(self.meta["labels"])

    @property
    def activation_names(self) -> tuple[str, ...]:
        """Names of the activations that were kept."""
        return tuple(self.meta["activations"])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per clip, in the order of the manifest.

        Raises: InputError if the file is missing or damaged.
        """
        file = self.folder / PREDICTIONS
        try:
            return pd.read_parquet(file)
        except (OSError, ValueError) as error:
            raise InputError(f"{file} cannot be read ({error}); {self._again()}") from error

    @cached_property
    def probs(self) -> np.ndarray:
        """Probabilities (n, classes) float32."""
        return self.predictions[[f"p_{label}" for label in self.labels]].to_numpy(np.float32)

    def activation(self, name: str) -> np.ndarray:
        """An activation (n, …), memory-mapped and read-only.

        Raises: InputError for a name that was not kept, with the command that keeps it; for a damaged file.
        """
        if name not in self.meta["activations"]:
            raise InputError(
                f"{self.folder} holds no activation {name!r}, only {', '.join(self.activation_names)}; collect again with "
                f"workbench collect {self.meta['checkpoint']['name']} {self.meta['data']['manifest']} "
                f"--names {','.join([*self.activation_names, name])} {self._pooling}--out NEW"
            )
        file = self.folder / ACTIVATIONS / f"{name}.npy"
        try:
            values = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{file} cannot be read ({error}); {self._again()}") from error
        expected = (self.meta["clips"], *self.meta["activations"][name]["shape"])
        if values.shape != expected:
            raise InputError(f"{file} has shape {values.shape}, {MANIFEST} says {expected}; {self._again()}")
        return values

    @property
    def _pooling(self) -> str:
        """How the command that made this collection asked for means, if it did."""
        return f"--pool {self.meta['pool']} " if self.meta.get("pool") else ""

    def _again(self) -> str:
        return "remove the folder and run workbench collect again"


def open_collection(folder: str | Path, bundle: Bundle | None = None) -> Collection:
    """Open a collection, and check that it is one of `bundle`, if given.

    Raises: InputError if there is none, for another schema, or a collection of another checkpoint.
    """
    folder = Path(folder)
    file = folder / MANIFEST
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder} is no collection: {file} is missing; make one with workbench collect") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read ({error}); remove the folder and run workbench collect again") from error
    version = meta.get("schema_version") if isinstance(meta, dict) else None
    if version != SCHEMA:
        raise InputError(f"{file} has schema version {version}, this version reads {SCHEMA}; run workbench collect again")
    if bundle is not None and meta["checkpoint"]["sha256"] != bundle.card.sha256:
        raise InputError(
            f"{folder} was collected with checkpoint {meta['checkpoint']['name']} ({meta['checkpoint']['sha256'][:12]}…), "
            f"not with {bundle.name} ({bundle.card.sha256[:12]}…); collect again, or open it with its own checkpoint"
        )
    note_run(meta["checkpoint"]["name"], meta["checkpoint"]["sha256"])
    note_data(meta["data"]["manifest"], meta["data"]["hash"])
    return Collection(folder, meta)


def distinct_names(collections: Sequence[Collection]) -> list[str]:
    """Names of the checkpoints, or of the folders where two collections are of one checkpoint.

    Raises: InputError for one that is given twice.
    """
    folders = [str(collection.folder) for collection in collections]
    if len({collection.folder.resolve() for collection in collections}) < len(folders):
        raise InputError(f"a collection is named twice: {', '.join(folders)}; name each once")
    names = [collection.meta["checkpoint"]["name"] for collection in collections]
    return names if len(set(names)) == len(names) else folders
