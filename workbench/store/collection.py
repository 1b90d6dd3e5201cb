"""A Collection: what one checkpoint said about every clip of a manifest, on disk.

    <folder>/  manifest.json   predictions.parquet   activations/<name>.npy

Predictions: clip_id, fold, label (index in the checkpoint's own order), label_name, p_<class> for each class, then the other
columns of the manifest. Of clips without labels (`labelled` false in manifest.json) label is -1 and label_name is empty.
Activations are memory-mapped; nothing is ever unpickled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic wants this one before Python 3.12
)

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from ifdd.activations import Activation, with_roles
from ifdd.card import Card, Name
from ifdd.documents import OPEN, checked, read_array, read_json, shown
from ifdd.errors import InputError
from ifdd.labels import shared_classes, told_spellings
from ifdd.models.config import Labels
from ifdd.tables import read_table
from workbench.store.columns import OWN, own_columns, probability_columns

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle

SCHEMA = 2
"""1 did not hold what the activations are."""
MANIFEST, PREDICTIONS, ACTIVATIONS = "manifest.json", "predictions.parquet", "activations"
AGAIN = "remove the folder and run workbench collect again"
Size = Annotated[int, Field(ge=0, le=2**40)]
_SUM_ERROR = 1e-3
"""How far probabilities in single precision may be from a sum of 1."""


class _Checkpoint(TypedDict):
    name: Name
    sha256: str


class _Data(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    manifest: str
    hash: str


class _Stored(TypedDict):
    shape: Annotated[list[Size], Field(max_length=8)]
    dtype: Literal["float16", "float32"]


class _Described(TypedDict):
    axes: str
    group: NotRequired[str]
    role: NotRequired[str]
    clock: NotRequired[str]
    input: NotRequired[str]
    sample: NotRequired[str]
    grid: NotRequired[Annotated[list[Size], Field(min_length=2, max_length=2)]]
    used: bool


class _Model(TypedDict):
    capabilities: list[str]
    branches: dict[str, Name]
    activations: dict[Name, _Described]


class _LeftOut(TypedDict):
    clips: int
    of: int
    reasons: dict[str, str]


class _Imported(TypedDict):
    """The file of others' predictions that a collection was made of."""

    file: str
    sha256: str
    holds: Literal["probabilities", "logits"]
    matched: NotRequired[str]
    features: NotRequired[str]
    features_sha256: NotRequired[str]
    strange: NotRequired[list[str]]


class _Adapted(TypedDict):
    """A network of the user's own Python, by its class and by what `--model` was given, "" for a call from Python."""

    network: str
    given: str


