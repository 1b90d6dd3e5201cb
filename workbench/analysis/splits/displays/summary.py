"""Splits of several checkpoints compared: a table, the places of every step, class-wise occupancy, and what the places follow."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ifdd.timing import to_clip_frames
from workbench.analysis.splits.displays.timeline import GROUP_NAMES
from workbench.analysis.splits.results import CONTENT, TOLD, SplitPlaces, SplitSummary
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, new_grid, same_labels
from workbench.plotting.numbers import FOR_CLICKS
from workbench.plotting.text import interval_text, markdown_table
from workbench.results.interval import NOT_KNOWN, Interval

COLUMNS = 3
STILL_ROW = "offsets at zero"
"""The last row of occupancy: what is read where no step moves, even frames with S and odd ones with D."""
READING = (
    "Square brackets: 95 % intervals over persons. Round brackets: what nothing would give: copies, content, motion, places of "
    "other people's clips; clips dealt to other persons. –: not known here, or it never moves.",
    "",
    "- **awareness**: share of the places' variance that lies between clips, not between copies of one (mirrored, brighter …); "
    "told the clip: if all its copies were read at one place. **motion energy**, told it: of a D that reads the half of the "
    "frames with most.",
    "- **R²**: how well a linear model knows the places of people never seen: 1 all, below 0 worse than their mean, as with few "
    "clips; *content*: from the features X of every frame; *beyond identity*: for what deviates from a person's own mean.",
    "- **reading weight between classes**: share of its variance; with one clip of each class it is 100 % whatever is read.",
)


class SplitStepsDisplay(NamedDisplay[SplitSummary | SplitPlaces]):
    """Where each step begins (circle) and is really read (triangle, mean ± standard deviation over clips), in clip frames."""

    def _draw(self, ax: Any) -> None:
        columns = min(COLUMNS, len(self.results))
        rows = math.ceil(len(self.results) / columns)
        tall = 1.1 + 0.24 * max(len(result.steps) for result in self.results.values())
        axes = new_grid(ax, rows, columns, 3.4 * columns + 0.8, tall * rows)
        for panel in axes.flat[len(self.results) :]:
            panel.set_axis_off()
        for panel, (name, result) in zip(axes.flat, self.results.items(), strict=False):
            for height, step in enumerate(result.steps):
                colour = style.branch_colour(step.group)
                panel.plot(step.initial_clip, height, "o", markerfacecolor="none", color=colour)
                panel.errorbar(step.sample_clip, height, xerr=step.sample_clip_sd, fmt="^", color=colour, elinewidth=1.2)
            panel.set_yticks(range(len(result.steps)), [f"{step.group} {step.number}" for step in result.steps])
            panel.set(xlim=(-0.7, result.frames - 0.3), xlabel="clip frame", ylabel="step")
            panel.invert_yaxis()
            panel.set_title(_title(name, result), fontsize="medium")
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Panels beside each other."""
        titles = [_title(name, result) for name, result in self.results.items()]
        figure = make_subplots(1, len(self.results), subplot_titles=titles)
        for column, result in enumerate(self.results.values(), 1):
            for group in ("D", "S"):
                steps = [step for step in result.steps if step.group == group]
                names, colour = [f"{group} {step.number}" for step in steps], style.branch_colour(group)
                first = column == 1
                figure.add_scatter(
                    x=[s.initial_clip for s in steps],
                    y=names,
                    mode="markers",
                    name=f"{group}: initial index",
                    marker={"symbol": "circle-open", "size": 9, "color": colour},
                    showlegend=first,
                    row=1,
                    col=column,
                )
                figure.add_scatter(
                    x=[s.sample_clip for s in steps],
                    y=names,
                    mode="markers",
                    name=f"{group}: read here",
                    error_x={"array": [s.sample_clip_sd for s in steps]},
                    showlegend=first,
                    marker={"symbol": "triangle-up", "size": 10, "color": colour},
                    row=1,
                    col=column,
                )
        tall = max(len(result.steps) for result in self.results.values())
        figure.update_layout(
            template=style.plotly_template(), height=130 + 26 * tall, margin={"t": 60, "l": 10, "r": 10, "b": 10}
        )
        figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.12, "yanchor": "bottom"})
        figure.update_xaxes(title="clip frame")
        figure.update_yaxes(title="step", autorange="reversed")
        return figure


