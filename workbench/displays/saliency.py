"""Where the model looks, frame by frame: heat over the pixels, and the film strip of a clip.

The heat is drawn over a gray picture, so that every colour in it means evidence. A frame that no step of a group reads is
hatched: nothing is known there, which is not the same as no evidence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from workbench.analysis.saliency import SaliencyResult
from workbench.analysis.splits import SplitResult
from workbench.displays import style
from workbench.displays.base import Display, new_grid
from workbench.displays.images import data_uri

COLOURMAP = "inferno"
STRENGTH = 0.75
"""Opacity of the strongest heat."""
PER_LINE = 16
"""Frames in one line of a film strip."""
TITLE = 90
"""Letters of a title that fit, however wide; a longer one is shortened in its middle."""

_WEIGHTS = {"global": "channel weights averaged over all positions", "per-step": "channel weights averaged per time step"}
_NORMALISED = {"clip": "scaled by the clip's maximum", "frame": "each frame scaled by its own maximum", "none": "not scaled"}


def peak_of(results: Mapping[str, SaliencyResult], clip: int = 0) -> float:
    """The value drawn in the strongest colour: 1 for scaled maps, else the largest value, one for all branches."""
    if all(result.normalise != "none" for result in results.values()):
        return 1.0
    return max(float(result.frames[clip].max()) for result in results.values()) or 1.0


def overlay(pixels: np.ndarray, result: SaliencyResult, clip: int = 0, peak: float = 1.0) -> np.ndarray:
    """Draw a clip's maps over its pixels (T, H, W, 3) uint8; unread frames are hatched. Returns (T, H, W, 3) uint8.

    `peak` is the value that gets the strongest colour, see `peak_of`.
    Raises: InputError if pixels and maps are not of one shape.
    """
    heat = result.frames[clip]
    if pixels.shape != (*heat.shape, 3) or pixels.dtype != np.uint8:
        raise InputError(f"pixels {pixels.shape} {pixels.dtype} do not fit maps {heat.shape}; pass the clip that the maps are of")
    gray = np.repeat(_luminance(pixels)[..., None], 3, -1)
    share = np.clip(heat / peak, 0, 1)
    alpha = STRENGTH * share[..., None]
    colours = _colour_table()[np.rint(share * 255).astype(np.uint8)]
    drawn = np.rint(gray * (1 - alpha) + colours * alpha).astype(np.uint8)
    unread = ~result.read[clip]
    drawn[unread] = hatch(gray[unread])
    return drawn


def hatch(images: np.ndarray) -> np.ndarray:
    """Pale gray pictures (…, H, W, 3) with diagonal stripes."""
    height, width = images.shape[-3:-1]
    period = max(8, width // 8)
    stripes = (np.add.outer(np.arange(height), np.arange(width)) % period) < max(2, period // 5)
    pale = 150 + images * 0.35
    return np.where(stripes[..., None], 110, pale).astype(np.uint8)


def conventions(results: Mapping[str, SaliencyResult], label: str) -> str:
    """One sentence that states how the maps were made."""
    first = next(iter(results.values()))
    names = " and ".join(result.activation for result in results.values())
    return f"Grad-CAM of {names} for “{label}”; {_WEIGHTS[first.weights]}, {_NORMALISED[first.normalise]}"


def row_name(result: SaliencyResult) -> str:
    """The paper's symbol of an activation: `ladm.Y_D` → Y_D."""
    return result.activation.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class Row:
    """One row of a film strip: `images` (T, H, W, 3) uint8; `marks` (n,) clip frames that are read, empty without a split."""

    name: str
    images: np.ndarray
    marks: np.ndarray


