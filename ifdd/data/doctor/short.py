"""Clips with fewer frames than a model reads, and what is done with them."""

from collections.abc import Iterator

import numpy as np

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many

FEW = 0.01
"""Share of the clips up to which it is a note: so few change no number."""


def short(case: Case) -> Iterator[Finding]:
    """Clips of fewer than `case.frames` frames: the rule for them changes results, as every tenth test clip of FERV39k is one."""
    counted = np.array([seen.frames for seen in case.seen])
    listed = np.nan_to_num(case.frame["n_frames"].to_numpy(float)).astype(int)
    frames = np.where(counted > 0, counted, listed)
    rows = np.flatnonzero((frames > 0) & (frames < case.frames) & case.readable())
    if not len(rows):
        return
    share = len(rows) / len(frames)
    by_part = ", ".join(f"{name} {np.isin(rows, own).sum()} of {len(own)}" for name, own in case.parts.items())
    yield finding(
        "note" if share <= FEW else "warning",
        "short",
        f"{many(len(rows), 'clip')} ({share:.1%}) {'have' if len(rows) > 1 else 'has'} fewer than {case.frames} frames"
        + (f" ({by_part})" if by_part else ""),
        [f"{case.ids[i]}: {frames[i]}" for i in rows],
        "here the last frame is repeated, as DFER-CLIP does; IFDD's released loader for DFEW drops such clips: compare only "
        "numbers of one rule",
    )