class OccupancyDisplay(NamedDisplay[SplitSummary | SplitPlaces]):
    """How much of each feature frame the dynamic (left) and the static group (right) read, by class; one row for each model."""

    def _draw(self, ax: Any) -> None:
        names = same_labels({name: result.occupancy for name, result in self.results.items()})
        tall = 0.95 + 0.24 * len(names)
        axes = new_grid(ax, len(self.results), 2, 7.6, tall * len(self.results) + 0.3)
        top = self._top()
        for row, (name, result) in zip(axes, self.results.items(), strict=True):
            found = result.occupancy
            for panel, group, values in zip(row, ("D", "S"), (found.dynamic, found.static), strict=True):
                image = panel.imshow(values, cmap=style.SEQUENTIAL, vmin=0, vmax=top, aspect="auto")
                centres = to_clip_frames(np.arange(values.shape[1]), result.frames)
                panel.set_xticks(range(values.shape[1]), [f"{centre:g}" for centre in centres])
                counts = [f"{label} ({n})" for label, n in zip(names, found.counts, strict=True)]
                panel.set_yticks(range(len(names)), counts if group == "D" else [])
                panel.set(
                    xlabel="feature frame, centre in clip frames", ylabel=f"{result.classes} (clips)" if group == "D" else ""
                )
                panel.label_outer(remove_inner_ticks=False)
                above = name if group == "D" else f"{_share(result)} between classes"
                panel.set_title(f"{above}\n{group}: {GROUP_NAMES[group]}".strip(), fontsize="medium")
        self.ax_, self.figure_ = axes, axes[0, 0].figure
        self.figure_.colorbar(image, ax=list(axes.flat), label="mean reading weight", shrink=0.8)

    def _top(self) -> float:
        return max(float(np.nanmax([r.occupancy.dynamic, r.occupancy.static])) for r in self.results.values())

    def to_plotly(self, links: Mapping[str, Mapping[str, str]] | None = None) -> go.Figure:
        """Heat maps of both groups, one row for each model; below the classes, what is read where nothing follows the clip.

        `links`: model → class → the selection that a click on a cell makes, as text.
        """
        names = same_labels({name: result.occupancy for name, result in self.results.items()})
        words = [f"{group}: {word}" for group, word in GROUP_NAMES.items()]
        titles = [title for name in self.results for title in (f"{name} {words[0]}".strip(), *words[1:])]  # two would not fit
        rows = len(self.results)
        figure = make_subplots(
            rows, 2, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.3 / (rows + 1)
        )
        for row, (name, result) in enumerate(self.results.items(), 1):
            found = result.occupancy
            still = (result.still_D, result.still_S) if isinstance(result, SplitPlaces) else (None, None)
            for column, (values, fixed) in enumerate(zip((found.dynamic, found.static), still, strict=True), 1):
                centres = [f"{c:g}" for c in to_clip_frames(np.arange(values.shape[1]), result.frames)]
                labels = [f"{label} ({n})" for label, n in zip(names, found.counts, strict=True)]
                figure.add_heatmap(
                    z=values if fixed is None else np.vstack((values, fixed)),
                    x=centres,
                    y=labels if fixed is None else [*labels, STILL_ROW],
                    zmin=0,
                    zmax=self._top(),
                    colorscale=style.SEQUENTIAL,
                    colorbar={"title": "mean reading<br>weight"},
                    showscale=row == column == 1,
                    hovertemplate="%{y}, clip frame %{x}: %{z:.2f}<extra></extra>",
                    row=row,
                    col=column,
                )
                told = (
                    [(x, label, links[name][own]) for own, label in zip(names, labels, strict=True) for x in centres]
                    if links
                    else []
                )
                figure.add_scatter(
                    x=[x for x, _, _ in told],
                    y=[label for _, label, _ in told],
                    customdata=[link for _, _, link in told],
                    mode="markers",
                    marker={"symbol": "square", "size": 20, "color": "rgba(0, 0, 0, 0)", "line": {"width": 0}},
                    selected={"marker": {"color": "rgba(240, 228, 66, 0.45)"}},
                    unselected={"marker": {"opacity": 0}},
                    hovertemplate="%{y}<br>click: its clips<extra></extra>",
                    meta=FOR_CLICKS,
                    showlegend=False,
                    row=row,
                    col=column,
                )
            figure.update_xaxes(range=[-0.5, len(centres) - 0.5], row=row)  # points would widen it
            figure.update_yaxes(range=[len(labels) - 0.5 + (fixed is not None), -0.5], row=row)
            figure.update_yaxes(title=f"{result.classes} (clips)", row=row, col=1)
        figure.update_layout(template=style.plotly_template(), height=110 + 26 * (len(names) + 1) * rows + 70 * (rows - 1))
        figure.update_layout(margin={"t": 40, "l": 10, "r": 10, "b": 10}, clickmode="event+select", dragmode=False)
        figure.update_xaxes(title="clip frame", type="category", showgrid=False)
        figure.update_yaxes(type="category", showgrid=False)
        return figure


