"""Edits of clips, as plans: which frame of which clip each frame is taken from. A plan is small, whatever the clips weigh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError


@dataclass(frozen=True, eq=False)
class FrameEdit:
    """Frame t of clip i becomes frame `frame[i, t]` of clip `clip[i, t]`; both (n, T) whole numbers, from 0."""

    name: str
    clip: np.ndarray
    frame: np.ndarray

    def apply(self, clips: Tensor, rows: slice = slice(None)) -> Tensor:
        """Edited clips of the chosen rows, (rows, 3, T, H, W), from all clips (n, 3, T, H, W).

        Raises: InputError if the plan is one for other clips.
        """
        if self.clip.shape != (len(clips), clips.shape[2]):
            raise InputError(
                f"{self.name} was planned for {self.clip.shape[0]} clips of {self.clip.shape[1]} frames, "
                f"these are {len(clips)} of {clips.shape[2]}; plan it again"
            )
        return clips[self.clip[rows], :, self.frame[rows]].movedim(1, 2)


def freeze(n: int, frames: int, at: int | ArrayLike | None = None) -> FrameEdit:
    """Show one frame throughout: the middle one, number `at`, or one number for each clip, e.g. its apex.

    Raises:
        InputError: a frame that is not there.

    >>> freeze(1, 5).frame.tolist()
    [[2, 2, 2, 2, 2]]
    """
    chosen = np.full(n, frames // 2) if at is None else np.broadcast_to(_numbers(at, frames), n)
    clip, frame = _identity(n, frames)
    frame[:] = chosen[:, None]
    return FrameEdit("freeze", clip, frame)


def reverse(n: int, frames: int) -> FrameEdit:
    """Play backwards.

    >>> reverse(1, 5).frame.tolist()
    [[4, 3, 2, 1, 0]]
    """
    clip, frame = _identity(n, frames)
    return FrameEdit("reverse", clip, frame[:, ::-1].copy())


def shuffle(n: int, frames: int, seed: int = 0) -> FrameEdit:
    """Put the frames of each clip in a random order of its own, never the old one.

    Raises:
        InputError: clips of one frame.

    >>> sorted(shuffle(1, 5).frame[0].tolist())
    [0, 1, 2, 3, 4]
    """
    if frames < 2:
        raise InputError("a clip of one frame has no other order")
    rng = np.random.default_rng(seed)
    clip, frame = _identity(n, frames)
    order = np.arange(frames)
    for i in range(n):
        while (frame[i] == order).all():
            frame[i] = rng.permutation(frames)
    return FrameEdit("shuffle", clip, frame)


def drop(n: int, frames: int, at: Sequence[int]) -> FrameEdit:
    """Lose frames, as a player does: the last frame before stays on; before the first kept one, that one is shown.

    Raises:
        InputError: a frame that is not there, or if none is left.

    >>> drop(1, 5, at=[2, 3]).frame.tolist()
    [[0, 1, 1, 1, 4]]
    """
    lost = np.unique(_numbers(at, frames))
    kept = np.setdiff1d(np.arange(frames), lost)
    if not kept.size:
        raise InputError(f"all {frames} frames would be dropped; keep one or more")
    clip, frame = _identity(n, frames)
    frame[:] = kept[np.maximum(np.searchsorted(kept, np.arange(frames), side="right") - 1, 0)]
    return FrameEdit("drop", clip, frame)


def replace(n: int, frames: int, at: Sequence[int], donors: ArrayLike) -> FrameEdit:
    """Show, at the frames `at`, the same frames of another clip: `donors` (n,), its row for each clip.

    Raises:
        InputError: a frame or a clip that is not there.

    >>> replace(2, 4, at=[1], donors=[1, 0]).clip.tolist()  # which clip each frame is of
    [[0, 1, 0, 0], [1, 0, 1, 1]]
    """
    clip, frame = _identity(n, frames)
    clip[:, np.unique(_numbers(at, frames))] = check_donors(donors, n)[:, None]
    return FrameEdit("replace", clip, frame)


def random_donors(n: int, seed: int = 0) -> np.ndarray:
    """Another clip (n,) for each clip: one random cycle, so that nobody gets their own and each is given once.

    Raises: InputError for fewer than two clips.

    >>> random_donors(3).tolist()
    [2, 0, 1]
    """
    if n < 2:
        raise InputError(f"{n} clip has no other one to take from; give two or more")
    order = np.random.default_rng(seed).permutation(n)
    donors = np.empty(n, np.int64)
    donors[order] = np.roll(order, 1)
    return donors


def check_donors(donors: ArrayLike, n: int) -> np.ndarray:
    """Rows (n,) of clips that exist.

    Raises: InputError.
    """
    rows = np.asarray(donors)
    if rows.shape != (n,) or rows.dtype.kind not in "iu" or (rows < 0).any() or (rows >= n).any():
        raise InputError(f"donors {np.array2string(rows, threshold=5)} do not name one of the {n} clips for each clip")
    return rows


def _identity(n: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(n)[:, None], frames, 1), np.repeat(np.arange(frames)[None], n, 0)


def _numbers(at: ArrayLike, frames: int) -> np.ndarray:
    numbers = np.asarray(at)
    if not numbers.size or numbers.dtype.kind not in "iu" or (numbers < 0).any() or (numbers >= frames).any():
        raise InputError(
            f"frames {np.array2string(numbers)} are not all among 0 to {frames - 1}; name frames that the model reads"
        )
    return numbers
