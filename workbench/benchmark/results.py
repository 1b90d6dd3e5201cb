"""What the benchmark of variants returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ifdd.errors import InputError
from ifdd.scripted.suites import SECOND
from workbench.analysis.comparison.results import SeedScore
from workbench.analysis.comparison.seeds import mean_over_seeds
from workbench.analysis.disentanglement.results import PlaceSwapResult
from workbench.results.interval import NOT_KNOWN, Interval, number_text
from workbench.results.provenance import Provenance
from workbench.results.result import Result

if TYPE_CHECKING:
    from workbench.store.reading import Reading

MEASURES = (
    "intensity D",
    "intensity S",
    "AUROC D",
    "AUROC S",
    "AUROC D − S",
    "AUROC motion D",
    "AUROC motion S",
    "spread of places",
    "content R²",
    "beyond identity",
    "intensity R²",
    "emotion D",
    "emotion S",
    "leakage D",
    "leakage S",
    "gap",
    "CKA",
)
"""Of a baseline's X those of D are given: emotion and leakage."""
SCHEMA = 2
"""Of benchmark.json. In 1 "content R²" regressed places on features averaged over time, and "AUROC emotion" was that of D − S."""
NOISY = {f"noisy-{round(100 * share):02d}{version}": share for version in ("", SECOND) for share in (0.0, 0.25, 0.5, 0.75)}
"""Suites, of two versions, that differ within a version in the share of irrelevant frames alone → that share."""
READS, HOLDS = MEASURES[:11], MEASURES[11:]
"""What the split reads; what the branches hold."""
TOLD_CONTROL, OTHERS_CONTROL, UNIFORM_CONTROL = "told the truth", "told of other people's clips", "every frame alike"

NO_PLACES = PlaceSwapResult(NOT_KNOWN, (), 0)
"""Of a model without a split."""


@dataclass(frozen=True, eq=False)
class SuiteResult(Result):
    """Scores by variant on one suite.

    `position`: signed AUROC of a frame's nearness to the clip's middle for frames that show the emotion, `position_null` where
    95 % of it lie by chance (`ifdd.scripted.position`). `readings` are not in its file.
    """

    suite: str
    clips: int
    hash: str
    position: float
    scores: dict[str, SeedScore]
    readings: "dict[str, Reading]" = field(default_factory=dict, compare=False, repr=False)
    position_null: tuple[float, float] = (float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class RobustnessResult(Result):
    """Scores of variants over suites; `members`: variant → its checkpoints, one for each seed."""

    members: dict[str, tuple[str, ...]]
    suites: tuple[SuiteResult, ...]
    provenance: Provenance

    def suite(self, name: str) -> SuiteResult:
        """Result of one suite.

        Raises: InputError if it was not measured.
        """
        for result in self.suites:
            if result.suite == name:
                return result
        raise InputError(f"suite {name!r} was not measured; measured: {', '.join(result.suite for result in self.suites)}")

    def of(self, variants: Sequence[str]) -> "RobustnessResult":
        """The same for some of the variants, in their order."""
        suites = tuple(replace(found, scores={name: found.scores[name] for name in variants}) for found in self.suites)
        return replace(self, members={name: self.members[name] for name in variants}, suites=suites)


@dataclass(frozen=True, eq=False)
class Figure(Result):
    """A figure by seed; `bounds` (low, high) of each, over persons; `null`: the same with what is of other people's clips."""

    each: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...] = ()
    null: tuple[float, ...] = ()

    @property
    def interval(self) -> Interval:
        """Mean over seeds with a 95 % interval: of one seed over persons; of more over persons and seeds.

        Persons are the same for all seeds, so that their variance is not made smaller by more seeds (`mean_over_seeds`).
        """
        known = [i for i, value in enumerate(self.each) if np.isfinite(value)]
        if not known:
            return Interval(float("nan"), float("nan"), float("nan"))
        bounds = [self.bounds[i] for i in known] if self.bounds else []
        if len(known) == 1:
            return Interval(self.each[known[0]], *(bounds[0] if bounds else (float("nan"), float("nan"))))
        widths = [(high - low) / 2 for low, high in bounds if np.isfinite(high - low)]
        return mean_over_seeds([self.each[i] for i in known], widths)

    def __str__(self) -> str:
        """Mean [95 % interval] and, in round brackets, what other people's clips give; a dash where it is not defined."""
        found = self.interval
        if not np.isfinite(found.value):
            return "–"
        text = number_text(found.value)
        if np.isfinite(found.low):
            text += f" [{number_text(found.low)}, {number_text(found.high)}]"
        known = [value for value in self.null if np.isfinite(value)]
        return text + (f" ({number_text(float(np.mean(known)))})" if known else "")


@dataclass(frozen=True, eq=False)
class VariantRow(Result):
    """One variant, of any schema version. `trained`: from scratch, tuned (the whole network, from a checkpoint) or frozen (what
    follows its backbone)."""

    variant: str
    checkpoints: tuple[str, ...]
    trained: str
    shown: str
    parameters: int
    macs: int
    minutes: Figure
    validation: Figure


@dataclass(frozen=True, eq=False)
class FamilyRow(VariantRow):
    """One variant with what it was measured to do.

    `measures`, on one suite, by the names of `MEASURES`; `places`, on the same clips: UAR with the places of each group replaced,
    no swaps without a split. `test`: UAR on the test clips of the checkpoint's own card. Rows that are kept from an earlier file
    have scores and no measures.
    """

    test: Figure
    measures: dict[str, Figure]
    places: PlaceSwapResult


@dataclass(frozen=True, eq=False)
class FamilyResult(Result):
    """Rows in the order of the checkpoints, and the scores of all of them over the suites.

    `controls`: name → measures as in a row, of what is told the truth (they must be high) and of knowing nothing.
    """

    rows: tuple[FamilyRow, ...]
    robustness: RobustnessResult
    scored: str
    controls: dict[str, dict[str, Figure]]
    schema_version: int = SCHEMA

    def row(self, variant: str) -> FamilyRow:
        """One variant. Raises: InputError for one that is not there."""
        for row in self.rows:
            if row.variant == variant:
                return row
        raise InputError(f"no variant {variant!r}; there are {', '.join(row.variant for row in self.rows)}")