class FilmStrip(Display):
    """The frames of one clip and, below them, the maps of each branch; 16 frames a line.

    `rows` and `seconds` (T,) are what is drawn; `peak` is the value of the strongest colour; `hatched` tells whether any
    frame is unread.
    """

    def __init__(
        self, rows: tuple[Row, ...], seconds: np.ndarray, *, title: str, caption: str, peak: float, hatched: bool
    ) -> None:
        self.rows, self.seconds = rows, np.asarray(seconds, float)
        self.title, self.caption, self.peak, self.hatched = title, caption, peak, hatched

    @classmethod
    def from_results(
        cls,
        pixels: np.ndarray,
        seconds: np.ndarray,
        results: Mapping[str, SaliencyResult],
        *,
        label: str,
        title: str = "",
        split: SplitResult | None = None,
        clip: int = 0,
    ) -> Self:
        """Film strip of one clip: `pixels` (T, H, W, 3) uint8, `seconds` (T,), maps by branch, the class that they speak for."""
        peak = peak_of(results, clip)
        read_at = {} if split is None else {group: frames[clip] for group, frames in split.input_frames().items()}
        nowhere = np.empty(0)
        rows = [Row("input", pixels, nowhere)]
        for branch, result in results.items():
            rows.append(Row(row_name(result), overlay(pixels, result, clip, peak), read_at.get(branch, nowhere)))
        hatched = any(not result.read[clip].all() for result in results.values())
        return cls(tuple(rows), seconds, title=title, caption=conventions(results, label), peak=peak, hatched=hatched)

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
        cell, left, gap, head, title, foot = 16 / columns, 0.75, 0.24, 0.3, 0.45, 0.85
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
        bar = figure.add_axes((left / wide, 0.5 / tall, 2.2 / wide, 0.15 / tall))
        bar.imshow(ramp(), extent=(0, self.peak, 0, 1), aspect="auto")
        bar.set(yticks=[])
        bar.set_xticks([0, self.peak / 2, self.peak], [f"{value:.3g}" for value in (0, self.peak / 2, self.peak)], fontsize=10)
        caption = "\n".join(self._caption_lines())
        figure.text((left + 2.6) / wide, 0.7 / tall, caption, ha="left", va="top", fontsize=12, linespacing=1.4, parse_math=False)
        return figure, np.array(axes)

    def _caption_lines(self) -> list[str]:
        lines = [self.caption]
        if any(len(row.marks) for row in self.rows):
            lines.append("▲ where the group's steps read" + ("; hatched: no step reads this frame" if self.hatched else ""))
        return lines

    def _draw_row(self, axes: Axes, row: Row, chosen: range, *, times: bool) -> None:
        first, last = chosen.start - 0.5, chosen.stop - 0.5
        axes.imshow(_montage(row, chosen), extent=(first, last, 0, 1), aspect="auto", interpolation="nearest")
        axes.vlines([frame + 0.5 for frame in chosen[:-1]], 0, 1, color="white", linewidth=1)
        axes.set(xlim=(first, first + min(len(self.seconds), PER_LINE)), ylim=(0, 1), yticks=[], xticks=[])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(_symbol(row.name), rotation=0, ha="right", va="center", fontsize=14)
        if times:
            axes.xaxis.tick_top()
            axes.set_xticks(chosen, [f"{self.seconds[frame]:.2f} s" for frame in chosen], fontsize=11)
            axes.tick_params(length=0)
        marks = row.marks[(row.marks >= first) & (row.marks < last)]
        if len(marks):
            axes.plot(marks, np.full(len(marks), -0.09), "^", color="black", markersize=8, clip_on=False)

    def to_plotly(self) -> go.Figure:
        """Return the strip for a web page."""
        lines = list(self._lines())
        names = [f"{row.name}" for _ in lines for row in self.rows]
        figure = make_subplots(len(names), 1, vertical_spacing=0.02 if len(names) == len(self.rows) else 0.04)
        height, width = self.rows[0].images.shape[1:3]
        for number, (chosen, row) in enumerate(((chosen, row) for chosen in lines for row in self.rows), start=1):
            figure.add_trace(
                go.Image(
                    source=data_uri(_montage(row, chosen)), dx=1 / width, dy=1 / height, x0=chosen.start - 0.5, hoverinfo="skip"
                ),
                number,
                1,
            )
            figure.update_yaxes(title=row.name, showticklabels=False, ticks="", row=number, col=1)
            last = number % len(self.rows) == 0  # times once, below the rows of a line
            figure.update_xaxes(
                tickvals=list(chosen), ticktext=[f"{self.seconds[frame]:.2f} s" for frame in chosen], constrain="domain",
                showticklabels=last, ticks="", row=number, col=1,
            )  # fmt: skip
        figure.update_layout(
            template=style.plotly_template(), title=self.title, height=80 + 90 * len(names), margin={"t": 40, "b": 40}
        )
        return figure


def _montage(row: Row, chosen: range) -> np.ndarray:
    return np.concatenate(list(row.images[chosen.start : chosen.stop]), axis=1)


def ramp() -> np.ndarray:
    """The colour scale as it looks over a medium gray, (1, 256, 3) uint8."""
    alpha = STRENGTH * np.linspace(0, 1, 256)[:, None]
    return np.rint(160 * (1 - alpha) + _colour_table() * alpha).astype(np.uint8)[None]


def _symbol(name: str) -> str:
    return f"${name}$" if "_" in name or len(name) == 1 else name


def _luminance(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


@cache
def _colour_table() -> np.ndarray:
    """(256, 3) float32, 0 to 255."""
    return np.asarray(mpl.colormaps[COLOURMAP](np.arange(256))[:, :3] * 255, np.float32)
