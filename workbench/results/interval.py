"""A figure with its 95 % interval: the unit in which analyses speak."""

from dataclasses import dataclass

from workbench.results.result import Result


def number_text(value: float, form: str = ".2f") -> str:
    """A number as text and tables write it: with a minus sign, and no sign of 0.00.

    >>> number_text(-0.021), number_text(-0.001), number_text(1.5, "+.1f"), number_text(0.001, "+.2f")
    ('−0.02', '0.00', '+1.5', '0.00')
    """
    text = f"{value:{form}}"
    return (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")


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
        value, low, high = (number_text(scale * number, form) for number in (self.value, self.low, self.high))
        if self.low != self.low or self.high != self.high:
            return f"{value}{unit} (no interval)"
        return f"{value}{unit} [{low}, {high}]"


NOT_KNOWN = Interval(float("nan"), float("nan"), float("nan"))
