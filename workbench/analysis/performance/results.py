"""What measures of performance return."""

from dataclasses import dataclass

import numpy as np

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
    most frequent class would reach. `units`: what the intervals count as one observation, in words.
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

    @property
    def caption(self) -> str:
        """One sentence: n, WAR, UAR, how the intervals were made, and the constant guess."""
        return (
            f"n = {self.n}; WAR {self.war}, UAR {self.uar} (95 % intervals {self.units}); "
            f"always {self.constant_class}: WAR {100 * self.constant_war:.1f} %, UAR {100 * self.constant_uar:.1f} %"
        )
