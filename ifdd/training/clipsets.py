"""The clips of a recipe's splits, rendered or decoded, as its control shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from ifdd.card import Card
from ifdd.control import Control
from ifdd.data.clipset import ClipSet, joined
from ifdd.data.decoded import from_inputs
from ifdd.data.manifest import read_manifest
from ifdd.data.parts import SPLITS as SPLITS
from ifdd.data.parts import SplitName, parts_of
from ifdd.data.persons import shared_persons, unknown_persons
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.same_files import same_files
from ifdd.data.sampling import Rule
from ifdd.data.streamed import streamed
from ifdd.data.traces import traces
from ifdd.documents import checked
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import SuiteConfig, class_note, class_notes, suite_scripts, training_arrays
from ifdd.scripted.suites import clip_id
from ifdd.training.controls import truth_places
from ifdd.training.recipe import CorpusData, ListedData, Recipe, ScriptedData, ScriptedSet


def load_split(recipe: Recipe, split: SplitName, progress: bool = True) -> ClipSet:
    """One split of a recipe's data.

    Raises: InputError for a manifest or a clip that cannot be read, or a class that the recipe does not list.
    """
    clips = _load_split(recipe, split, progress)
    if alone := [name for name in recipe.model.inputs if name in recipe.model.scenes and recipe.stream_of(name) == "clip"]:
        note = f"faces alone: {', '.join(alone)} reads the clip in place of a scene (inputs.{alone[0]}.stream=clip)"
        clips = replace(clips, notes=(*clips.notes, note))
    if clips.files and split != "test":  # the card keeps them, so that a list that has some of them is known
        about = clips.about | {"traces": traces(clips.clip_ids, clips.files, clips.subjects)}
        clips = replace(clips, about=about)
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
        return from_suites(suite_of(recipe.data, split), recipe.reading(), recipe.data.cache, progress)
    if isinstance(recipe.data, CorpusData):
        return _corpus_split(recipe, recipe.data, split)
    data = recipe.data
    path: Path = getattr(data, split)
    if data.stream:
        return with_class_notes(_streamed(recipe, data, path, read_manifest(path)), path)
    clips = from_inputs(path, recipe.reading(), recipe.labels, data.cache, progress, on_error=data.on_error, way_out=WAY_OUT)
    return with_class_notes(clips, path)


WAY_OUT = "data.on_error=skip (in the recipe, or by --set)"


def _streamed(recipe: Recipe, data: ListedData, path: Path, frame: pd.DataFrame) -> ClipSet:
    """The clips of a list, or of some of its rows, read when they are asked for."""
    rule = Rule(data.sampling, data.stride, recipe.seed)
    cache = data.cache if data.cache_crops else None
    return streamed(path, frame, recipe.reading(), recipe.labels, rule=rule, cache=cache, on_error=data.on_error, way_out=WAY_OUT)


def _corpus_split(recipe: Recipe, data: CorpusData, split: SplitName) -> ClipSet:
    """One part of a corpus; its `about` tells the fold, and the validation part how it came about."""
    frame = read_manifest(data.manifest)
    parts = parts_of(frame, data.manifest, fold=data.fold, val=data.val, seed=recipe.seed)
    rows = frame.iloc[parts.rows[split]].reset_index(drop=True)
    rows.attrs = frame.attrs
    clips = _streamed(recipe, data, data.manifest, rows)
    about = clips.about | {"source": "corpus", "fold": data.fold, "part": split}
    if split == "val":
        about["validation"] = parts.validation
    elif split == "test":
        about["chosen_on_test"] = parts.chosen_on_test
    return replace(clips, about=about)


def with_class_notes(clips: ClipSet, path: Path) -> ClipSet:
    """The clips of a list, with a note where they are rendered ones that tell the class."""
    return replace(clips, notes=(*clips.notes, *class_notes(read_manifest(path))))


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


def from_suites(suite: SuiteConfig, inputs: Mapping[str, Preprocessing], cache: Path, progress: bool = True) -> ClipSet:
    """The clips of a suite as each input of a model reads them, its scene where one reads that; rendered, or from the cache.

    Raises: InputError as `from_suite`.
    """
    return joined(
        {
            name: from_suite(suite, read.frames, read.size, cache, progress, scene=read.face if read.stream == "scene" else "")
            for name, read in inputs.items()
        }
    )


def from_suite(
    suite: SuiteConfig, frames: int, size: tuple[int, int], cache: Path, progress: bool = True, *, scene: str = ""
) -> ClipSet:
    """Render a suite, or take it from the cache; `scene`: not its clips, but the scenes around them, as `training_arrays`.

    Raises: InputError for a size that is not square, a scene of a suite that has none.
    """
    if size[0] != size[1]:
        raise InputError(f"suite {suite.name}: size {size[0]}×{size[1]} is not square; scripted clips are")
    arrays = training_arrays(suite, frames, size[0], cache, progress=progress, scene=scene)
    scripts = suite_scripts(suite)
    return ClipSet(
        pixels=arrays.clips,
        target=arrays.labels,
        clip_ids=tuple(clip_id(suite, i) for i in range(len(scripts))),
        subjects=tuple(str(script.identity) for script in scripts),
        folds=(0,) * len(scripts),
        about={"source": "scripted", **suite.to_dict()},
        intensity=arrays.intensity,
        notes=(note,) if (note := class_note(suite.difficulty, suite.split)) else (),
    )


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
    for first, second in combinations(sets, 2):
        ours, theirs = sets[first], sets[second]
        same = _same_clips(ours, theirs)
        if {first, second} == {"val", "test"} and len(same) == len(ours) == len(theirs):
            chosen = ", and the epoch is chosen on them: the result on test is better than on new clips" if keep == "best" else ""
            notes.append(f"val and test are the same {len(same)} clips{chosen}")
            continue
        if shared := shared_persons(ours.subjects, theirs.subjects):
            raise InputError(f"{first} and {second} share {len(shared)} subjects, e.g. {shared[0]}; split the data by person")
        if same:
            raise InputError(f"{first} and {second} share {len(same)} clips, e.g. {same[0]}; leave them out of one split")
    unnamed = {split: unknown_persons(clips.subjects) for split, clips in sets.items()}
    if any(unnamed.values()):
        nameless = ", ".join(f"{count} of {len(sets[split])} clips of {split}" for split, count in unnamed.items() if count)
        notes.append(f"{nameless} name no person (column subject): whether somebody is in two splits is not known")
    return tuple(notes)


def lacking_classes(sets: Mapping[SplitName, ClipSet], labels: Sequence[str]) -> tuple[str, ...]:
    """What has to be told of classes that the test has and the training has not: no model can learn them from it."""
    counts = {split: np.bincount(clips.target, minlength=len(labels)) for split, clips in sets.items()}
    lacking = [
        name for name, of_train, of_test in zip(labels, counts["train"], counts["test"], strict=True) if of_test and not of_train
    ]
    if not lacking:
        return ()
    return (
        f"train has no clip of {', '.join(lacking)}, test has: the model has never seen it, UAR counts its recall all the same",
    )


def _same_clips(first: ClipSet, second: ClipSet) -> list[str]:
    """Ids in `first` of the clips that are in `second`, too; clips without files, which are rendered, are known by their id."""
    if not first.files or not second.files:
        return sorted(set(first.clip_ids) & set(second.clip_ids)) if not first.files and not second.files else []
    return [first.clip_ids[i] for i in same_files(first.files, second.files)]
