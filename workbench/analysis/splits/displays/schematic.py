"""Split variants as schematics, drawn from what they really did with one clip.

From the bottom: the feature frames of X, each shown by the clip frame at its centre; the operator of the variant, I for linear
interpolation, ⊗ for an element-wise product; above the steps of X_D, below those of X_S, each showing the blend of frames that it
reads. A line's width is the weight of a frame in a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from ifdd.errors import InputError
from ifdd.timing import to_clip_frames
from workbench.analysis.splits.results import SplitKind, SplitResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid
from workbench.plotting.images import data_uri

_HEIGHTS = {"D": 2.2, "X": 0.0, "S": -2.2}
_SIDE = 0.9  # of a picture
_SHOWN = 0.02  # a thinner line is not drawn


@dataclass(frozen=True, eq=False)
class Panel:
    """One variant: steps T', K of a group, grid (h, w), pictures of X (T', h, w, 3), weights (K, T') by group, places read."""

    name: str
    operator: str
    rule: str
    grid: tuple[int, int]
    pictures: np.ndarray
    weights: dict[str, np.ndarray]
    places: dict[str, np.ndarray]  # (K,) clip frames
    frame_weight: np.ndarray | None

    def blend(self, group: str) -> np.ndarray:
        """What each step reads, as a mixture of the pictures (K, h, w, 3) uint8."""
        mixed = np.einsum("kt,thwc->khwc", self.weights[group], self.pictures.astype(np.float64))
        return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


class SplitSchematicDisplay(Display):
    """One column for each variant; `panels` is what is drawn."""

    def __init__(self, panels: tuple[Panel, ...], source: str = "") -> None:
        if not panels:
            raise InputError("no split to draw; pass one by name")
        self.panels = panels
        self.source = source

    @classmethod
    def from_result(
        cls,
        results: Mapping[str, SplitResult],
        kinds: Mapping[str, SplitKind],
        grids: Mapping[str, tuple[int, int]],
        frames: Mapping[str, np.ndarray],
        clip: int = 0,
        source: str = "",
    ) -> Self:
        """Take the splits of one clip by name, the kind of each, the grid of X and the frames (T, H, W, 3) uint8 it saw."""
        panels = []
        for name, result in results.items():
            if len(frames[name]) != result.frames:
                raise InputError(f"{name}: {len(frames[name])} frames for a model of {result.frames}; pass those it saw")
            kind = kinds[name]
            weights = {group: getattr(result, f"weights_{group}")[clip] for group in ("D", "S")}
            centres = np.round(to_clip_frames(np.arange(weights["D"].shape[1]), result.frames)).astype(int)
            pictures = frames[name][np.clip(centres, 0, result.frames - 1)]
            places = {group: values[clip] for group, values in result.input_frames().items()}
            weight = None if result.frame_weight is None else result.frame_weight[clip]
            title = f"{name}: {kind.name}" if name and name != kind.name else kind.name
            panels.append(Panel(title, kind.operator, kind.rule, grids[name], pictures, weights, places, weight))
        return cls(tuple(panels), source)

    def provenance(self) -> str:
        """What was drawn, as the caller told."""
        return self.source

    def _draw(self, ax: Any) -> None:
        count = len(self.panels)
        columns = min(3, count)
        rows = -(-count // columns)
        axes = new_grid(ax, rows, columns, 4.4 * columns, 3.05 * rows)
        for index, panel in enumerate(axes.flat):
            panel.set_axis_off()
            if index < count:
                self.draw_panel(panel, self.panels[index])
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def draw_panel(self, axes: Any, panel: Panel) -> None:
        """One variant into axes: frames of X in the middle, steps of D above and of S below."""
        steps = len(panel.pictures)
        for t, picture in enumerate(panel.pictures):
            _image(axes, picture, t, _HEIGHTS["X"], "0.2")
            if panel.frame_weight is not None:
                share = panel.frame_weight[t] / panel.frame_weight.max()
                axes.bar(t, 0.6 * share, width=0.3, bottom=0.55, color=style.GREY, alpha=0.8, zorder=4)
        for group in ("D", "S"):
            colour, height = style.branch_colour(group), _HEIGHTS[group]
            sign = np.sign(height)
            for k, (picture, at) in enumerate(zip(panel.blend(group), _columns(panel, group), strict=True)):
                _image(axes, picture, at, height, colour)
                axes.text(
                    at,
                    height + sign * 0.62,
                    f"{panel.places[group][k]:.1f}",
                    ha="center",
                    va="center",
                    fontsize="x-small",
                    color=colour,
                )
                for t, weight in enumerate(panel.weights[group][k]):
                    if weight > _SHOWN:
                        ends = [sign * _SIDE / 2, height - sign * _SIDE / 2]
                        axes.plot([t, at], ends, color=colour, lw=2.2 * weight, alpha=0.75, zorder=1)
            size = f"$X_{group}$  {len(panel.weights[group])}×{panel.grid[0]}×{panel.grid[1]}"
            axes.text(steps - 0.3, height, size, color=colour, va="center", fontsize="small", parse_math=True)
            if panel.operator:
                axes.text(
                    -0.95,
                    height / 2,
                    panel.operator,
                    ha="center",
                    va="center",
                    fontsize="medium",
                    bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": colour},
                )
        axes.text(steps - 0.3, 0, f"$X$  {steps}×{panel.grid[0]}×{panel.grid[1]}", va="center", fontsize="small", parse_math=True)
        axes.set(xlim=(-1.4, steps + 1.9), ylim=(-3.0, 3.0), aspect="equal")
        axes.set_title(f"{panel.name}\n{panel.rule}", fontsize="small")

    def to_plotly(self) -> go.Figure:
        """The variants below each other; hover tells weights and places."""
        figure = go.Figure()
        for row, panel in enumerate(self.panels):
            down = -7.0 * row
            for t, picture in enumerate(panel.pictures):
                _plotly_image(figure, picture, t, down)
            for group in ("D", "S"):
                colour, height = style.branch_colour(group), _HEIGHTS[group] + down
                at, sign = _columns(panel, group), np.sign(_HEIGHTS[group])
                for k, picture in enumerate(panel.blend(group)):
                    _plotly_image(figure, picture, at[k], height)
                    for t, weight in enumerate(panel.weights[group][k]):
                        if weight > _SHOWN:
                            figure.add_scatter(
                                x=[t, at[k]],
                                y=[down + sign * 0.45, height - sign * 0.45],
                                mode="lines",
                                line={"color": colour, "width": 3 * weight},
                                showlegend=False,
                                hoverinfo="skip",
                            )
                text = [f"{group} {k + 1}: reads clip frame {place:.2f}" for k, place in enumerate(panel.places[group])]
                figure.add_scatter(
                    x=at,
                    y=[height] * len(at),
                    mode="markers",
                    text=text,
                    hovertemplate="%{text}<extra></extra>",
                    marker={"size": 26, "opacity": 0},
                    name=f"{panel.name} {group}",
                    showlegend=False,
                )
            title = f"{panel.name}: {panel.rule}" if panel.rule else panel.name
            figure.add_annotation(x=-0.5, y=down + 3.2, text=title, xanchor="left", showarrow=False)
        figure.update_layout(
            template=style.plotly_template(), height=60 + 420 * len(self.panels), margin={"t": 10, "l": 40, "r": 10, "b": 40}
        )
        steps = max(len(panel.pictures) for panel in self.panels)
        figure.update_xaxes(title="feature frame", showgrid=False, zeroline=False, range=[-1, steps], constrain="domain")
        figure.update_yaxes(
            title="S below, D above",
            showticklabels=False,
            ticks="",
            showgrid=False,
            zeroline=False,
            scaleanchor="x",
            range=[-7.0 * (len(self.panels) - 1) - 3, 3.8],
        )
        return figure


def _columns(panel: Panel, group: str) -> np.ndarray:
    """Where the K steps stand: evenly, between the frames that they begin at."""
    return 2.0 * np.arange(len(panel.weights[group])) + 0.5


def _image(axes: Any, picture: np.ndarray, x: float, y: float, edge: str) -> None:
    half = _SIDE / 2
    axes.imshow(picture, extent=(x - half, x + half, y - half, y + half), origin="upper", zorder=2)
    axes.plot(
        [x - half, x + half, x + half, x - half, x - half],
        [y - half, y - half, y + half, y + half, y - half],
        color=edge,
        lw=1,
        zorder=3,
    )


def _plotly_image(figure: go.Figure, picture: np.ndarray, x: float, y: float) -> None:
    figure.add_layout_image(
        source=data_uri(picture),
        x=x,
        y=y,
        xref="x",
        yref="y",
        sizex=_SIDE,
        sizey=_SIDE,
        xanchor="center",
        yanchor="middle",
        layer="above",
    )
