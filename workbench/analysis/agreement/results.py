"""What a look at agreement returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class PairAgreement(Result):
    """Two models on the same clips. `same`: share of the clips that both call alike, in [0, 1].

    `chance`: the share that two models would call alike which say each class as often, whatever the clip. `kappa`: Cohen's,
    (same − chance)/(1 − chance), at most 1; NaN where both say one class alone.
    """

    first: str
    second: str
    same: Interval
    chance: float
    kappa: Interval
    counts: NDArray[np.int64]  # (C, C) clips by what the first (rows) and the second (columns) says
    differ: NDArray[np.int64]  # (m,) rows of the clips that they call differently

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first}, {self.second}"


@dataclass(frozen=True, eq=False)
class AgreementResult(Result):
    """Several models on the same n clips: what each says of each clip, and how far each two agree.

    `units` says what the 95 % intervals are over.
    """

    label_names: tuple[str, ...]
    clip_ids: tuple[str, ...]
    predicted: dict[str, NDArray[np.int64]]  # each (n,)
    pairs: tuple[PairAgreement, ...]
    units: str
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: n, what the intervals are over, and what chance is."""
        return f"n = {len(self.clip_ids)}; 95 % intervals {self.units}; kappa: 0 is what chance gives, 1 is full agreement"
