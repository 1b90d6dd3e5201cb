"""What comparisons return."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.performance.results import MetricsResult, PublishedRow
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

Against = Literal["class", "all"]


@dataclass(frozen=True)
class SearchOptions:
    """How `bad_slices` searches.

    `against`: what each clip is compared with, the recall of its class or the WAR; `bins` of numbers; `min_n` clips that a slice
    needs, inside and outside; `level`: chance of one false alarm; `n_draws` of random signs, by `seed`.
    """

    against: Against = "class"
    bins: int = 4
    min_n: int = 20
    level: float = 0.05
    n_draws: int = 2000
    seed: int = 0


RANKED_FROM = 3
"""Seeds from which a variant may be ranked."""


@dataclass(frozen=True, eq=False)
class Test(Result):
    """P-value of one comparison, and the same after Holm's correction for all pairs that were compared."""

    __test__ = False  # pytest would take it for one of its own

    p: float
    holm: float


@dataclass(frozen=True, eq=False)
class Flips(Result):
    """The m clips that two models call differently: row of the clip, class indexes, probability of the true class (or NaN)."""

    rows: NDArray[np.int64]  # (m,)
    clip_ids: tuple[str, ...]
    true: NDArray[np.int64]  # (m,)
    first: NDArray[np.int64]  # (m,) predicted by the first model
    second: NDArray[np.int64]  # (m,)
    p_first: np.ndarray  # (m,) probability of the true class
    p_second: np.ndarray  # (m,)

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each clip: "gained" (only the second model is right), "lost" (only the first), "other" (both are wrong)."""
        both = np.where(self.second == self.true, "gained", np.where(self.first == self.true, "lost", "other"))
        return tuple(both.tolist())


@dataclass(frozen=True, eq=False)
class ClassDifference(Result):
    """Difference of the recall of one class, second model minus first; all NaN where no clip has the class."""

    name: str
    n: int
    recall: Interval


@dataclass(frozen=True, eq=False)
class PairResult(Result):
    """Second model minus first, on the same clips; differences are shares in [−1, 1].

    `mcnemar` tests WAR and takes clips as independent. `swap_war` and `swap_uar` exchange the models at random, by clip or by
    whole group. `detectable_*` is the smallest true difference that so many clips, or groups, show with 80 % probability at the
    5 % level; NaN if none is.
    """

    first: str
    second: str
    war: Interval
    uar: Interval
    recalls: tuple[ClassDifference, ...]
    only_first: int  # clips that only the first model has right
    only_second: int
    mcnemar: Test
    swap_war: Test
    swap_uar: Test
    detectable_war: float
    detectable_uar: float
    moves: np.ndarray  # (C, C) clips by the class that the first model says (rows) and the second one (columns)
    flips: Flips

    @property
    def name(self) -> str:
        """As differences are written: second − first."""
        return f"{self.second} − {self.first}"


@dataclass(frozen=True, eq=False)
class ComparisonResult(Result):
    """Several models on the same n clips: each one's metrics, and the difference of each pair."""

    n: int
    n_groups: int | None
    label_names: tuple[str, ...]
    models: dict[str, MetricsResult]
    pairs: tuple[PairResult, ...]
    resampling: str
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: n, how the intervals were made, which test."""
        test = "exact McNemar and random exchange" if self.n_groups is None else "random exchange of whole groups"
        holm = f", Holm over {len(self.pairs)} pairs" if len(self.pairs) > 1 else ""
        return f"n = {self.n}; 95 % intervals from {self.resampling}; p-values: {test}{holm}"


@dataclass(frozen=True, eq=False)
class Slice(Result):
    """The n clips with one level of a factor, or one of each of two factors, and how one model does on them.

    `expected` is the accuracy that its classes alone would give (or the WAR, when compared with all clips), `gap` the accuracy
    minus that. `p` is one-sided, for a slice that is worse; `p_adjusted` holds for all slices that were looked at together.
    Outside a search both are NaN.
    """

    terms: tuple[tuple[str, str], ...]
    n: int
    n_groups: int | None
    war: Interval
    expected: float
    gap: float
    p: float = float("nan")
    p_adjusted: float = float("nan")

    @property
    def name(self) -> str:
        """Its terms in words."""
        return " and ".join(f"{factor} = {level}" for factor, level in self.terms)


@dataclass(frozen=True, eq=False)
class SliceResult(Result):
    """Slices by model, in the order of the factors and of their levels."""

    n: int
    models: dict[str, tuple[Slice, ...]]
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class SearchResult(Result):
    """The `slices` of one model, the most certain first (at most 50), out of `looked_at`; `found` are those below the level."""

    n: int
    slices: tuple[Slice, ...]
    looked_at: int
    min_n: int
    against: Against
    level: float
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def found(self) -> tuple[Slice, ...]:
        """Slices that are worse, with the chance of one false among them at most `level`."""
        return tuple(item for item in self.slices if item.p_adjusted <= self.level)


@dataclass(frozen=True, eq=False)
class ComparisonReport(Result):
    """Several models on the same clips, their slices and the bad ones by model; what could not be told stands in `notes`.

    `published` are rows of papers that are shown beside the models; no test knows of them.
    """

    comparison: ComparisonResult
    slices: SliceResult | None
    searches: dict[str, SearchResult]
    notes: tuple[str, ...]
    provenance: Provenance
    published: tuple[PublishedRow, ...] = ()


@dataclass(frozen=True, eq=False)
class SeedScore(Result):
    """Mean over seeds of WAR and UAR; `each` is the UAR by seed; `n` clips, the same for every seed."""

    n: int
    war: Interval
    uar: Interval
    each: tuple[float, ...]

    @property
    def ranked(self) -> bool:
        """Whether there are seeds enough to rank it."""
        return len(self.each) >= RANKED_FROM


@dataclass(frozen=True, eq=False)
class SeedDifference(Result):
    """Second variant minus first: means over seeds of the differences of WAR and UAR, in [−1, 1]; `each` is the UAR's by seed.

    `each` is empty where the seeds of the two are no pairs.
    """

    n: int
    war: Interval
    uar: Interval
    each: tuple[float, ...]
