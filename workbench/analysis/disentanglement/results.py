"""What measures of disentanglement return."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ifdd.errors import InputError
from workbench.analysis.counterfactuals.results import Effect, Stability
from workbench.analysis.performance.results import MetricsResult
from workbench.results.bootstrap import spread
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

Target = Literal["intensity", "motion"]
Group = Literal["D", "S", "D − S"]
GROUPS: tuple[Group, ...] = ("D", "S", "D − S")
"""Whose reading is scored: each group alone, and how much more the dynamic one reads."""
TARGETS: tuple[Target, ...] = ("intensity", "motion")
OTHERS = "other clips"
PLACES = ("other clips'", "own mean", "half-way", "even-odd", "told")
WHERE = ("D", "S", "D and S")
"""Whose places are replaced; the other group keeps its own."""


@dataclass(frozen=True, eq=False)
class SplitScore(Result):
    """How well one reader's `group` finds the frames of one truth; `clips`: those with active and other frames."""

    reader: str
    group: Group
    target: Target
    level: str
    auroc: Interval
    ap: Interval
    clips: int


@dataclass(frozen=True, eq=False)
class SplitQualityResult(Result):
    """Scores of the model and of the readers to compare it with.

    `occupancy_D`, `occupancy_S` (T',): mean reading weight of each feature frame. `without` clips have no emotion to find
    (neutral). `intensity_D`, `intensity_S`: mean true intensity where each group reads, as a share of the clip's maximum;
    `intensity_reference`: the same of "uniform" reading, of "D, other clips" and "S, other clips", and of "D, told", "S, told".
    """

    scores: tuple[SplitScore, ...]
    occupancy_D: np.ndarray
    occupancy_S: np.ndarray
    intensity_D: Interval
    intensity_S: Interval
    intensity_reference: dict[str, Interval]
    clips: int
    without: int
    provenance: Provenance

    def score(self, reader: str = "model", target: Target = "intensity", level: str = "all", *, group: Group = "D") -> SplitScore:
        """One row; of the dynamic group alone unless `group` says otherwise.

        Raises:
            InputError: one that is not there.
        """
        for row in self.scores:
            if (row.reader, row.target, row.level, row.group) == (reader, target, level, group):
                return row
        raise InputError(
            f"no score of {reader}, {target}, {level}, {group}; readers: "
            f"{', '.join(dict.fromkeys(r.reader for r in self.scores))}; groups: {', '.join(GROUPS)}"
        )


@dataclass(frozen=True, eq=False)
class Probe(Result):
    """One feature, one factor. `raw` is balanced accuracy or R²; `classes` is None for a number; `held_out` says by what.

    `null`: the score with features of other clips, where there is nothing to find.
    """

    feature: str
    factor: str
    score: Interval
    null: float
    raw: float
    classes: int | None
    held_out: str


@dataclass(frozen=True, eq=False)
class ProbeMatrix(Result):
    """Probes of all features and factors.

    `samples` (features, factors, resamples) are bootstrap scores drawn together; they are in no file.
    `told`: factor → score of a feature that is told it, the positive control.
    """

    probes: tuple[Probe, ...]
    features: tuple[str, ...]
    factors: tuple[str, ...]
    dimensions: int
    told: dict[str, Interval]
    notes: tuple[str, ...]
    provenance: Provenance
    samples: np.ndarray | None = field(default=None, compare=False)

    def probe(self, feature: str, factor: str) -> Probe:
        """One cell.

        Raises:
            InputError: one that is not there.
        """
        row, column = self._place(feature, factor)
        return self.probes[row * len(self.factors) + column]

    def leakage(self, feature: str, nuisances: Sequence[str]) -> Interval:
        """Mean score of the nuisance factors from one feature.

        Raises:
            InputError: a cell that is not there.
        """
        cells = [self._at(feature, factor) for factor in nuisances]
        return spread(float(np.mean([value for value, _ in cells])), np.mean([samples for _, samples in cells], axis=0))

    def leakage_null(self, feature: str, nuisances: Sequence[str]) -> float:
        """Mean null of the nuisance factors.

        Raises:
            InputError: a cell that is not there.
        """
        return float(np.mean([self.probe(feature, factor).null for factor in nuisances]))

    def gap(self, dynamic: str, static: str, wanted: str, nuisances: Sequence[str]) -> Interval:
        """½[(wanted_D − wanted_S) + (nuisance_S − nuisance_D)]: 1 where each branch holds its own and nothing else.

        Raises:
            InputError: a cell that is not there.
        """
        parts = [(self._at(dynamic, wanted), 0.5), (self._at(static, wanted), -0.5)]
        for factor in nuisances:
            parts += [(self._at(static, factor), 0.5 / len(nuisances)), (self._at(dynamic, factor), -0.5 / len(nuisances))]
        value = sum(weight * cell[0] for cell, weight in parts)
        return spread(float(value), np.asarray(sum(weight * cell[1] for cell, weight in parts)))

    def gap_null(self, dynamic: str, static: str, wanted: str, nuisances: Sequence[str]) -> float:
        """The gap of the nulls.

        Raises:
            InputError: a cell that is not there.
        """
        of_wanted = self.probe(dynamic, wanted).null - self.probe(static, wanted).null
        return 0.5 * (of_wanted + self.leakage_null(static, nuisances) - self.leakage_null(dynamic, nuisances))

    def gap_told(self, wanted: str, nuisances: Sequence[str]) -> float:
        """The gap of branches told their own and nothing else.

        Raises:
            InputError: a factor that is not there.
        """
        if missing := [name for name in (wanted, *nuisances) if name not in self.told]:
            raise InputError(f"no probe of {missing[0]!r}; factors: {', '.join(self.factors)}")
        return 0.5 * (self.told[wanted].value + float(np.mean([self.told[name].value for name in nuisances])))

    def _at(self, feature: str, factor: str) -> tuple[float, np.ndarray]:
        place = self._place(feature, factor)
        if self.samples is None:
            raise InputError(
                "probes that were read from a file lack their bootstrap; measure them again with workbench scorecard"
            )
        return self.probe(feature, factor).score.value, self.samples[place]

    def _place(self, feature: str, factor: str) -> tuple[int, int]:
        if feature not in self.features or factor not in self.factors:
            there = f"features: {', '.join(self.features)}; factors: {', '.join(self.factors)}"
            raise InputError(f"no probe of {factor!r} from {feature!r}; {there}")
        return self.features.index(feature), self.factors.index(factor)


