"""When a clip's frames are drawn, and the version of what is drawn; apart from the renderer, which needs far more libraries."""

import numpy as np

GENERATOR_VERSION = 2
"""Raised with every change that alters the pixels or the truth of a script; part of every cache key."""


def render_times(n: int, duration: float = 2.0) -> np.ndarray:
    """Centres (n,) in seconds of n equal segments of a clip of `duration` seconds.

    >>> render_times(4).tolist()
    [0.25, 0.75, 1.25, 1.75]
    """
    return (np.arange(n) + 0.5) * duration / n
