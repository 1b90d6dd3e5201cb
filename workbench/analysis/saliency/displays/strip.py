"""Where the model looks, frame by frame: the film strip of a clip."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from workbench.analysis.saliency.displays.heat import (
    METHODS,
    STRENGTH,
    Pictures,
    badge_colour,
    badges_note,
    below,
    by_input,
    conventions,
    draw_badge,
    hatch,
    overlay,
    peak_of,
    ramp,
    remarks_on,
    row_name,
    scaling,
)
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.splits.results import SplitResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid
from workbench.plotting.images import data_uri

PER_LINE = 16
"""Frames in one line of a film strip."""
TITLE = 90
"""Letters of a title that fit, however wide; a longer one is shortened in its middle."""
CAPTION = 130
"""Letters of a line below the strip."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a film strip: `images` (T, H, W, 3) uint8; `marks` (n,) clip frames that are read, empty without a split.

    `verdict` is written over it where its maps were tested.
    """

    name: str
    images: np.ndarray
    marks: np.ndarray
    verdict: Verdict | None = None


class FilmStrip(Display):
    """The frames of one clip and, below them, the maps of each branch; 16 frames a line.

    `rows` and `seconds` (T,) are what is drawn; `peak` is the value of the strongest colour; `hatched` tells whether any
    frame is unread.
    """

    def __init__(
        self,
        rows: tuple[Row, ...],
        seconds: np.ndarray,
        *,
        title: str,
        caption: str,
        peak: float,
        hatched: bool,
        remarks: tuple[str, ...] = (),
        source: str = "",
    ) -> None:
        self.rows, self.seconds = rows, np.asarray(seconds, float)
        self.title, self.caption, self.peak, self.hatched = title, caption, peak, hatched
        self.remarks, self.source = remarks, source

    def provenance(self) -> str:
        """Return the provenance of the maps, a line each."""
        return self.source

    @classmethod
    def from_results(
        cls,
        pictures: Pictures,
        seconds: np.ndarray,
        results: Mapping[str, SaliencyResult],
        *,
        label: str,
        title: str = "",
        split: SplitResult | None = None,
        clip: int = 0,
        verdicts: Mapping[str, Verdict] | None = None,
    ) -> Self:
        """Film strip of one clip: its frames, `seconds` (T,), maps by branch, the class that they speak for.

        `verdicts` by branch are those of maps that were tested; a map that fails says so on its row.
        """
        found = verdicts or {}
        peak = peak_of(results, clip)
        read_at = {} if split is None else {group: frames[clip] for group, frames in split.input_frames().items()}
        nowhere = np.empty(0)
        rows = [Row(name, images, nowhere) for name, images in by_input(pictures).items()]
        for branch, result in results.items():
            images = overlay(below(pictures, result), result, clip, peak)
            rows.append(Row(row_name(result), images, read_at.get(branch, nowhere), found.get(branch)))
        hatched = any(not result.read[clip].all() for result in results.values())
        strip = cls(
            tuple(rows),
            seconds,
            title=title,
            caption=conventions(results, label),
            peak=peak,
            hatched=hatched,
            remarks=(
                *dict.fromkeys(remark for result in results.values() for remark in remarks_on(result)),
                *filter(None, [badges_note(found[branch] for branch in results if branch in found)]),
            ),
            source="\n".join(dict.fromkeys(r.provenance.to_json() for r in results.values() if r.provenance is not None)),
        )
        strip.normalisation = scaling(results)
        return strip

    @property
    def _badged(self) -> bool:
        return any(row.verdict is not None for row in self.rows)

    def _lines(self) -> Iterator[range]:
        frames = len(self.seconds)
        for first in range(0, frames, PER_LINE):
            yield range(first, min(first + PER_LINE, frames))

    def _draw(self, ax: Any) -> None:
        lines = list(self._lines())
        if ax is None:
            self.figure_, self.ax_ = self._layout(len(lines))
        else:
            self.ax_ = new_grid(ax, len(lines) * len(self.rows), 1, 0, 0)[:, 0]
            self.figure_ = self.ax_[0].figure
        axes = iter(self.ax_)
        for chosen in lines:
            for index, row in enumerate(self.rows):
                self._draw_row(next(axes), row, chosen, times=index == 0)

    def _layout(self, lines: int) -> tuple[Figure, np.ndarray]:
        """A figure whose cells have the shape of the frames, with the caption below; inches throughout."""
        height, width = self.rows[0].images.shape[1:3]
        columns = min(len(self.seconds), PER_LINE)
        cell, left, gap, head, title = 16 / columns, 0.75, 0.5 if self._badged else 0.24, 0.3, 0.45
        foot = 0.85 + 0.24 * max(len(self._caption_lines()) - 2, 0)
        strip = cell * height / width
        line = len(self.rows) * (strip + gap) + head
        wide, tall = left + 16.3, title + lines * line + foot
        figure = Figure(figsize=(wide, tall))
        title_text = self.title if len(self.title) <= TITLE else f"{self.title[: TITLE // 2]} … {self.title[-TITLE // 2 :]}"
        figure.text(left / wide, 1 - 0.12 / tall, title_text, ha="left", va="top", fontsize=14, parse_math=False)
        axes = []
        for number in range(lines):
            upper = tall - title - number * line - head
            for index in range(len(self.rows)):
                bottom = upper - (index + 1) * strip - index * gap
                axes.append(figure.add_axes((left / wide, bottom / tall, 16 / wide, strip / tall)))
        bar = figure.add_axes((left / wide, (foot - 0.35) / tall, 2.2 / wide, 0.15 / tall))
        self._draw_bar(bar)
        caption = "\n".join(self._caption_lines())
        figure.text(
            (left + 2.6) / wide,
            (foot - 0.15) / tall,
            caption,
            ha="left",
            va="top",
            fontsize=12,
            linespacing=1.4,
            parse_math=False,
        )
        return figure, np.array(axes)

    def _draw_bar(self, bar: Axes) -> None:
        bar.imshow(ramp(), extent=(0, self.peak, 0, 1), aspect="auto")
        bar.set(yticks=[])
        bar.set_xticks([0, self.peak / 2, self.peak], [f"{value:.3g}" for value in (0, self.peak / 2, self.peak)], fontsize=10)

    def _caption_lines(self) -> list[str]:
        lines = [self.caption, *self.remarks]
        if any(len(row.marks) for row in self.rows):
            lines.append("▲ where the group's steps read" + ("; hatched edge: no step reads this frame" if self.hatched else ""))
        return [part for line in lines for part in textwrap.wrap(line, CAPTION)]

    def _draw_row(self, axes: Axes, row: Row, chosen: range, *, times: bool) -> None:
        first, last = chosen.start - 0.5, chosen.stop - 0.5
        axes.imshow(_montage(row, chosen), extent=(first, last, 0, 1), aspect="auto", interpolation="nearest")
        axes.vlines([frame + 0.5 for frame in chosen[:-1]], 0, 1, color="white", linewidth=1)
        axes.set(xlim=(first, first + min(len(self.seconds), PER_LINE)), ylim=(0, 1), yticks=[], xticks=[])
        axes.spines[:].set_visible(False)
        axes.set_ylabel("", rotation=0, ha="right", va="center", fontsize=14).set(**style.symbol(row.name.replace(" ", "\n")))
        if times:
            axes.xaxis.tick_top()
            axes.set_xticks(chosen, [f"{self.seconds[frame]:.2f} s" for frame in chosen], fontsize=11)
            axes.tick_params(length=0)
        if times is False and row.verdict is not None and chosen.start == 0:
            draw_badge(axes, row.verdict)
        marks = row.marks[(row.marks >= first) & (row.marks < last)]
        if len(marks):
            axes.plot(marks, np.full(len(marks), -0.09), "^", color="black", markersize=8, clip_on=False)

    def to_plotly(self) -> go.Figure:
        """Return the strip for a web page."""
        lines = list(self._lines())
        names = [row.name for _ in lines for row in self.rows]
        tall = 80 + (110 if self._badged else 90) * len(names)
        apart = max(0.02 if len(names) == len(self.rows) else 0.04, 24 / tall if self._badged else 0)
        figure = make_subplots(len(names), 1, vertical_spacing=apart)
        height, width = self.rows[0].images.shape[1:3]
        for number, (chosen, row) in enumerate(((chosen, row) for chosen in lines for row in self.rows), start=1):
            figure.add_trace(
                go.Image(
                    source=data_uri(_montage(row, chosen)), dx=1 / width, dy=1 / height, x0=chosen.start - 0.5, hoverinfo="skip"
                ),
                number,
                1,
            )
            if row.verdict is not None and chosen.start == 0:
                figure.add_annotation(
                    text=row.verdict.badge,
                    x=chosen.start - 0.5,
                    y=0,
                    xanchor="left",
                    yanchor="bottom",
                    showarrow=False,
                    font={"color": "white", "size": 11},
                    bgcolor=badge_colour(row.verdict),
                    row=number,
                    col=1,
                )
            figure.update_yaxes(title=row.name, showticklabels=False, ticks="", row=number, col=1)
            last = number % len(self.rows) == 0  # times once, below the rows of a line
            figure.update_xaxes(
                tickvals=list(chosen),
                ticktext=[f"{self.seconds[frame]:.2f} s" for frame in chosen],
                constrain="domain",
                showticklabels=last,
                ticks="",
                row=number,
                col=1,
            )
        figure.update_layout(template=style.plotly_template(), title=self.title, height=tall, margin={"t": 40, "b": 40})
        return figure


def _montage(row: Row, chosen: range) -> np.ndarray:
    return np.concatenate(list(row.images[chosen.start : chosen.stop]), axis=1)


__all__ = [
    "METHODS",
    "STRENGTH",
    "FilmStrip",
    "Row",
    "badge_colour",
    "badges_note",
    "conventions",
    "draw_badge",
    "hatch",
    "overlay",
    "peak_of",
    "ramp",
    "remarks_on",
    "row_name",
]
