"""Sets of clips as memory-mapped pixels: rendered from scripts, or decoded once from a manifest."""

import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import TypeAdapter
from tqdm import tqdm

from ifdd.card import Card
from ifdd.control import Control
from ifdd.data.arrays import keep_rows, new_array
from ifdd.data.bad_clips import UNREADABLE, OnError, left_out, reason, settle, warnings_summary
from ifdd.data.clips import READING, Clip, load_clip
from ifdd.data.manifest import clip_path, crop_notes, crop_of, data_hash, files_hash, fps_of, read_manifest
from ifdd.data.persons import person_ids, unknown_persons
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.same_files import same_files
from ifdd.documents import checked, read_cached
from ifdd.errors import InputError
from ifdd.inputs import Clips
from ifdd.io import make_once, remove
from ifdd.labels import EMOTIONS, match_labels
from ifdd.scripted import SuiteConfig, class_note, suite_scripts, training_arrays
from ifdd.scripted.suites import clip_id
from ifdd.training.controls import truth_places
from ifdd.training.recipe import Recipe, ScriptedData, ScriptedSet

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
BAD, TOLD = "bad.json", "told.json"
"""Beside the cached pixels: clips that could not be read, and what was warned of while others were."""


Pixels = np.ndarray | dict[str, np.ndarray]
"""Of one input, or by input's name."""


