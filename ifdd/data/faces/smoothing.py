"""What was seen in some frames as a course over all: gaps bridged, the last one held, jitter taken out."""

import numpy as np

LOST_AFTER = 5
"""Frames in a row without a detection that make a face lost: its last box is held. Shorter gaps are bridged linearly."""
SIGMA_PLACE, SIGMA_SIZE = 2.0, 6.0  # frames; a face moves faster than it grows


def fill(frames: np.ndarray, squares: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Squares (count, 3) for all frames, and where the face is lost and the last one is held."""
    index = np.arange(count)
    last = np.clip(np.searchsorted(frames, index, side="right") - 1, 0, None)
    following = np.clip(np.searchsorted(frames, index, side="left"), None, len(frames) - 1)
    missed = np.where(index < frames[0], frames[0], frames[following] - frames[last] - 1)
    missed[index > frames[-1]] = count - 1 - frames[-1]
    held = missed >= LOST_AFTER
    held[frames] = False
    between = np.column_stack([np.interp(index, frames, column) for column in squares.T])
    return np.where(held[:, None], squares[last], between), held


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Median of 5 against single misfits, then a Gaussian of `sigma` frames; the ends are repeated."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    values = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0), axis=-1)
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.column_stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T])
