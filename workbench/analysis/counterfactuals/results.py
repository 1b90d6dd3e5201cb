"""What changes of clips and features return."""

from dataclasses import dataclass

import numpy as np

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class Effect(Result):
    """Effect of one intervention on the predictions of n clips.

    `change` is the total variation distance between the probabilities before and after, in [0, 1]; `flips` the share of clips
    whose predicted class changes.
    """

    name: str
    change: Interval
    flips: Interval


@dataclass(frozen=True, eq=False)
class Stability(Result):
    """How far the places that a split reads move, in feature frames, mean over steps and clips.

    `between` is how far clips of different people are apart: a split that does not depend on the clip has 0 there.
    """

    moved: dict[str, Interval]
    between: float


@dataclass(frozen=True)
class CounterfactualOptions:
    """How edits are measured: `shuffles` random orders of each clip for the order-sensitivity index, 0 leaves it out.

    `batch`: clips in one pass of the model; `seed`: of the orders and the bootstrap.
    """

    shuffles: int = 4
    batch: int = 8
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Counterfactual(Result):
    """Probabilities (n, C) of n clips after one edit; `change` (n,) is their total variation distance to those before.

    `flips` (n,): 1 where the predicted class changes. Of an edit that takes from several other clips, one after the other, all
    three are means over these donors.
    """

    name: str
    after: np.ndarray
    change: np.ndarray
    flips: np.ndarray
    mean: Effect


@dataclass(frozen=True, eq=False)
class CounterfactualResult(Result):
    """Probabilities (n, C) as the clips are, and after each edit.

    `order` (n,) is the order-sensitivity index of each clip: the total variation distance, in [0, 1], between the probabilities
    of the clip and of its shuffled frames, mean over `shuffles` random orders. A bag of frames has 0.
    """

    label_names: tuple[str, ...]
    clip_ids: tuple[str, ...]
    before: np.ndarray
    edits: tuple[Counterfactual, ...]
    order: np.ndarray | None
    order_sensitivity: Interval | None
    shuffles: int
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def n(self) -> int:
        """Number of clips."""
        return len(self.before)

    @property
    def table(self) -> list[dict[str, object]]:
        """One row for every clip and edit: the predicted class and its probability before and after, the change, and flips."""
        return [
            {
                "clip_id": clip,
                "edit": edit.name,
                "before": self.label_names[self.before[i].argmax()],
                "after": self.label_names[edit.after[i].argmax()],
                "p_before": float(self.before[i].max()),
                "p_after": float(edit.after[i, self.before[i].argmax()]),
                "change": float(edit.change[i]),
                "flips": float(edit.flips[i]),
            }
            for edit in self.edits
            for i, clip in enumerate(self.clip_ids)
        ]

    @property
    def caption(self) -> str:
        """One sentence: n, the measure, the order-sensitivity index."""
        index = ""
        if self.order_sensitivity is not None:
            index = f"; order-sensitivity index {self.order_sensitivity.text('.3f')}, {self.shuffles} random orders a clip"
        return f"n = {self.n}; change is the total variation distance of the probabilities, 0 to 1{index}"


@dataclass(frozen=True, eq=False)
class EditedClips(Result):
    """Counterfactuals of some clips of a manifest; `donors` are for each clip the ids of those that it took from.

    There are none where no edit takes from another clip. `frames` are those that drop and replace change. `data_hash` is of all
    clips of the manifest.
    """

    counterfactuals: CounterfactualResult
    donors: tuple[tuple[str, ...], ...]
    frames: tuple[int, ...]
    data_hash: str
