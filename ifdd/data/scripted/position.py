"""Does the position of a frame alone tell when the emotion shows? It must not, or a model needs no face to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ifdd.data.scripted.clips import render_times
from ifdd.data.scripted.script import Script
from ifdd.errors import InputError

ACTIVE = 0.25
"""A frame belongs to the emotion where its intensity is above this share of the clip's maximum."""


class PositionAuroc(NamedTuple):
    """How well a frame's number, and its distance from the clip's middle, tell that the emotion shows: in [0.5, 1]."""

    frame: float
    centre: float


def _auroc(score: np.ndarray, active: np.ndarray, idle: np.ndarray) -> float:
    """Area under the ROC curve of a score (n,) with `active` and `idle` cases (n,) at each value; ties count half."""
    values, group = np.unique(score, return_inverse=True)
    yes, no = (np.bincount(group, counts, len(values)) for counts in (active, idle))
    below = np.cumsum(no) - no
    return float((yes * (below + 0.5 * no)).sum() / (yes.sum() * no.sum()))


def position_auroc(scripts: Sequence[Script], frames: int = 32) -> PositionAuroc:
    """Over all frames of all clips that show an emotion, each area or 1 minus it, whichever is larger.

    Raises: InputError if no clip shows an emotion for some of its frames only.
    """
    active, idle = np.zeros(frames), np.zeros(frames)
    for script in scripts:
        intensity = script.at(render_times(frames, script.duration)).intensity
        if intensity.max() > 0:
            shows = intensity > ACTIVE * intensity.max()
            active += shows
            idle += ~shows
    if not (active.any() and idle.any()):
        raise InputError("position: no clip shows an emotion in a part of its frames; give clips of other emotions than neutral")
    place = np.arange(frames)
    areas = (_auroc(score, active, idle) for score in (place, -np.abs(place - (frames - 1) / 2)))
    return PositionAuroc(*(max(area, 1 - area) for area in areas))
