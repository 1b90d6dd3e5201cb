"""What measures of performance return."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class ClassRecall(Result):
    """Recall of one class; all NaN where no clip has the class."""

    name: str
    n: int
    recall: Interval


@dataclass(frozen=True, eq=False)
class MetricsResult(Result):
    """What one model reaches on n clips; all shares in [0, 1].

    WAR is the accuracy, UAR the mean recall of the classes that occur. `constant_*`: what always answering with the
    most frequent class would reach. `units`: what the intervals count as one observation, in words. `detectable_*`: the smallest
    difference from another model's score that so many clips show with 80 % probability at the 5 % level, NaN if none.
    """

    n: int
    label_names: tuple[str, ...]
    war: Interval
    uar: Interval
    recalls: tuple[ClassRecall, ...]
    confusion: np.ndarray  # (C, C) counts; rows true, columns predicted
    constant_class: str
    constant_war: float
    constant_uar: float
    units: str
    notes: tuple[str, ...]
    provenance: Provenance
    detectable_war: float = float("nan")
    detectable_uar: float = float("nan")

    @property
    def detectable(self) -> str:
        """The smallest differences of WAR and UAR that are seen, in points; a dash for none."""
        found = (self.detectable_war, self.detectable_uar)
        return ", ".join("–" if value != value else f"{100 * value:.1f}" for value in found)

    @property
    def caption(self) -> str:
        """One sentence: n, WAR, UAR, how the intervals were made, and the constant guess."""
        return (
            f"n = {self.n}; WAR {self.war}, UAR {self.uar} (95 % intervals {self.units}); "
            f"always {self.constant_class}: WAR {100 * self.constant_war:.1f} %, UAR {100 * self.constant_uar:.1f} %"
        )


@dataclass(frozen=True, eq=False)
class PublishedRow(Result):
    """What a paper prints of a method on a corpus, shares in [0, 1]: to stand beside numbers of ours, and in no test.

    `recalls` (C,) in the order of the labels, empty where none are printed. The interval of `war` is ours, binomial from the `n`
    official test clips; of UAR there is none.
    """

    name: str
    corpus: str
    n: int
    war: Interval
    uar: float
    recalls: NDArray[np.float64]
    protocol: str
    source: str

    @property
    def caption(self) -> str:
        """One sentence: what the row is of, and who says so."""
        return f"{self.name}: {self.corpus}, {self.protocol} ({self.source})"
