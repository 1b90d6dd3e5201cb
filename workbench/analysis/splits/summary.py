"""All there is to say about the split of one checkpoint on a set of clips, in one result."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ifdd.timing import to_clip_frames
from ifdd.training.controls import oracle_places
from workbench.analysis.splits.content import INTENSITY, content_score, person_share
from workbench.analysis.splits.inspection import SAME_MOMENTS
from workbench.analysis.splits.places import awareness, motion_agreement, moved, occupancy
from workbench.analysis.splits.results import (
    CLASS,
    CONTENT,
    TOLD,
    ContentScore,
    SplitClips,
    SplitResult,
    SplitSummary,
    StepSummary,
)
from workbench.results.bootstrap import group_members
from workbench.results.controls import distance_to_others
from workbench.results.interval import NOT_KNOWN
from workbench.results.provenance import record

SATURATED = 0.95
"""An offset beyond this share of its range is at its end: the tanh lets it go hardly further."""
ELSEWHERE = 0.05
"""Feature frames: places further from what was asked for count as read elsewhere."""


def summarise_split(
    clips: SplitClips, *, kind: str, offset_range: float | None, groups: ArrayLike | None = None, seed: int = 0
) -> SplitSummary:
    """Measure a split of n clips.

    Args:
        clips: what the split did; the copies of `SAME_MOMENTS` make the awareness.
        kind: the split's name, e.g. "index".
        offset_range: L, None for a split without offsets.
        groups: (n,) persons, kept apart by folds and drawn whole.
        seed: of bootstrap, shuffles and PCA.

    Raises:
        InputError: shapes that do not fit, or fewer than two clips.

    >>> import ifdd, torch
    >>> from workbench.analysis.splits import inspect_split
    >>> model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    >>> split = inspect_split(model, torch.rand(6, 3, 8, 32, 32))
    >>> clips = SplitClips(split, {"mirrored": split.both("sample")}, np.arange(6) % 2, ("sad", "happy"), np.ones((6, 8)), {})
    >>> found = summarise_split(clips, kind="index", offset_range=2.0, groups=np.arange(6))
    >>> found.occupancy.dynamic.shape  # (classes, feature frames)
    (2, 8)
    """
    split, copies, contents, energy = clips.split, clips.copies, clips.contents, clips.energy
    places, offsets = split.both("sample"), split.both("offset")
    same = [copies[name] for name in SAME_MOMENTS if name in copies]
    aware = awareness(np.stack([places, *same], 1), groups=groups, seed=seed)
    notes = []
    if np.isnan(aware.icc.value):
        notes.append("all clips are read at the same places: awareness and content R² are undefined")
    if split.frame_weight is not None:
        notes.append("this split weighs the frames instead of moving its places; the weights are not measured here")
    if groups is None:
        notes.append("persons are not known: folds and intervals take every clip as a person of its own")
    if clips.classes != CLASS:
        notes.append(f"the clips have no labels: occupancy and R² are by {clips.classes}, what the model says")
    share = NOT_KNOWN, float("nan")
    if groups is not None:
        share = person_share(offsets, groups, seed=seed)
    shown = {"offsets": offsets, "places": places, "energy": energy} | dict(contents)
    return SplitSummary(
        kind=kind,
        frames=split.frames,
        clips=len(places),
        steps=step_summaries(split),
        saturated=float("nan") if offset_range is None else float((np.abs(offsets) > SATURATED * offset_range).mean()),
        elsewhere=float((np.abs(split.both("position") - places) > ELSEWHERE).mean()),
        occupancy=occupancy(split.weights_D, split.weights_S, clips.labels, clips.label_names, groups=groups, seed=seed),
        awareness=aware,
        person_share=share[0],
        person_null=share[1],
        content=_content(places, contents, split.weights_D.shape[2], groups, seed),
        stability={name: moved(places, other, groups=groups, seed=seed) for name, other in copies.items()},
        apart=distance_to_others(places, group_members(groups, len(places)), seed),
        motion=motion_agreement(split.weights_D, split.weights_S, energy, groups=groups, seed=seed),
        notes=tuple(notes),
        classes=clips.classes,
        provenance=record(
            "split_summary.summarise_split",
            {"kind": kind, "offset_range": offset_range, "seed": seed, "copies": list(copies)},
            {name: np.asarray(values) for name, values in shown.items()},
            ("scikit-learn",),
        ),
    )


def _content(
    places: np.ndarray, contents: Mapping[str, np.ndarray], steps: int, groups: ArrayLike | None, seed: int
) -> tuple[ContentScore, ...]:
    """Scores of the places; then, as a positive control, of places that are told where the emotion is."""
    found = [content_score(name, values, places, groups=groups, seed=seed) for name, values in contents.items()]
    if INTENSITY in contents and contents[INTENSITY].any():
        truth = contents[INTENSITY]
        told = oracle_places(truth.reshape(len(truth), steps, -1).mean(2), seed).reshape(len(truth), -1).astype(np.float64)
        known = [name for name in (CONTENT, INTENSITY) if name in contents]
        found += [content_score(f"{name}{TOLD}", contents[name], told, groups=groups, seed=seed) for name in known]
    return tuple(found)


def step_summaries(split: SplitResult) -> tuple[StepSummary, ...]:
    """Each step of both groups over all clips."""
    steps = []
    for group in ("D", "S"):
        initial, offset, position, sample = (
            getattr(split, f"{what}_{group}") for what in ("initial", "offset", "position", "sample")
        )
        in_clip, first = to_clip_frames(sample, split.frames), to_clip_frames(initial, split.frames)
        steps += [
            StepSummary(
                group,
                k + 1,
                float(initial[:, k].mean()),
                float(offset[:, k].mean()),
                float(offset[:, k].std()),
                float(position[:, k].mean()),
                float(sample[:, k].mean()),
                float(first[:, k].mean()),
                float(in_clip[:, k].mean()),
                float(in_clip[:, k].std()),
            )
            for k in range(offset.shape[1])
        ]
    return tuple(steps)
