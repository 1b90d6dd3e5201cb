"""Figures in words: what tables and axes say of an interval and of its null, and tables in Markdown."""

import math
from collections.abc import Sequence

from ifdd.plain import markdown_line
from workbench.results.interval import Interval, number_text


def interval_text(figure: Interval | float | None, null: float | None = None) -> str:
    """0.42 [0.40, 0.44], in round brackets the null where there is one; a dash for what is not known.

    A figure without an interval may be given as a number.

    >>> interval_text(Interval(0.42, 0.4, 0.44), 0.1), interval_text(0.42), interval_text(None)
    ('0.42 [0.40, 0.44] (0.10)', '0.42', '–')
    """
    found = figure if figure is None or isinstance(figure, Interval) else Interval(figure, math.nan, math.nan)
    if found is None or math.isnan(found.value):
        return "–"
    text = number_text(found.value)
    if not math.isnan(found.low):
        text += f" [{number_text(found.low)}, {number_text(found.high)}]"
    return text if null is None or math.isnan(null) else beside(text, number_text(null))


def beside(text: str, null: str) -> str:
    """A figure, and in round brackets what nothing would give."""
    return f"{text} ({null})"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown, in which no cell can begin anything else.

    >>> markdown_table(["", "a"], [["b", "1"]])
    ['|  | a |', '| --- | --- |', '| b | 1 |']
    """
    return ["| " + " | ".join(map(markdown_line, cells)) + " |" for cells in (header, ["---"] * len(header), *rows)]
