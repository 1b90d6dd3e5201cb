"""Does the position of a frame alone tell when the emotion shows? It must not, or a model needs no face to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ifdd.errors import InputError
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.times import render_times

ACTIVE = 0.25
"""A frame belongs to the emotion where its intensity is above this share of the clip's maximum."""


TURNS = 500
"""Draws of the null."""


class PositionAuroc(NamedTuple):
    """How well a frame's number, and its nearness to the clip's middle, tell that the emotion shows: in [0, 1], 0.5 not at all.

    Signed: below 0.5 the emotion lies early, or far from the middle. `frame_null`, `centre_null`: where 95 % of these lie if the
    frames of every clip are turned by a random number, so that position tells nothing.
    """

    frame: float
    centre: float
    frame_null: tuple[float, float]
    centre_null: tuple[float, float]


def _auroc(score: np.ndarray, active: np.ndarray, idle: np.ndarray) -> float:
    """Area under the ROC curve of a score (n,) with `active` and `idle` cases (n,) at each value; ties count half."""
    values, group = np.unique(score, return_inverse=True)
    yes, no = (np.bincount(group, counts, len(values)) for counts in (active, idle))
    below = np.cumsum(no) - no
    return float((yes * (below + 0.5 * no)).sum() / (yes.sum() * no.sum()))


def position_auroc(scripts: Sequence[Script], frames: int = 32, seed: int = 0) -> PositionAuroc:
    """Over all frames of all clips that show an emotion; `seed` of the turns.

    Raises: InputError if no clip shows an emotion for some of its frames only.
    """
    found = []
    for script in scripts:
        intensity = script.at(render_times(frames, script.duration)).intensity
        if intensity.max() > 0:
            found.append(intensity > ACTIVE * intensity.max())
    shows = np.array(found).reshape(-1, frames)
    if not (shows.any() and (~shows).any()):
        raise InputError("position: no clip shows an emotion in a part of its frames; give clips of other emotions than neutral")
    rng = np.random.default_rng([seed, 401])
    turns = [rng.integers(0, frames, (len(shows), 1)) for _ in range(TURNS)]
    counts = [shows.sum(0)] + [np.take_along_axis(shows, (np.arange(frames) + turn) % frames, 1).sum(0) for turn in turns]
    place = np.arange(frames)
    values, nulls = [], []
    for score in (place, -np.abs(place - (frames - 1) / 2)):
        areas = np.array([_auroc(score, active, len(shows) - active) for active in counts])
        values.append(float(areas[0]))
        low, high = np.quantile(areas[1:], (0.025, 0.975))
        nulls.append((float(low), float(high)))
    return PositionAuroc(*values, *nulls)  # type: ignore[arg-type]