@dataclass(frozen=True, eq=False)
class ClipSet:
    """n clips. `pixels` (n, T, H, W, 3) uint8, memory-mapped; `target` (n,) class indexes; `about` says where they come from.

    `order` (n, T): the frames as they are shown, None for all in turn. `intensity` (n, T): the emotion's true intensity where it
    is known; `places` (n, 2, K): feature frames that S and D are told to read, None where the model chooses. `files` (n,): real
    paths of the clips, none where they are rendered. `notes` tell what a reader of a number has to know of the clips. Of a model
    with several inputs `pixels` are of the one called `input`, and `more` of the others by name, of as many frames.
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
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    input: str = "clip"
    more: Mapping[str, np.ndarray] = field(default_factory=dict)

    def read(self, index: Sequence[int]) -> Pixels:
        """Pixels (len(index), T, H, W, 3) of some clips, in memory; of several inputs by their names."""
        if not self.more:
            return self._shown(self.pixels, index)
        return {name: self._shown(pixels, index) for name, pixels in ({self.input: self.pixels} | dict(self.more)).items()}

    def _shown(self, pixels: np.ndarray, index: Sequence[int]) -> np.ndarray:
        if self.order is None:
            return pixels[index]
        return np.take_along_axis(pixels[index], self.order[index][..., None, None, None], 1)

    def __len__(self) -> int:
        return len(self.target)


def as_tensors(pixels: Pixels) -> Clips:
    """The same as tensors, by input where they are."""
    return (
        {name: torch.from_numpy(part) for name, part in pixels.items()} if isinstance(pixels, dict) else torch.from_numpy(pixels)
    )


def load_split(recipe: Recipe, split: SplitName, progress: bool = True) -> ClipSet:
    """One split of a recipe's data.

    Raises: InputError for a manifest or a clip that cannot be read, or a class that the recipe does not list.
    """
    clips = _load_split(recipe, split, progress)
    if split == "train" and recipe.control.labels == "random":
        clips = replace(clips, target=np.random.default_rng([recipe.seed, 227]).permutation(clips.target))
    return as_shown(clips, recipe.control, recipe.seed)


def as_shown(clips: ClipSet, control: Control, seed: int) -> ClipSet:
    """The clips as a control sees them; frames that are shuffled have each clip's own order, always the same.

    With places "truth" they bring the places of the most intense frames.
    Raises: InputError for "truth" where the intensity is not known.
    """
    n, frames = clips.pixels.shape[:2]
    if control.places == "truth":
        if clips.intensity is None:
            raise InputError("control.places='truth': these clips have no true intensity; only scripted clips do, give a --suite")
        return replace(clips, places=truth_places(clips.intensity, seed))
    if control.frames == "all":
        return clips
    if control.frames == "one":
        return replace(clips, order=np.full((n, frames), frames // 2))
    order = np.random.default_rng([seed, 211]).permuted(np.tile(np.arange(frames), (n, 1)), axis=1)
    return replace(clips, order=order)


def shown_to(card: Card, clips: ClipSet) -> ClipSet:
    """The clips as the checkpoint's own recipe shows them: a control is tested on what it was trained on.

    Raises: InputError for places that are told, of clips whose truth is not known.
    """
    return as_shown(clips, card.control, card.training.get("recipe", {}).get("seed", 0))


def _load_split(recipe: Recipe, split: SplitName, progress: bool) -> ClipSet:
    if isinstance(recipe.data, ScriptedData):
        if recipe.labels != EMOTIONS:
            raise InputError(f"recipe {recipe.name}: scripted data has the labels {', '.join(EMOTIONS)}, in this order")
        suite, cache = suite_of(recipe.data, split), recipe.data.cache
        return joined(
            {name: from_suite(suite, read.frames, read.size, cache, progress) for name, read in recipe.reading().items()}
        )
    data = recipe.data
    way_out = "data.on_error=skip (in the recipe, or by --set)"
    return from_inputs(
        getattr(data, split), recipe.reading(), recipe.labels, data.cache, progress, on_error=data.on_error, way_out=way_out
    )


def joined(sets: Mapping[str, ClipSet]) -> ClipSet:
    """One set of the same clips as several inputs see them, by input's name.

    Raises: InputError for other clips, e.g. where one input of a clip could be read and another one not; other numbers of frames.
    """
    (name, first), *others = sets.items()
    for other, clips in others:
        if clips.clip_ids != first.clip_ids:
            odd = min(set(clips.clip_ids) ^ set(first.clip_ids), default=first.clip_ids[0])
            raise InputError(f"{odd} can be read as one of {name} and {other} alone; leave it out of the list")
        if clips.pixels.shape[1] != first.pixels.shape[1]:
            frames = first.pixels.shape[1], clips.pixels.shape[1]
            raise InputError(
                f"{name} has {frames[0]} frames, {other} {frames[1]}; inputs of one clip are trained at the same frames"
            )
    return replace(first, input=name, more={other: clips.pixels for other, clips in others}) if others else first


def from_inputs(
    path: Path,
    inputs: Mapping[str, Preprocessing],
    labels: Sequence[str],
    cache: Path,
    progress: bool = True,
    *,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
) -> ClipSet:
    """`from_manifest` for each input.

    With several, a row's `crop` column says only whether a clip is to be cropped: if it is not "none", as each input asks for.
    Raises: InputError as `from_manifest` and `joined`.
    """
    several = len(inputs) > 1
    return joined(
        {
            name: from_manifest(path, read, labels, cache, progress, on_error=on_error, way_out=way_out, own_crop=several)
            for name, read in inputs.items()
        }
    )


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
        notes=(note,) if (note := class_note(suite.difficulty, suite.split)) else (),
    )


def from_manifest(
    path: Path,
    preprocessing: Preprocessing,
    labels: Sequence[str],
    cache: Path,
    progress: bool = True,
    *,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
    own_crop: bool = False,
) -> ClipSet:
    """Decode every clip of a manifest, or take them from the cache. A row's `crop` column wins over the preprocessing's.

    With `own_crop` the preprocessing's crop stands for every other than "none".

    Classes are matched to `labels` by name, as `labels.match_labels` does. Clips that cannot be read are all named; with "skip"
    a few are left out (`bad_clips.settle`), which stands in `about` and `notes`.

    Raises: InputError for clips that cannot be read, or a class that is not in `labels`.
    """
    frame = read_manifest(path)
    way_to_map = f"ifdd data index {shlex.quote(str(path))} --out NEW.parquet --map"
    meant, notes = match_labels(frame["label_name"], labels, path, way_out=way_to_map, model="the model")
    if own_crop and "crop" in frame:
        asked = frame["crop"].where(frame["crop"] == "none", preprocessing.crop)
        frame, attrs = frame.assign(crop=asked), frame.attrs
        frame.attrs = attrs
    folder = _cached(frame, preprocessing, cache)
    bad = _decoded(frame, preprocessing, folder, progress)
    notes += (*crop_notes(frame, preprocessing.crop), *settle(bad, len(frame), path, on_error, way_out))
    notes += warnings_summary(_told(folder), len(frame))
    files = tuple(os.path.realpath(clip_path(frame, row)) for row in frame.itertuples())
    kept = (~frame["clip_id"].isin(list(bad))).to_numpy()
    about = {"source": "manifest", "manifest": Path(path).name, "clips": int(kept.sum()), "data_hash": data_hash(frame)}
    return ClipSet(
        pixels=read_cached(folder / "clips.npy"),
        target=frame["label_name"][kept].map(meant).map(list(labels).index).to_numpy(np.int64),
        clip_ids=tuple(frame["clip_id"][kept]),
        subjects=tuple(frame["subject"][kept]),
        folds=tuple(frame["fold"][kept].tolist()),
        about=about | {"files_hash": files_hash(frame)} | left_out(bad, len(frame)),
        files=tuple(file for file, keep in zip(files, kept, strict=True) if keep),
        notes=notes,
    )


def decoded_already(
    frame: pd.DataFrame, preprocessing: Preprocessing, cache: Path
) -> tuple[np.ndarray, dict[str, Sequence[str]]] | None:
    """Pixels (n, T, H, W, 3) of all clips of a manifest, and what was warned of them (id → warnings).

    None unless `from_manifest` has decoded them all into `cache`.
    """
    folder = _cached(frame, preprocessing, cache)
    if not folder.is_dir() or json.loads((folder / BAD).read_text(encoding="utf-8")):
        return None
    return np.load(folder / "clips.npy", mmap_mode="r", allow_pickle=False), _told(folder)


def _told(folder: Path) -> dict[str, Sequence[str]]:
    told: dict[str, Sequence[str]] = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    return told


def _cached(frame: pd.DataFrame, preprocessing: Preprocessing, cache: Path) -> Path:
    """Place of the decoded clips, by a hash of all that their pixels depend on: files, how they are read, and by which code."""
    code = [READING, version("av"), version("opencv-python-headless"), version("pillow")]
    crops = [crop_of(row) for row in frame.to_dict("records")]
    about = [code, data_hash(frame), files_hash(frame), crops, preprocessing.to_dict(), str(frame["fps"].tolist())]
    return cache / hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]


def _decoded(frame: pd.DataFrame, preprocessing: Preprocessing, folder: Path, progress: bool) -> dict[str, str]:
    """Fill the folder of the cache where it is not there; returns the clips that cannot be read, id → reason."""

    def load(i: int) -> Clip:
        row = frame.iloc[i]
        return load_clip(clip_path(frame, row), replace(preprocessing, crop=crop_of(row)), fps=fps_of(row))

    def fill(work: Path) -> None:
        pixels = new_array(work / "clips.npy", (len(frame), preprocessing.frames, *preprocessing.size, 3))
        bad: dict[str, str] = {}
        told: dict[str, tuple[str, ...]] = {}
        good = []
        for i, clip in enumerate(tqdm(frame["clip_id"], desc="decode", unit="clip", disable=not progress)):
            try:
                read = load(i)
                pixels[i] = read.pixels
                good.append(i)
                if read.warnings:
                    told[clip] = read.warnings
            except UNREADABLE as error:
                bad[clip] = reason(error, clip_path(frame, frame.iloc[i]))
        pixels.flush()
        if bad:
            keep_rows(work / "clips.npy", good, len(frame))
        (work / TOLD).write_text(json.dumps(told), encoding="utf-8")
        (work / BAD).write_text(json.dumps(bad), encoding="utf-8")

    def mended(clip: str) -> bool:
        try:
            load(int((frame["clip_id"] == clip).to_numpy().argmax()))
        except UNREADABLE:
            return False
        return True

    make_once(folder, fill)
    bad: dict[str, str] = json.loads((folder / BAD).read_text(encoding="utf-8"))
    if any(mended(clip) for clip in bad):  # what kept a file from being read leaves no trace in it, e.g. who may read it
        remove(folder)
        make_once(folder, fill)
        bad = json.loads((folder / BAD).read_text(encoding="utf-8"))
    return bad


def check_disjoint(sets: Mapping[SplitName, ClipSet], keep: str = "best") -> tuple[str, ...]:
    """Refuse splits that share a person or a clip; returns what has to be told of them all the same.

    Persons are compared by `persons.person_ids`, clips by file and content. Validation and test may be the same clips, for
    corpora that have two parts alone: that is told, and what it means where the epoch is chosen (`keep` "best").

    Raises: InputError that names the two splits and one of the persons, or of the clips.
    """
    told: dict[str, list[str]] = {}
    for split, clips in sets.items():
        for note in clips.notes:
            told.setdefault(note, []).append(split)
    notes = [f"{', '.join(splits)}: {note}" for note, splits in told.items()]
    people = {split: set(person_ids(clips.subjects).tolist()) - {""} for split, clips in sets.items()}
    for first, second in combinations(sets, 2):
        ours, theirs = sets[first], sets[second]
        same = _same_clips(ours, theirs)
        if {first, second} == {"val", "test"} and len(same) == len(ours) == len(theirs):
            chosen = ", and the epoch is chosen on them: the result on test is better than on new clips" if keep == "best" else ""
            notes.append(f"val and test are the same {len(same)} clips{chosen}")
            continue
        if shared := people[first] & people[second]:
            raise InputError(f"{first} and {second} share {len(shared)} subjects, e.g. {min(shared)}; split the data by person")
        if same:
            raise InputError(f"{first} and {second} share {len(same)} clips, e.g. {same[0]}; leave them out of one split")
    unnamed = {split: unknown_persons(clips.subjects) for split, clips in sets.items()}
    if any(unnamed.values()):
        nameless = ", ".join(f"{count} of {len(sets[split])} clips of {split}" for split, count in unnamed.items() if count)
        notes.append(f"{nameless} name no person (column subject): whether somebody is in two splits is not known")
    return tuple(notes)


def _same_clips(first: ClipSet, second: ClipSet) -> list[str]:
    """Ids in `first` of the clips that are in `second`, too; clips without files, which are rendered, are known by their id."""
    if not first.files or not second.files:
        return sorted(set(first.clip_ids) & set(second.clip_ids)) if not first.files and not second.files else []
    return [first.clip_ids[i] for i in same_files(first.files, second.files)]
