"""What choosing a checkpoint was worth: those that a run kept, scored on its validation and its test part side by side.

The one that is best on the test part is not to be reported: it stands here to show by how many points such a choice would have
been too good (the optimism gap), a choice that papers make where they have no validation part.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ifdd.data.clipset import ClipSet
from ifdd.device import choose_device
from ifdd.documents import one_line
from ifdd.errors import InputError
from ifdd.metrics import Estimate, Metrics, count_units, estimate
from ifdd.models.families import create_model
from ifdd.training.clipsets import SplitName, load_split
from ifdd.training.evaluation import score
from ifdd.training.finishing import predict_readable
from ifdd.training.keeping import CONFIG, EPOCHS, LAST
from ifdd.training.recipe import Recipe, load_recipe

BEST = "best.ckpt"
WEIGHTS, AVERAGED, OWN = "model.", "state_dict", "current_model_state"


@dataclass(frozen=True, eq=False)
class Candidate:
    """Weights that a run kept: `name` in words, after `epoch`; `reported`: those that its checkpoint holds."""

    name: str
    epoch: int
    reported: bool
    val: Metrics
    test: Metrics

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        scores = {
            part: {
                "n": found.n,
                "WAR": found.WAR,
                "UAR": found.UAR,
                "intervals": {k: list(v) for k, v in found.intervals.items()},
            }
            for part, found in (("val", self.val), ("test", self.test))
        }
        return {"name": self.name, "epoch": self.epoch, "reported": self.reported, **scores}


@dataclass(frozen=True, eq=False)
class Audit:
    """Candidates of a run; `gap`: UAR on test of the best one there minus that of the reported one, on the same clips."""

    run: str
    candidates: tuple[Candidate, ...]
    best_on_test: str
    gap: Estimate
    chosen_on_test: bool

    @property
    def words(self) -> str:
        """The gap in a sentence."""
        reported = next(one.name for one in self.candidates if one.reported)
        if self.chosen_on_test:
            last = next(one for one in self.candidates if one.name.startswith("last"))
            chosen = next(one for one in self.candidates if one.reported)
            points = 100 * (chosen.test.UAR - last.test.UAR)
            return (
                f"the run chose on its test part: nothing here is free of that choice; {reported} is {points:+.1f} points of UAR "
                "from the last epoch, which nobody chose"
            )
        if self.best_on_test == reported:
            return f"optimism gap 0.0 points of UAR: {reported} is also the best on test of what the run kept"
        low, high = self.gap.difference_bounds
        return (
            f"optimism gap {100 * self.gap.value:.1f} points of UAR (95 % interval {100 * low:.1f} – {100 * high:.1f}): choosing "
            f"on test, of what the run kept, would have taken {self.best_on_test} in place of {reported}"
        )

    @property
    def table(self) -> list[list[str]]:
        """A row for each candidate, below a head: name, epoch, UAR and WAR on validation and test in percent."""
        rows = [["checkpoint", "epoch", "val UAR", "val WAR", "test UAR", "test WAR"]]
        for one in self.candidates:
            cells = [_percent(found, name) for found in (one.val, one.test) for name in ("UAR", "WAR")]
            rows.append([f"{one.name}{' (reported)' if one.reported else ''}", str(one.epoch), *cells])
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "run": self.run,
            "candidates": [one.to_dict() for one in self.candidates],
            "best_on_test": self.best_on_test,
            "optimism_gap_UAR": None if self.chosen_on_test else self.gap.value,
            "interval": None if self.chosen_on_test else list(self.gap.difference_bounds),
            "chosen_on_test": self.chosen_on_test,
            "words": self.words,
        }


def _percent(found: Metrics, name: str) -> str:
    low, high = found.intervals[name]
    return f"{100 * getattr(found, name):.1f} ({100 * low:.1f}–{100 * high:.1f})"


def audit(run: str | Path, *, device: str = "auto", progress: bool = True) -> Audit:
    """Score every checkpoint that a run kept on its validation and test part: best on validation, last, averaged and not.

    Nothing is written. Averaged weights (`ema`) and those that they are averages of are candidates of their own.
    The test is of as many clips of each video as the run's own.
    Raises: InputError for a folder without the checkpoints of a run, or as `load_split`.
    """
    run = Path(run)
    if not (run / CONFIG).is_file():
        raise InputError(f"{run}: no run (there is no {CONFIG}); name the folder that ifdd train wrote")
    recipe = load_recipe(run / CONFIG)
    states = list(_states(run, recipe))
    sets: dict[SplitName, ClipSet] = {split: load_split(recipe, split, progress) for split in ("val", "test")}
    views: dict[SplitName, int] = {"val": 1, "test": getattr(recipe.data, "test_clips", 1)}
    place = choose_device(device)
    found, hits, shown = [], {}, dict(sets)
    for name, epoch, reported, weights in states:
        model = create_model(recipe.model)
        model.load_state_dict(weights)
        model.to(place)
        both = {}
        for part, count in views.items():
            clips, probabilities, _ = predict_readable(recipe, sets[part], model, f"{name}, {part}", count)
            both[part] = score(clips, probabilities, recipe.labels)
            hits[name, part] = probabilities.argmax(1) == clips.target
            shown[part] = clips
        found.append(Candidate(name, epoch, reported, both["val"], both["test"]))
    best = max(found, key=lambda one: (one.test.UAR, one.reported))
    reported_one = next(one for one in found if one.reported)
    difference = hits[best.name, "test"].astype(float) - hits[reported_one.name, "test"]
    chosen_on_test = recipe.keep == "best" and sets["val"].clip_ids == sets["test"].clip_ids
    return Audit(str(run), tuple(found), best.name, _difference(difference, shown["test"]), chosen_on_test)


def _difference(difference: np.ndarray, clips: ClipSet) -> Estimate:
    units = count_units(clips.subjects, len(clips))
    return estimate(difference, clips.target, int(clips.target.max()) + 1, units).uar


def _states(run: Path, recipe: Recipe) -> Iterator[tuple[str, int, bool, dict[str, torch.Tensor]]]:
    """Name, epoch, whether the run reports it, and weights of each."""
    kept = {"best on validation": run / EPOCHS / BEST, "last": run / EPOCHS / LAST}
    for name, file in kept.items():
        checkpoint = _read(file)
        reported = name.startswith(recipe.keep)
        averaged = OWN in checkpoint
        for key, ending in ((AVERAGED, ", averaged" if averaged else ""), (OWN, ", not averaged")):
            if key not in checkpoint:
                continue
            weights = {k.removeprefix(WEIGHTS): v for k, v in checkpoint[key].items() if k.startswith(WEIGHTS)}
            yield name + ending, int(checkpoint["epoch"]) + 1, reported and key == AVERAGED, weights


def _read(file: Path) -> dict[str, Any]:
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        told = f"{file} is missing or damaged ({one_line(error)})"
        raise InputError(f"{told}; an audit needs the checkpoints that the run kept") from error
    if not isinstance(found, dict) or not isinstance(found.get("epoch"), int) or not isinstance(found.get(AVERAGED), dict):
        raise InputError(f"{file} is no checkpoint of a training; an audit needs those that the run kept")
    return found
