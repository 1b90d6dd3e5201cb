"""Which frames each group reads: the split of one clip along its time axis, and the correlation that ISSM made it from."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from ifdd.errors import InputError
from ifdd.timing import to_clip_frames
from workbench.analysis.splits.results import SplitResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes
from workbench.plotting.images import data_uri
from workbench.results.interval import number_text

GROUP_NAMES = {"D": "dynamic", "S": "static"}
_STEP = 0.8
"""Distance of two steps' lines; the groups are 1.6 apart."""
_MOVED = 0.05
"""Clip frames: a shorter arrow would be hidden below its ends."""


@dataclass(frozen=True)
class Step:
    """One step of a group: where it begins, what is asked for, and where it is read, in clip frames; `height` on the plot."""

    group: str
    number: int
    initial: float
    offset: float  # feature frames
    position: float
    sample: float
    seconds: float | None
    height: float


class SplitTimelineDisplay(Display):
    """Initial index (circle), offset (arrow) and the position really read (triangle) of every step of one clip.

    A bar marks a position that was asked for and is read elsewhere: beyond the clip's ends, or shifted as released.

    `steps` is what is drawn. With `seconds` (T,) of the frames a second time scale, with `thumbnails` (T, h, w, 3) uint8
    the frames above, with `intensity` (T,) in [0, 1] the true intensity of the expression below.
    """

    def __init__(
        self,
        result: SplitResult,
        clip: int = 0,
        *,
        seconds: np.ndarray | None = None,
        thumbnails: np.ndarray | None = None,
        intensity: np.ndarray | None = None,
    ) -> None:
        for name, value in (("seconds", seconds), ("thumbnails", thumbnails), ("intensity", intensity)):
            if value is not None and len(value) != result.frames:
                raise InputError(f"{name} has {len(value)} entries for {result.frames} clip frames; pass one for each")
        self.frames, self.seconds, self.thumbnails, self.intensity = result.frames, seconds, thumbnails, intensity
        self.steps = _steps(result, clip, seconds)

    @classmethod
    def from_result(cls, result: SplitResult, clip: int = 0, **extras: Any) -> Self:
        """Take the split of a batch and the index of one clip; `extras` as the constructor's."""
        return cls(result, clip, **extras)

    @property
    def _top(self) -> float:
        return max(step.height for step in self.steps) + 0.6

    @property
    def _bottom(self) -> float:
        return min(step.height for step in self.steps) - 0.6

    def _limits(self) -> tuple[float, float, float]:
        """Left and right end in clip frames, and the height of a thumbnail in units of y."""
        asked = [step.position for step in self.steps]
        left, right = min(-0.5, min(asked) - 0.3), max(self.frames - 0.5, max(asked) + 0.3)
        return left, right, 0.0 if self.thumbnails is None else 22 / (right - left)

    def _draw(self, ax: Any) -> None:
        left, right, tall = self._limits()
        self.ax_ = new_axes(ax, 9, 1.0 + 0.28 * (self._top - self._bottom + tall))
        self.figure_ = self.ax_.figure
        axes = self.ax_
        if self.intensity is not None:
            lower, span = self._bottom, self._top - self._bottom
            axes.fill_between(
                np.arange(self.frames), lower, lower + span * self.intensity, color="0.88", linewidth=0, label="true intensity"
            )
        for group in GROUP_NAMES:
            colour = style.branch_colour(group)
            steps = [step for step in self.steps if step.group == group]
            heights = [step.height for step in steps]
            axes.plot(
                [s.initial for s in steps], heights, "o", markerfacecolor="none", color=colour, label=f"{group}: initial index"
            )
            axes.plot([s.sample for s in steps], heights, "^", color=colour, markersize=7, label=f"{group}: read here")
            asked = [step for step in steps if abs(step.position - step.sample) > _MOVED]
            if asked:
                label = f"{group}: asked for, not read"
                axes.plot([s.position for s in asked], [s.height for s in asked], "|", color=colour, markersize=9, label=label)
            for step in steps:
                if abs(step.position - step.initial) > _MOVED:
                    arrow = {"arrowstyle": "->", "color": colour, "shrinkA": 3, "shrinkB": 0}
                    axes.annotate("", (step.position, step.height), (step.initial, step.height), arrowprops=arrow)
        if self.thumbnails is not None:
            for frame, image in enumerate(self.thumbnails):
                axes.imshow(
                    image,
                    extent=(frame - 0.48, frame + 0.48, self._top, self._top + tall),
                    aspect="auto",
                    zorder=1,
                    origin="upper",
                )
        axes.set(xlim=(left, right), ylim=(self._bottom, self._top + tall), xlabel="clip frame", ylabel="step")
        axes.set_yticks([step.height for step in self.steps], [f"{step.group} {step.number}" for step in self.steps])
        axes.set_xticks(range(self.frames))
        if self.seconds is not None:
            above = axes.secondary_xaxis("top")
            shown = range(0, self.frames, max(1, self.frames // 16))
            above.set_xticks(shown, [f"{self.seconds[frame]:.2f}" for frame in shown])
            above.set_xlabel("seconds")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))

    def to_plotly(self) -> go.Figure:
        """Return the timeline for a web page."""
        left, right, tall = self._limits()
        figure = go.Figure()
        if self.intensity is not None:
            lower, span = self._bottom, self._top - self._bottom
            frames = np.arange(self.frames)
            figure.add_scatter(
                x=frames, y=np.full(self.frames, lower), mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip"
            )
            figure.add_scatter(
                x=frames,
                y=lower + span * np.asarray(self.intensity),
                mode="lines",
                fill="tonexty",
                line={"width": 1, "color": "rgba(128, 128, 128, 0.6)"},
                fillcolor="rgba(128, 128, 128, 0.25)",
                name="true intensity",
                customdata=self.intensity,
                hovertemplate="frame %{x}: intensity %{customdata:.2f}<extra></extra>",
            )
        for group, word in GROUP_NAMES.items():
            steps = [step for step in self.steps if step.group == group]
            colour = style.branch_colour(group)
            for step in steps:
                if abs(step.position - step.initial) > _MOVED:
                    figure.add_annotation(
                        x=step.position,
                        y=step.height,
                        ax=step.initial,
                        ay=step.height,
                        xref="x",
                        yref="y",
                        axref="x",
                        ayref="y",
                        showarrow=True,
                        arrowhead=2,
                        arrowwidth=1.5,
                        arrowcolor=colour,
                        standoff=2,
                        text="",
                    )
            asked = [step for step in steps if abs(step.position - step.sample) > _MOVED]
            if asked:
                figure.add_scatter(
                    x=[s.position for s in asked],
                    y=[s.height for s in asked],
                    mode="markers",
                    name=f"{group} ({word}): asked for, not read",
                    marker={"symbol": "line-ns-open", "size": 12, "color": colour},
                    hovertemplate="asked for clip frame %{x:.2f}<extra></extra>",
                )
            heights = [step.height for step in steps]
            figure.add_scatter(
                x=[s.initial for s in steps],
                y=heights,
                mode="markers",
                name=f"{group} ({word}): initial index",
                marker={"symbol": "circle-open", "size": 10, "color": colour},
                hovertemplate="initial index, clip frame %{x:.2f}<extra></extra>",
            )
            figure.add_scatter(
                x=[s.sample for s in steps],
                y=heights,
                mode="markers",
                name=f"{group} ({word}): read here",
                marker={"symbol": "triangle-up", "size": 12, "color": colour},
                text=[_describe(step) for step in steps],
                hovertemplate="%{text}<extra></extra>",
            )
        if self.thumbnails is not None:
            for frame, image in enumerate(self.thumbnails):
                figure.add_layout_image(
                    source=data_uri(image),
                    x=frame,
                    y=self._top,
                    xref="x",
                    yref="y",
                    sizex=0.96,
                    sizey=tall,
                    xanchor="center",
                    yanchor="bottom",
                    sizing="contain",
                    layer="below",
                )
        ticks = range(0, self.frames, max(1, self.frames // 16))
        text = [f"{frame}" if self.seconds is None else f"{frame}<br>{self.seconds[frame]:.2f} s" for frame in ticks]
        figure.update_layout(
            template=style.plotly_template(),
            height=round(190 + 26 * len(self.steps) + 50 * tall),
            margin={"t": 20, "l": 55, "r": 10, "b": 40},
            legend={"orientation": "h", "y": -0.25},
        )
        figure.update_xaxes(title="clip frame", range=[left, right], tickvals=list(ticks), ticktext=text, zeroline=False)
        figure.update_yaxes(
            title="step",
            range=[self._bottom, self._top + tall],
            tickvals=[step.height for step in self.steps],
            ticktext=[f"{step.group} {step.number}" for step in self.steps],
            zeroline=False,
        )
        return figure


class CorrelationDisplay(Display):
    """Correlation between feature frames, as ISSM scales it before its two softmaxes; the axes are in clip frames."""

    def __init__(self, result: SplitResult, clip: int = 0) -> None:
        if result.correlation is None:
            raise InputError("this split reads fixed frames and has no correlation to display; choose a model with split='index'")
        self.correlation = result.correlation[clip]
        centres = to_clip_frames(np.arange(len(self.correlation)), result.frames)
        self.labels = [f"{centre:g}" for centre in centres]

    @classmethod
    def from_result(cls, result: SplitResult, clip: int = 0) -> Self:
        """Take the split of a batch and the index of one clip."""
        return cls(result, clip)

    def _draw(self, ax: Any) -> None:
        self.ax_ = new_axes(ax, 4.6, 3.8)
        self.figure_ = self.ax_.figure
        image = self.ax_.imshow(self.correlation, cmap=style.SEQUENTIAL)
        ticks = range(len(self.labels))
        self.ax_.set_xticks(ticks, self.labels)
        self.ax_.set_yticks(ticks, self.labels)
        self.ax_.set(xlabel="feature frame, centre in clip frames", ylabel="feature frame, centre in clip frames")
        self.figure_.colorbar(image, ax=self.ax_, label="scaled correlation of Z", shrink=0.85)

    def to_plotly(self) -> go.Figure:
        """Return the map for a web page."""
        figure = go.Figure(
            go.Heatmap(
                z=self.correlation,
                x=self.labels,
                y=self.labels,
                colorscale=style.SEQUENTIAL,
                hovertemplate="clip frames %{y} and %{x}: %{z:.3g}<extra></extra>",
                colorbar={"title": {"text": "scaled<br>correlation"}},
            )
        )
        figure.update_layout(template=style.plotly_template(), height=420, margin={"t": 20, "l": 40, "r": 10, "b": 40})
        figure.update_xaxes(title="feature frame, centre in clip frames", type="category", showgrid=False, constrain="domain")
        figure.update_yaxes(
            title="feature frame, centre in clip frames", type="category", autorange="reversed", showgrid=False, scaleanchor="x"
        )
        return figure


def _steps(result: SplitResult, clip: int, seconds: np.ndarray | None) -> tuple[Step, ...]:
    """Steps from top to bottom: the dynamic group above the static one."""
    steps = []
    height = 0.0
    for group in GROUP_NAMES:
        offset = getattr(result, f"offset_{group}")[clip]
        initial, position, sample = (
            to_clip_frames(getattr(result, f"{name}_{group}")[clip], result.frames) for name in ("initial", "position", "sample")
        )
        times = None if seconds is None else np.interp(sample, np.arange(result.frames), seconds)
        for k in range(len(offset)):
            at = None if times is None else float(times[k])
            steps.append(
                Step(group, k + 1, float(initial[k]), float(offset[k]), float(position[k]), float(sample[k]), at, height)
            )
            height -= _STEP
        height -= _STEP
    return tuple(steps)


def _describe(step: Step) -> str:
    lines = [
        f"{step.group} {step.number}: reads clip frame {step.sample:.2f}"
        + ("" if step.seconds is None else f" ({step.seconds:.2f} s)")
    ]
    lines.append(f"initial index: clip frame {step.initial:.2f}; offset {number_text(step.offset, '+.2f')} feature frames")
    lines.append(f"asked for clip frame {step.position:.2f}")
    return "<br>".join(lines)
