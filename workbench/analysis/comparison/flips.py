"""Which clips do two models call differently, from what to what?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class Flips(Result):
    """The m clips that two models call differently: row of the clip, class indexes, probability of the true class (or NaN)."""

    rows: np.ndarray  # (m,)
    clip_ids: tuple[str, ...]
    true: np.ndarray  # (m,)
    first: np.ndarray  # (m,) predicted by the first model
    second: np.ndarray  # (m,)
    p_first: np.ndarray  # (m,) probability of the true class
    p_second: np.ndarray  # (m,)

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each clip: "gained" (only the second model is right), "lost" (only the first), "other" (both are wrong)."""
        both = np.where(self.second == self.true, "gained", np.where(self.first == self.true, "lost", "other"))
        return tuple(both.tolist())


def find_flips(
    first: np.ndarray,
    second: np.ndarray,
    probs_first: np.ndarray,
    probs_second: np.ndarray,
    labels: np.ndarray,
    clip_ids: Sequence[str],
) -> Flips:
    """List the clips whose predicted class (n,) differs, in the order of the clips; inputs as `comparison.compare` checks them.

    `probs_*` are (n, C), or the predictions themselves where nothing else is known.
    """
    rows = np.flatnonzero(first != second)
    p_first, p_second = (
        p[rows, labels[rows]].astype(float) if p.ndim == 2 else np.full(len(rows), np.nan) for p in (probs_first, probs_second)
    )
    return Flips(rows, tuple(clip_ids[row] for row in rows.tolist()), labels[rows], first[rows], second[rows], p_first, p_second)
