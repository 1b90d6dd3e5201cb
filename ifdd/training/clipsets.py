"""Sets of clips as memory-mapped pixels: rendered from scripts, or decoded once from a manifest."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from tqdm import tqdm

from ifdd.checkpoints import Card
from ifdd.data.arrays import new_array
from ifdd.data.clips import load_clip
from ifdd.data.manifest import clip_path, data_hash, files_hash, read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.scripted import SuiteConfig, suite_scripts, training_arrays
from ifdd.data.scripted.suite import clip_id
from ifdd.documents import checked
from ifdd.errors import InputError
from ifdd.io import make_once
from ifdd.labels import EMOTIONS
from ifdd.training.oracle import truth_places
from ifdd.training.recipe import Recipe, ScriptedData, ScriptedSet

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class ClipSet:
    """n clips. `pixels` (n, T, H, W, 3) uint8, memory-mapped; `target` (n,) class indexes; `about` says where they come from.

    `order` (n, T): the frames as they are shown, None for all in turn. `intensity` (n, T): the emotion's true intensity where it
    is known; `places` (n, 2, K): feature frames that S and D are told to read, None where the model chooses.
    """

    pixels: np.ndarray
    target: np.ndarray
    clip_ids: tuple[str, ...]
    subjects: tuple[str, ...]
    folds: tuple[int, ...]
    about: dict[str, Any] = field(default_factory=dict)
    order: np.ndarray | None = None
    intensity: np.ndarray | None = None
    places: np.ndarray | None = None

    def read(self, index: Sequence[int]) -> np.ndarray:
        """Pixels (len(index), T, H, W, 3) of some clips, in memory."""
        pixels = self.pixels[index]
        if self.order is not None:
            pixels = np.take_along_axis(pixels, self.order[index][..., None, None, None], 1)
        return pixels

    def __len__(self) -> int:
        return len(self.target)


def load_split(recipe: Recipe, split: SplitName, progress: bool = True) -> ClipSet:
    """One split of a recipe's data.

    Raises: InputError for a manifest or a clip that cannot be read, or a class that the recipe does not list.
    """
    clips = _load_split(recipe, split, progress)
    if split == "train" and recipe.train_labels == "random":
        clips = replace(clips, target=np.random.default_rng([recipe.seed, 227]).permutation(clips.target))
    return as_shown(clips, recipe.frames_shown, recipe.seed, recipe.reads)


def as_shown(clips: ClipSet, frames_shown: str, seed: int, reads: str = "own") -> ClipSet:
    """The clips as a control sees them: "one", the middle frame alone; "shuffled", each clip's own order, always the same.

    With `reads` "truth" they bring the places of the most intense frames.
    Raises: InputError for "truth" where the intensity is not known.
    """
    n, frames = clips.pixels.shape[:2]
    if reads == "truth":
        if clips.intensity is None:
            raise InputError("reads='truth': these clips have no true intensity; only scripted clips do, give a --suite")
        return replace(clips, places=truth_places(clips.intensity, seed))
    if frames_shown == "all":
        return clips
    if frames_shown == "one":
        return replace(clips, order=np.full((n, frames), frames // 2))
    order = np.random.default_rng([seed, 211]).permuted(np.tile(np.arange(frames), (n, 1)), axis=1)
    return replace(clips, order=order)


def shown_to(card: Card, clips: ClipSet) -> ClipSet:
    """The clips as the checkpoint's own recipe shows them: a control is tested on what it was trained on.

    Raises: InputError for places that are told, of clips whose truth is not known.
    """
    recipe = card.training.get("recipe", {})
    return as_shown(clips, recipe.get("frames_shown", "all"), recipe.get("seed", 0), recipe.get("reads", "own"))


def _load_split(recipe: Recipe, split: SplitName, progress: bool) -> ClipSet:
    size = recipe.model.size
    if isinstance(recipe.data, ScriptedData):
        if recipe.labels != EMOTIONS:
            raise InputError(f"recipe {recipe.name}: scripted data has the labels {', '.join(EMOTIONS)}, in this order")
        suite = suite_of(recipe.data, split)
        return from_suite(suite, recipe.model.frames, size, recipe.data.cache, progress)
    preprocessing = Preprocessing(recipe.model.frames, size, recipe.preprocessing.crop, recipe.preprocessing.margin)
    return from_manifest(getattr(recipe.data, split), preprocessing, recipe.labels, recipe.data.cache, progress)


def suite_of(data: ScriptedData, split: SplitName) -> SuiteConfig:
    """The suite that a recipe means by a split."""
    chosen: ScriptedSet = getattr(data, split)
    return SuiteConfig(name=data.name, split=split, **chosen.model_dump())


def suite_of_card(card: Card, split: str) -> SuiteConfig:
    """The suite that a checkpoint was trained, chosen or tested on.

    Raises: InputError for an unknown split, or a checkpoint of other data.
    """
    about = card.data.get(split)
    if about is None:
        raise InputError(f"suite {split!r} is unknown; the card of {card.name} names {', '.join(card.data)}")
    if about.get("source") != "scripted":
        raise InputError(f"checkpoint {card.name} was not trained on scripted data; give a --manifest")
    return checked(TypeAdapter(SuiteConfig), about, f"card of {card.name}: data.{split}", "give a --manifest")


def from_suite(suite: SuiteConfig, frames: int, size: tuple[int, int], cache: Path, progress: bool = True) -> ClipSet:
    """Render a suite, or take it from the cache.

    Raises: InputError for a size that is not square.
    """
    if size[0] != size[1]:
        raise InputError(f"suite {suite.name}: size {size[0]}×{size[1]} is not square; scripted clips are")
    arrays = training_arrays(suite, frames, size[0], cache, progress=progress)
    scripts = suite_scripts(suite)
    return ClipSet(
        pixels=arrays.clips,
        target=arrays.labels,
        clip_ids=tuple(clip_id(suite, i) for i in range(len(scripts))),
        subjects=tuple(str(script.identity) for script in scripts),
        folds=(0,) * len(scripts),
        about={"source": "scripted", **asdict(suite)},
        intensity=arrays.intensity,
    )


def from_manifest(path: Path, preprocessing: Preprocessing, labels: Sequence[str], cache: Path, progress: bool = True) -> ClipSet:
    """Decode every clip of a manifest, or take them from the cache. A row's `crop` column wins over the preprocessing's.

    Raises: InputError for a clip that cannot be read, or a class that is not in `labels` at the same index.
    """
    frame = read_manifest(path)
    named = frame[["label", "label_name"]].drop_duplicates()
    for label, name in named.itertuples(index=False):
        if label >= len(labels) or labels[label] != name:
            raise InputError(f"{path}: label {label} is {name!r}; the model's labels are {', '.join(labels)}, in this order")
    crops = frame["crop"].tolist() if "crop" in frame else ["none"] * len(frame)
    key = json.dumps([data_hash(frame), files_hash(frame), crops, preprocessing.to_dict()])
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:24]
    make_once(folder, lambda work: _decode(frame, crops, preprocessing, work, progress))
    return ClipSet(
        pixels=np.load(folder / "clips.npy", mmap_mode="r", allow_pickle=False),
        target=frame["label"].to_numpy(np.int64),
        clip_ids=tuple(frame["clip_id"].astype(str)),
        subjects=tuple(frame["subject"].fillna("").astype(str)),
        folds=tuple(frame["fold"].astype(int)),
        about={"source": "manifest", "manifest": Path(path).name, "clips": len(frame), "data_hash": data_hash(frame)},
    )


def _decode(frame: pd.DataFrame, crops: list[str], preprocessing: Preprocessing, work: Path, progress: bool) -> None:
    pixels = new_array(work / "clips.npy", (len(frame), preprocessing.frames, *preprocessing.size, 3))
    rows = tqdm(frame.itertuples(), total=len(frame), desc="decode", unit="clip", disable=not progress)
    for i, (row, crop) in enumerate(zip(rows, crops, strict=True)):
        fps = float(row.fps) if row.kind == "frames" else None
        pixels[i] = load_clip(clip_path(frame, row), replace(preprocessing, crop=crop), fps=fps).pixels
    pixels.flush()


def check_disjoint(sets: dict[SplitName, ClipSet]) -> None:
    """Refuse splits that share a person.

    Raises: InputError that names the two splits and one of the persons.
    """
    splits = list(sets)
    for i, first in enumerate(splits):
        for second in splits[i + 1 :]:
            shared = (set(sets[first].subjects) & set(sets[second].subjects)) - {""}
            if shared:
                raise InputError(
                    f"{first} and {second} share {len(shared)} subjects, e.g. {min(shared)}; split the data by person"
                )