class SplitScoresDisplay(NamedDisplay[SplitSummary]):
    """What the places of each model follow, with 95 % intervals; a grey bar marks what nothing would give.

    What no model has (beyond identity, where persons are not known) has no row.
    """

    def _draw(self, ax: Any) -> None:
        rows = self._known_rows()
        self.ax_ = new_grid(ax, 1, 1, 7.4, 1.2 + 0.3 * len(rows) * max(1, len(self.results) / 3))[0, 0]
        self.figure_ = self.ax_.figure
        for index, (name, result) in enumerate(self.results.items()):
            look = {"fmt": style.model_marker(index), "color": style.model_colour(index)}
            still = " (never moves)" if math.isnan(result.awareness.icc.value) else ""
            self.ax_.errorbar([], [], xerr=[], label=f"{name}{still}", **look)
            for height, (_, cells) in enumerate(rows):
                interval, null = cells[index]
                if math.isnan(interval.value):
                    continue
                place = height + self._shift(index)
                if not math.isnan(null):
                    self.ax_.plot([null, null], [place - 0.1, place + 0.1], color=style.GREY, lw=2.5, alpha=0.5)
                arms = [[max(interval.value - interval.low, 0)], [max(interval.high - interval.value, 0)]]
                self.ax_.errorbar(interval.value, place, xerr=None if math.isnan(interval.low) else arms, **look)
        self.ax_.plot([], [], color=style.GREY, lw=2.5, alpha=0.5, label="what nothing would give")
        self.ax_.axvline(0, color="0.5", lw=0.8, ls=":")
        self.ax_.set_yticks(range(len(rows)), [title for title, _ in rows])
        self.ax_.set(xlabel="share of the variance, or correlation", ylabel="", xlim=(None, 1.05))
        self.ax_.invert_yaxis()
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1.01, 1))

    def _known_rows(self) -> list[tuple[str, list[tuple[Interval, float]]]]:
        rows = score_rows(self.results)
        return [row for row in rows if row is rows[0] or any(not math.isnan(interval.value) for interval, _ in row[1])]

    def _shift(self, index: int) -> float:
        return 0.7 * ((index + 0.5) / len(self.results) - 0.5)

    def to_plotly(self) -> go.Figure:
        """The same points; hollow grey ones are what nothing would give."""
        rows = self._known_rows()
        figure = go.Figure()
        for index, name in enumerate(self.results):
            found = [cells[index] for _, cells in rows]
            heights = [height + self._shift(index) for height in range(len(rows))]
            hover = [f"{title.strip()}: {interval_text(*cell)}" for (title, _), cell in zip(rows, found, strict=True)]
            symbol, colour = style.PLOTLY_MARKERS[style.model_marker(index)], style.model_colour(index)
            figure.add_scatter(
                x=[null for _, null in found],
                y=heights,
                mode="markers",
                name=f"{name}: what nothing would give",
                text=hover,
                hovertemplate="%{text}<extra></extra>",
                marker={"color": style.GREY, "symbol": f"{symbol}-open", "size": 9},
            )
            figure.add_scatter(
                x=[value.value for value, _ in found],
                y=heights,
                mode="markers",
                name=name,
                text=hover,
                hovertemplate="%{text}<extra></extra>",
                marker={"color": colour, "symbol": symbol, "size": 10},
                error_x={
                    "array": [value.high - value.value for value, _ in found],
                    "arrayminus": [value.value - value.low for value, _ in found],
                    "color": colour,
                    "thickness": 1,
                    "width": 0,
                },
            )
        figure.add_vline(0, line={"dash": "dot", "color": "gray"})
        figure.update_layout(template=style.plotly_template(), height=110 + 26 * len(rows) * max(1, len(self.results) // 2))
        figure.update_xaxes(title="share of the variance, or correlation")
        titles = [title.replace("  ", "… ") for title, _ in rows]
        figure.update_yaxes(
            title="measure", tickvals=list(range(len(rows))), ticktext=titles, range=[len(rows) - 0.5, -0.5], zeroline=False
        )
        return figure

    def numbers(self) -> pd.DataFrame:
        """A row for each measure and model."""
        return pd.DataFrame(
            [
                {"measure": title.replace("  ", "… "), "model": name, "value": found.value}
                | {"low": found.low, "high": found.high, "by chance": null}
                for title, cells in self._known_rows()
                for name, (found, null) in zip(self.results, cells, strict=True)
            ]
        )


def score_rows(results: Mapping[str, SplitSummary]) -> list[tuple[str, list[tuple[Interval, float]]]]:
    """What is measured, and for each model its value with interval and its null."""
    found = list(results.values())
    rows = [
        ("awareness, ICC", [(r.awareness.icc, r.awareness.null) for r in found]),
        ("awareness, ICC, told the clip", [(_point(r.awareness.told), math.nan) for r in found]),
    ]
    for name in dict.fromkeys(score.content for r in found for score in r.content):
        scores = [next((s for s in r.content if s.content == name), None) for r in found]
        what, told, _ = name.partition(TOLD)
        title = f"{'content' if what == CONTENT else what} R²{told}"
        rows.append((title, [(s.r2, s.null) if s else (NOT_KNOWN, math.nan) for s in scores]))
        rows.append(("  beyond identity", [(s.within, s.within_null) if s else (NOT_KNOWN, math.nan) for s in scores]))
    return [
        *rows,
        ("between persons", [(r.person_share, r.person_null) for r in found]),
        ("r with motion energy", [(r.motion.correlation, r.motion.null) for r in found]),
        ("r with motion energy, told it", [(_point(r.motion.told), math.nan) for r in found]),
    ]


def markdown(results: Mapping[str, SplitSummary]) -> str:
    """One column for each checkpoint, with 95 % intervals and, in round brackets, what nothing would give."""
    found = list(results.values())
    rows = [("split", [r.kind for r in found]), ("clips", [str(r.clips) for r in found])]
    for title, cells in score_rows(results):
        rows.append((title.strip(), [interval_text(interval, null) for interval, null in cells]))
    rows += [
        ("places between clips, feature frames", [f"{r.awareness.between:.2f}" for r in found]),
        ("places within the copies of a clip", [f"{r.awareness.within:.2f}" for r in found]),
    ]
    for name in dict.fromkeys(name for r in found for name in r.stability):
        rows.append((f"places move, clip {name} (in brackets: to other people's clips)", [_moves(r, name) for r in found]))
    motions = [result.motion for result in found]
    rows += [
        ("motion energy where D reads (1: the clip's mean)", [interval_text(m.energy_D, m.energy_D_null) for m in motions]),
        ("motion energy where S reads", [interval_text(m.energy_S, m.energy_S_null) for m in motions]),
        ("motion energy where D and S would read, told it", [_told_energy(r) for r in found]),
        ("mean offset, feature frames", [f"{np.mean([abs(s.offset) for s in r.steps]):.2f}" for r in found]),
        ("offsets at the end of their range", ["–" if math.isnan(r.saturated) else f"{100 * r.saturated:.0f} %" for r in found]),
        ("read elsewhere than asked for", [f"{100 * r.elsewhere:.0f} %" for r in found]),
        ("reading weight between classes", [_share(r) for r in found]),
    ]
    lines = markdown_table(["", *results], [[title, *cells] for title, cells in rows])
    notes = [f"{name}: {note}." for name, result in results.items() for note in result.notes]
    return "\n".join(["# Splits", "", *lines, "", *READING, *([""] if notes else []), *notes]) + "\n"


def _title(name: str, result: SplitSummary | SplitPlaces) -> str:
    return f"{name}: {result.kind}" if name and name != result.kind else result.kind


def _point(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)


def _moves(result: SplitSummary, name: str) -> str:
    return interval_text(result.stability.get(name), result.apart)


def _told_energy(result: SplitSummary) -> str:
    return ", ".join(interval_text(value) for value in (result.motion.energy_D_told, result.motion.energy_S_told))


def _share(result: SplitSummary | SplitPlaces) -> str:
    """Share of the variance of the reading weights that lies between classes, and what chance gives."""
    found = result.occupancy
    value, low, high = found.class_share.value, found.class_share.low, found.class_share.high
    if math.isnan(value):
        return "–"
    bounds = "" if math.isnan(low) else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{100 * value:.0f} %{bounds} (chance {100 * found.class_null:.0f} %)"
