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
        return self.text(".1f", 100, " %")

    def text(self, form: str = ".2f", scale: float = 1.0, unit: str = "") -> str:
        """The value with its bounds; "(no interval)" where there are none, a dash where there is no value."""
        if self.value != self.value:  # NaN is not itself
            return "–"
        value = f"{scale * self.value:{form}}{unit}"
        if self.low != self.low or self.high != self.high:
            return f"{value} (no interval)"
        return f"{value} [{scale * self.low:{form}}, {scale * self.high:{form}}]"


NOT_KNOWN = Interval(float("nan"), float("nan"), float("nan"))