class _Meta(TypedDict):
    """manifest.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    schema_version: int
    checkpoint: _Checkpoint
    labels: Annotated[Labels, Field(min_length=2)]
    labelled: NotRequired[bool]
    data: _Data
    pool: Literal["mean"] | None
    clips: Annotated[int, Field(ge=1, le=2**31)]
    activations: dict[Name, _Stored]
    model: _Model
    notes: NotRequired[list[str]]
    left_out: NotRequired[_LeftOut]
    imported: NotRequired[_Imported]
    adapted: NotRequired[_Adapted]


ZEROS = "(a class that a model does not know: workbench import … --zeros CLASS)"
"""The way out where models have other classes."""
_META: TypeAdapter[Any] = TypeAdapter(_Meta)


@dataclass(frozen=True)
class Collection:
    """A finished collection; `meta` is its manifest.json, `ids` old → new ids of clips that have another one here than there.

    `order` are its classes where they are shown in another order than that of the logits, or by other `names` (stored → shown),
    see `in_words_of`.
    """

    folder: Path
    meta: dict[str, Any]
    ids: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    _in_words: dict[tuple[str, ...], "Collection"] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of `probs` and of the numbers in `predictions`: that of the logits, or `order`."""
        return self.order or tuple(self.meta["labels"])

    def in_order(self, labels: Sequence[str]) -> "Collection":
        """`in_words_of` these labels, where they are all classes; activations stay as they are.

        Raises:
            InputError: other classes.
        """
        found = self.in_words_of(labels)
        if found.labels != tuple(labels):
            raise InputError(
                f"{self.name} has the classes {', '.join(self.labels)}, not {', '.join(labels)}; show models of the same classes "
                f"{ZEROS}"
            )
        return found

    def in_words_of(self, labels: Sequence[str]) -> "Collection":
        """The same, with its classes called as `labels` call them (Anger as angry), in that order where these are all classes."""
        if self.labels == tuple(labels):
            return self
        words = shared_classes(self.labels, labels)
        called = tuple(words.get(label, label) for label in self.labels)
        order = tuple(labels) if set(called) == set(labels) else called
        if order == self.labels:
            return self
        stored = self.meta["labels"]
        shown = (self.names.get(label, label) for label in stored)
        names = {old: words.get(name, name) for old, name in zip(stored, shown, strict=True)}
        return self._in_words.setdefault(tuple(labels), replace(self, order=order, names=names))  # it reads its predictions once

    @property
    def has_labels(self) -> bool:
        """Whether the clips have labels: all of them, or none."""
        return bool(self.meta.get("labelled", True))

    @property
    def activation_names(self) -> tuple[str, ...]:
        """Names of the activations that were kept."""
        return tuple(self.meta["activations"])

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the model, as `VideoModel.capabilities`."""
        return frozenset(self.meta["model"]["capabilities"])

    @property
    def branches(self) -> dict[str, str]:
        """Those of the model: short name → activation, kept or not."""
        return dict(self.meta["model"]["branches"])

    def describe(self, name: str) -> Activation:
        """What an activation of the model is, as it is kept: of one with places that was pooled, its mean.

        Raises:
            InputError: a name that the model does not have.
        """
        known = self.meta["model"]["activations"]
        if name not in known:
            raise InputError(f"unknown activation {name!r}; the model of {self.folder} has: {', '.join(known)}")
        told = Activation.from_dict(name, known[name])
        return told.pooled() if told.spatial and self.meta.get("pool") else told

    def with_roles(self, *roles: str, kept: bool = True) -> tuple[str, ...]:
        """Names of the activations of these roles, as `VideoModel.with_roles`: those kept, or all that the model has."""
        told = [Activation.from_dict(name, values) for name, values in self.meta["model"]["activations"].items()]
        return tuple(name for name in with_roles(told, *roles) if not kept or name in self.meta["activations"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be told beside its numbers: clips left out, classes and columns by other names."""
        return (*(str(note) for note in self.meta.get("notes", ())), *told_spellings(self.names))

    @property
    def left_out(self) -> frozenset[str]:
        """Ids of the manifest's clips that could not be read."""
        return frozenset(self.meta.get("left_out", {}).get("reasons", {}))

    @property
    def name(self) -> str:
        """Of the checkpoint, or of the model whose predictions these are."""
        return str(self.meta["checkpoint"]["name"])

    @property
    def origin(self) -> str:
        """Where it comes from, if no checkpoint on disk made it: a file of predictions, or a network of one's own; else ""."""
        if (told := self.meta.get("imported")) is not None:
            return f"predictions imported from {told['file']}"
        if (told := self.meta.get("adapted")) is not None:
            return f"adapted network {told['network']}"
        return ""

    @property
    def model_key(self) -> str:
        """What is the same in collections of one model: its weights; of imported predictions the name, for no more is known."""
        return f"imported {self.name}" if "imported" in self.meta else str(self.meta["checkpoint"]["sha256"])

    def lacks_network(self, what: str) -> str:
        """One sentence on `what` needs the network, of a collection that has none on disk."""
        if "imported" in self.meta:
            return (
                f"{self.name} is predictions alone ({self.meta['imported']['file']}), and {what} needs the network itself; give "
                "it with --model MODULE:FACTORY (docs/other_models.md)"
            )
        given = self.meta["adapted"]["given"] or "MODULE:FACTORY"
        return f"{self.name} is a network of your own Python, and {what} needs it; start with --model {given}"

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per clip, in the order of the manifest.

        Raises:
            InputError: the file is missing or damaged, has other rows or classes than the collection's manifest, or
                probabilities that are none.
        """
        file = self.folder / PREDICTIONS
        table = own_columns(read_table(file, AGAIN))
        stored = tuple(self.meta["labels"])
        _check_predictions(table, stored, self.meta["clips"], file)
        if not self.has_labels and not ((table["label"] == -1) & (table["label_name"] == "")).all():
            raise InputError(f"{file} has labels, {MANIFEST} says that it has none; {AGAIN}")
        if self.order is not None:
            shown = [self.names.get(label, label) for label in stored]
            place = np.array([*map(self.order.index, shown), -1])  # -1 stays
            table = _called(table, stored, shown).assign(label=place[table["label"]])
        return table.assign(clip_id=[self.ids.get(clip, clip) for clip in table["clip_id"]]) if self.ids else table

    @cached_property
    def probs(self) -> np.ndarray:
        """Probabilities (n, classes) float32."""
        return self.predictions[[f"p_{label}" for label in self.labels]].to_numpy(np.float32)

    def activation(self, name: str) -> np.ndarray:
        """An activation (n, …), memory-mapped and read-only.

        Raises:
            InputError: a name that was not kept, with the command that keeps it; for a damaged file.
        """
        if name not in self.meta["activations"]:
            raise InputError(
                f"{self.folder} holds no activation {name!r}, only {', '.join(self.activation_names)}; collect again with "
                f"workbench collect {self.meta['checkpoint']['name']} {self.meta['data']['manifest']} "
                f"--names {','.join([*self.activation_names, name])} {self._pooling}--out NEW"
            )
        file, about = self.folder / ACTIVATIONS / f"{name}.npy", self.meta["activations"][name]
        values = read_array(file, AGAIN)
        expected = (self.meta["clips"], *about["shape"])
        if values.shape != expected:
            raise InputError(f"{file} has shape {values.shape}, {MANIFEST} says {expected}; {AGAIN}")
        if values.dtype != about["dtype"]:
            raise InputError(f"{file} holds {values.dtype}, {MANIFEST} says {about['dtype']}; {AGAIN}")
        return values

    @property
    def _pooling(self) -> str:
        """How the command that made this collection asked for means, if it did."""
        return f"--pool {self.meta['pool']} " if self.meta.get("pool") else ""


def open_collection(folder: str | Path, bundle: "Bundle | Card | None" = None) -> Collection:
    """Open a collection, and check that it is one of `bundle`, or of the checkpoint of this card, if given.

    Raises:
        InputError: there is none, another schema, or a collection of another checkpoint.

    >>> open_collection("nowhere")
    Traceback (most recent call last):
    ifdd.errors.InputError: nowhere is no collection: nowhere/manifest.json is missing; make one with workbench collect
    """
    folder = Path(folder)
    file = folder / MANIFEST
    try:
        meta = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} is no collection: {file} is missing; make one with workbench collect") from None
    except InputError as error:
        raise InputError(f"{error}; {AGAIN}") from error
    version = meta.get("schema_version") if isinstance(meta, dict) else None
    if version != SCHEMA:
        raise InputError(f"{file} has schema version {shown(version)}, this version reads {SCHEMA}; {AGAIN}")
    meta = checked(_META, meta, str(file), AGAIN)
    card = bundle if bundle is None or isinstance(bundle, Card) else bundle.card
    if card is not None and meta["checkpoint"]["sha256"] != card.sha256:
        raise InputError(
            f"{folder} was collected with checkpoint {meta['checkpoint']['name']} ({meta['checkpoint']['sha256'][:12]}…), "
            f"not with {card.name} ({card.sha256[:12]}…); collect again, or open it with its own checkpoint"
        )
    if card is not None and meta["labels"] != card.labels:
        raise InputError(f"{folder} has the classes {', '.join(meta['labels'])}, {card.name} has others; {AGAIN}")
    return Collection(folder, meta)


def in_one_order(collections: Mapping[str, Collection], first: str | None = None) -> dict[str, Collection]:
    """The same, with classes in the words and the order of the first, or of the one of that name; others stay as they are."""
    labels = collections[first or next(iter(collections))].labels if collections else ()
    return {name: found.in_words_of(labels) for name, found in collections.items()}


def distinct_names(collections: Sequence[Collection]) -> list[str]:
    """Names of the checkpoints, or of the folders where two collections are of one checkpoint.

    Raises: InputError for one that is given twice.
    """
    folders = [str(collection.folder) for collection in collections]
    if len({collection.folder.resolve() for collection in collections}) < len(folders):
        raise InputError(f"a collection is named twice: {', '.join(folders)}; name each once")
    names = [collection.name for collection in collections]
    return names if len(set(names)) == len(names) else folders


def _called(table: pd.DataFrame, stored: Sequence[str], shown: Sequence[str]) -> pd.DataFrame:
    """Predictions with other names of their classes; a column of the manifest that is called so already gets another one."""
    own = probability_columns(stored)
    names = {old: new for old, new in zip(own, probability_columns(shown), strict=True) if old != new}
    taken = {name: f"{OWN}{name}" for name in names.values() if name in table and name not in own}
    words = dict(zip(stored, shown, strict=True))
    renamed = table.rename(columns=taken | names) if names else table
    return renamed.assign(label_name=[words.get(label, label) for label in table["label_name"]]) if names else renamed


def _check_predictions(table: pd.DataFrame, labels: Sequence[str], clips: int, file: Path) -> None:
    """Refuse a table of predictions whose figures would be wrong or fail later. Raises: InputError."""
    columns = ["clip_id", "fold", "label", "label_name", *(f"p_{label}" for label in labels)]
    if missing := [name for name in columns if name not in table]:
        raise InputError(f"{file} lacks the column {missing[0]!r}; {AGAIN}")
    if len(table) != clips:
        raise InputError(f"{file} has {len(table)} rows, {MANIFEST} says {clips} clips; {AGAIN}")
    for name in ("clip_id", "label_name"):
        if not pd.api.types.is_string_dtype(table[name]) or table[name].isna().any():
            raise InputError(f"{file}: {name} must be text in every row; {AGAIN}")
    if table["clip_id"].duplicated().any():
        raise InputError(f"{file}: clip {table['clip_id'][table['clip_id'].duplicated()].iloc[0]!r} is there twice; {AGAIN}")
    if not pd.api.types.is_integer_dtype(table["label"]) or not table["label"].between(-1, len(labels) - 1).all():
        raise InputError(f"{file}: labels must be whole numbers from -1 (none) to {len(labels) - 1}; {AGAIN}")
    known = table["label"] >= 0
    if (np.array(labels)[table.loc[known, "label"]] != table.loc[known, "label_name"]).any():
        raise InputError(f"{file}: label and label_name disagree; {AGAIN}")
    probs = table[columns[4:]]
    if not all(pd.api.types.is_float_dtype(kind) for kind in probs.dtypes):
        raise InputError(f"{file}: probabilities must be numbers; {AGAIN}")
    values = probs.to_numpy(np.float64)
    good = (values >= 0).all(1) & (values <= 1 + _SUM_ERROR).all(1) & (np.abs(values.sum(1) - 1) <= _SUM_ERROR)
    if not good.all():
        row = int((~good).argmax())
        told = ", ".join(f"{value:.3g}" for value in values[row])
        raise InputError(
            f"{file}: the probabilities of clip {table['clip_id'].iloc[row]} are {told}, which is no distribution; {AGAIN}"
        )
