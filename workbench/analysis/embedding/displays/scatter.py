"""Picture of an embedding: clips as points, coloured by label, prediction or correctness."""

import textwrap
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.embedding.displays.colours import Colouring, Group, Groups, Ramp
from workbench.analysis.embedding.results import METHOD_NAMES, NO_LABEL, EmbeddingResult, PlacedClips
from workbench.plotting import style
from workbench.plotting.base import Display, check_length, new_axes

ColourBy = Literal["label", "prediction", "correct"]
WEBGL_CLIPS = 1000
_LEGEND_TITLES = {"label": "label", "prediction": "prediction", "correct": "prediction is"}


class EmbeddingDisplay(Display):
    """Scatter plot of an EmbeddingResult; `predicted` (n,) class indexes allow two further colourings, `colours` any.

    By default colours tell the label; of clips without labels the prediction, where it is known.
    """

    def __init__(
        self,
        result: EmbeddingResult,
        predicted: np.ndarray | None = None,
        colour_by: ColourBy | None = None,
        placed: PlacedClips | None = None,
        colours: Colouring | None = None,
    ) -> None:
        self.result = result
        self.predicted = predicted
        self.colour_by: ColourBy = colour_by or ("label" if result.has_labels or predicted is None else "prediction")
        self.placed = placed
        self.colours = colours

    @classmethod
    def from_result(
        cls,
        result: EmbeddingResult,
        predicted: ArrayLike | None = None,
        colour_by: ColourBy | None = None,
        *,
        placed: PlacedClips | None = None,
        colours: Colouring | None = None,
    ) -> Self:
        """Take a result and, if known, the predicted class index of each clip (n,); `placed` clips are drawn hollow, by label.

        `colours` of the clips, in their order, stand in place of `colour_by`.
        """
        indexes = None if predicted is None else np.asarray(predicted)
        if indexes is not None:
            check_length(indexes, len(result.xy), "predicted")
        return cls(result, indexes, colour_by, placed, colours)

    @property
    def caption(self) -> str:
        """The result's, and how many further clips were placed."""
        if self.placed is None:
            return self.result.caption
        found = self.placed.accuracy
        placed = f"{found.n} clips placed later (hollow): {found.k}-NN accuracy {found}"
        return f"{self.result.caption}; {placed}"

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def groups(self, colour_by: ColourBy) -> list[Group]:
        """Split the clips into what gets one colour each; by label, clips without are one group.

        Raises:
            InputError: a colouring that needs predictions or labels where there are none, or an unknown one.
        """
        labels, names = self.result.labels, self.result.label_names
        if colour_by not in ("label", "prediction", "correct"):
            raise InputError(f"unknown colouring {colour_by!r}; use label, prediction or correct")
        if colour_by != "label" and self.predicted is None:
            raise InputError(f"colouring by {colour_by} needs predictions; pass predicted to from_result")
        if not self.result.has_labels and colour_by == "correct":
            raise InputError("the clips have no labels, so no prediction is right or wrong; colour by prediction")
        if not self.result.has_labels and colour_by == "label":
            return [Group("no label", style.GREY, "o", np.arange(len(labels)))]
        predicted = labels if self.predicted is None else self.predicted
        if colour_by == "correct":
            hit = predicted == labels
            parts = [("correct", style.CORRECT, "o", hit), ("wrong", style.WRONG, "X", ~hit)]
        else:
            indexes = labels if colour_by == "label" else predicted
            parts = [(name, style.class_colour(name), style.class_marker(name), indexes == c) for c, name in enumerate(names)]
        return [Group(name, colour, marker, np.flatnonzero(chosen)) for name, colour, marker, chosen in parts if chosen.any()]

    def _draw(self, ax: Any) -> None:
        self.ax_ = new_axes(ax, 7, 5)
        self.figure_ = self.ax_.figure
        size = float(np.clip(60 / np.sqrt(len(self.result.xy) / 50), 1.5, 60))
        if isinstance(self.colours, Ramp):
            self._draw_ramp(self.colours, size)
        for group in [] if isinstance(self.colours, Ramp) else self._groups():
            x, y = self.result.xy[group.rows].T
            label = f"{group.name} ({len(group.rows)})"
            self.ax_.scatter(
                x,
                y,
                s=size,
                c=group.colour,
                marker=group.marker,
                label=label,
                alpha=0.85,
                edgecolors="white",
                linewidths=0.3,
                rasterized=len(self.result.xy) > WEBGL_CLIPS,
            )
        for group in self._placed_groups():
            x, y = self.placed.xy[group.rows].T  # type: ignore[union-attr]
            self.ax_.scatter(x, y, s=1.6 * size, marker=group.marker, facecolors="none", edgecolors=group.colour, linewidths=1.1)
        method = METHOD_NAMES[self.result.method]
        self.ax_.set(xlabel=f"{method} 1", ylabel=f"{method} 2", xticks=[], yticks=[])
        self.ax_.set_title("\n".join(_wrap(self.caption, 75)), fontsize="medium")
        if isinstance(self.colours, Ramp):
            return
        title = _LEGEND_TITLES[self.colour_by] if self.colours is None else self.colours.title
        legend = self.ax_.legend(title=title, loc="upper left", bbox_to_anchor=(1, 1), alignment="left")
        for handle in legend.legend_handles:
            handle.set_sizes([40])

    def _groups(self) -> Sequence[Group]:
        return self.colours.groups if isinstance(self.colours, Groups) else self.groups(self.colour_by)

    def _draw_ramp(self, ramp: Ramp, size: float) -> None:
        known = np.isfinite(ramp.values)
        x, y = self.result.xy.T
        self.ax_.scatter(x[~known], y[~known], s=size, c=style.GREY, marker="X", linewidths=0, alpha=0.6)
        drawn = self.ax_.scatter(
            x[known],
            y[known],
            s=size,
            c=ramp.values[known],
            cmap=style.SEQUENTIAL,
            linewidths=0,
            rasterized=len(x) > WEBGL_CLIPS,
        )
        self.figure_.colorbar(drawn, ax=self.ax_, label=ramp.title, shrink=0.8)

    def to_plotly(
        self, colour_by: ColourBy | None = None, clip_ids: Sequence[str] | None = None, chosen: Sequence[str] = ()
    ) -> go.Figure:
        """Return the plot for a web page; every trace carries the clip ids as `customdata`, for the lasso.

        Args:
            colour_by: "label", "prediction" or "correct"; by default as in `from_result`.
            clip_ids: (n,) names; by default the row numbers.
            chosen: clip ids that are marked as selected; none means that nothing is.
        """
        colour_by = colour_by or self.colour_by
        result = self.result
        ids = [str(row) for row in range(len(result.xy))] if clip_ids is None else [str(clip) for clip in clip_ids]
        check_length(ids, len(result.xy), "clip_ids")
        kind = go.Scattergl if len(ids) > WEBGL_CLIPS else go.Scatter
        marked = set(chosen)
        figure = go.Figure()
        for group in self.groups(colour_by):
            figure.add_trace(
                kind(
                    x=result.xy[group.rows, 0],
                    y=result.xy[group.rows, 1],
                    mode="markers",
                    name=f"{group.name} ({len(group.rows)})",
                    marker={
                        "color": group.colour,
                        "symbol": style.PLOTLY_MARKERS[group.marker],
                        "size": 8,
                        "line": {"width": 0.5, "color": "white"},
                    },
                    customdata=[ids[row] for row in group.rows],
                    selectedpoints=[i for i, row in enumerate(group.rows) if ids[row] in marked] if marked else None,
                    text=[self._hover(row) for row in group.rows],
                    hovertemplate="%{customdata}<br>%{text}<extra></extra>",
                )
            )
        for group in self._placed_groups():
            x, y = self.placed.xy[group.rows].T  # type: ignore[union-attr]
            marker = {"color": group.colour, "symbol": f"{style.PLOTLY_MARKERS[group.marker]}-open", "size": 10}
            figure.add_trace(
                go.Scatter(x=x, y=y, mode="markers", name=f"placed: {group.name} ({len(group.rows)})", marker=marker)
            )
        method = METHOD_NAMES[result.method]
        lines = _wrap(self.caption, 90)
        figure.update_layout(
            template=style.plotly_template(),
            title="<br>".join(lines),
            legend_title=_LEGEND_TITLES[colour_by],
            dragmode="lasso",
            margin={"t": 30 + 18 * len(lines), "l": 40, "r": 10, "b": 40},
            uirevision="embedding",  # the zoom survives a change of colours
            selectionrevision=colour_by,  # `chosen` is marked anew: the traces are others
        )
        figure.update_xaxes(title=f"{method} 1", showticklabels=False, ticks="", zeroline=False, showgrid=False)
        figure.update_yaxes(title=f"{method} 2", showticklabels=False, ticks="", zeroline=False, showgrid=False)
        return figure

    def _placed_groups(self) -> list[Group]:
        """Further clips by label."""
        if self.placed is None:
            return []
        if (self.placed.labels == NO_LABEL).all():
            return [Group("no label", style.GREY, "o", np.arange(len(self.placed.labels)))]
        rows = [(name, np.flatnonzero(self.placed.labels == c)) for c, name in enumerate(self.result.label_names)]
        return [Group(name, style.class_colour(name), style.class_marker(name), r) for name, r in rows if len(r)]

    def _hover(self, row: int) -> str:
        names, label = self.result.label_names, self.result.labels[row]
        text = "no label" if label == NO_LABEL else f"label {names[label]}"
        return text if self.predicted is None else f"{text}, predicted {names[self.predicted[row]]}"


def short_accuracy(result: EmbeddingResult) -> str:
    """The kNN accuracy of a map as the title of its panel; the caption says why where there is none."""
    found = result.measure("kNN accuracy")
    if not result.has_labels:
        return "no labels"
    return f"{result.k}-NN – (too few clips)" if found.reason else f"{result.k}-NN {found}"


def _wrap(caption: str, width: int) -> list[str]:
    """Break a caption between its two halves, then where it is too long."""
    return [line for half in caption.split("; ") for line in textwrap.wrap(half, width)]
