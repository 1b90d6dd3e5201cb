"""A figure with its 95 % interval: the unit in which analyses speak."""

from dataclasses import dataclass

from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class Interval(Result):
    """A share, or a difference of two, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return percent, as papers print it: 71.4 % [68.2, 74.5]."""
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"