@dataclass(frozen=True, eq=False)
class LocalisationScore(Result):
    """One kind of map.

    `share` of its energy inside the mask; `ratio`, that share over the share of pixels inside (1 is chance); `pointing`, the
    share of frames whose largest value lies inside; `regions`, the share of energy by region over the share of pixels.
    """

    name: str
    share: Interval
    ratio: Interval
    pointing: Interval
    regions: dict[str, Interval]


@dataclass(frozen=True, eq=False)
class LocalisationResult(Result):
    """Scores over the `clips` whose mask is not empty, `frames` of them in all; `without` clips have an empty mask."""

    scores: tuple[LocalisationScore, ...]
    clips: int
    frames: int
    without: int
    provenance: Provenance

    def score(self, name: str) -> LocalisationScore:
        """One row.

        Raises:
            InputError: one that is not there.
        """
        for row in self.scores:
            if row.name == name:
                return row
        raise InputError(f"no score of {name!r}; there are {', '.join(row.name for row in self.scores)}")


@dataclass(frozen=True, eq=False)
class DependenceResult(Result):
    """Debiased linear CKA of two features of the same n clips: 0 unrelated (may fall below), 1 equal up to rotation and scale.

    `null`: the same with the second feature of other people's clips.
    """

    cka: Interval
    null: float
    n: int
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class PlaceSwap(Result):
    """UAR with the places of `group` replaced, and how far that is from the UAR with the model's own, paired clip by clip."""

    group: str
    places: str
    uar: Interval
    change: Interval


@dataclass(frozen=True, eq=False)
class PlaceSwapResult(Result):
    """UAR of one variant, mean over its seeds, with its own places and with others."""

    own: Interval
    swaps: tuple[PlaceSwap, ...]
    seeds: int

    def swap(self, group: str, places: str) -> PlaceSwap:
        """One row.

        Raises:
            InputError: one that is not there.
        """
        for row in self.swaps:
            if (row.group, row.places) == (group, places):
                return row
        raise InputError(
            f"no swap of {group!r} for {places!r}; there are {', '.join(f'{s.group}: {s.places}' for s in self.swaps)}"
        )


@dataclass(frozen=True, eq=False)
class Scorecard(Result):
    """Measures of one checkpoint; None where `skipped` says why, or where a baseline has nothing of the kind.

    `gap` and `leakage` are of the model's branches; `…_null`: the same of other clips' features, `…_told`: of branches that are
    told the truth. `levels` are the metrics by share of irrelevant frames, where the manifest knows it. `mixing`: share of what a
    feature frame sees that lies in its own clip frames; `chance_mixing` if it saw all alike.
    `notes`: what a reader of the numbers has to know of the clips.
    """

    checkpoint: str
    sha256: str
    clips: int
    data_hash: str
    metrics: MetricsResult
    split: SplitQualityResult | None
    probes: ProbeMatrix | None
    leakage: Interval | None
    leakage_null: float | None = field(default=None, kw_only=True)
    leakage_told: float | None = field(default=None, kw_only=True)
    gap: Interval | None
    gap_null: float | None = field(default=None, kw_only=True)
    gap_told: float | None = field(default=None, kw_only=True)
    maps: LocalisationResult | None
    dependence: DependenceResult | None
    stability: Stability | None
    levels: dict[str, MetricsResult]
    order: tuple[Effect, ...]
    patches: tuple[Effect, ...]
    mixing: Interval | None
    chance_mixing: float | None
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()
