"""What tests of maps return."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ifdd.errors import InputError
from workbench.analysis.saliency.results import MapVerdicts, Similarity
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

Kind = Literal["probability", "logit"]
LIMIT = 0.5
"""A map of a network that has forgotten everything must be less like the trained one's than this, in rank correlation."""


@dataclass(frozen=True, eq=False)
class PerturbationScore(Result):
    """One order: areas under its curves and their `gap`, and by how much the gap exceeds that of the random order, paired.

    `deletion_curve`, `insertion_curve` (steps + 1,) are means over the clips. All in units of the score.
    """

    name: str
    control: bool
    deletion: Interval
    insertion: Interval
    gap: Interval
    beyond_random: Interval
    deletion_curve: np.ndarray
    insertion_curve: np.ndarray


@dataclass(frozen=True, eq=False)
class PerturbationResult(Result):
    """Curves of several orders over `n` clips; `fractions` (steps + 1,) of the units that are taken away, or shown.

    `kind` of score: the target's "probability", or the "logit" (or difference of two) that the maps explain; `whole` and
    `nothing` are its means with all units there and with none.
    """

    unit: str
    kind: Kind
    fill: str
    units: int
    n: int
    fractions: np.ndarray
    scores: tuple[PerturbationScore, ...]
    whole: float
    nothing: float
    provenance: Provenance

    def score(self, name: str) -> PerturbationScore:
        """One row.

        Raises:
            InputError: one that is not there.
        """
        for row in self.scores:
            if row.name == name:
                return row
        raise InputError(f"no order {name!r}; there are {', '.join(row.name for row in self.scores)}")


@dataclass(frozen=True, eq=False)
class RandomisationResult(Result):
    """Likeness to the trained network's maps; `cascading` and `independent` have one row a block, from the logits back.

    The last row of `cascading` is of a network that has forgotten everything. `n` clips.
    """

    method: str
    n: int
    cascading: tuple[Similarity, ...]
    independent: tuple[Similarity, ...]
    provenance: Provenance

    @property
    def passes(self) -> bool:
        """Whether the map changes when everything is forgotten: |ρ| below `LIMIT`, with its interval."""
        rank = self.cascading[-1].rank
        return bool((rank.value if np.isnan(rank.high) else rank.high) < LIMIT)

    @property
    def reason(self) -> str:
        """The verdict in words."""
        rank = self.cascading[-1].rank
        if np.isnan(rank.value):
            return "the map of a network that has forgotten everything is constant, so nothing can be compared"
        high = "" if np.isnan(rank.high) else f" (up to {rank.high:.2f})"
        much = "changes with" if self.passes else "hardly depends on"
        return f"the map {much} the learned parameters: rank correlation {rank.value:.2f}{high} after all are forgotten"


@dataclass(frozen=True, eq=False)
class FaithfulnessReport(MapVerdicts):
    """Verdicts of a checkpoint's maps, by method and activation, with the curves and likenesses that they rest on.

    `channels` by branch; `randomisation` and `labels_at_random` by map ("hirescam Y_D"). Of a model with several inputs `pixels`
    are those of the first that has maps, and `by_input` those of each, by its name.
    """

    pixels: PerturbationResult
    frames: PerturbationResult
    channels: dict[str, PerturbationResult]
    randomisation: dict[str, RandomisationResult]
    labels_at_random: dict[str, Similarity]
    by_input: dict[str, PerturbationResult] = field(default_factory=dict)

    @property
    def removed(self) -> dict[str, PerturbationResult]:
        """The curves in which parts of the clips are taken away, by what is."""
        return {found.unit: found for found in (*(self.by_input.values() or [self.pixels]), self.frames)}
