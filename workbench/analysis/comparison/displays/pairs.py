"""Pictures of a comparison: differences with their intervals, the confusion that changed, the clips that flip."""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from ifdd.errors import InputError
from workbench.analysis.comparison.results import ComparisonResult, PairResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes
from workbench.results.interval import Interval, number_text

KINDS = {"gained": style.CORRECT, "lost": style.WRONG, "other": style.GREY}


class ComparisonDisplay(Display):
    """A display of a comparison, or of one of its pairs."""

    def __init__(self, result: ComparisonResult, pair: int = 0) -> None:
        if not 0 <= pair < len(result.pairs):
            raise InputError(f"pair {pair} of {len(result.pairs)}; the pairs are {', '.join(p.name for p in result.pairs)}")
        self.result, self.pair = result, result.pairs[pair]

    @classmethod
    def from_result(cls, result: ComparisonResult, pair: int = 0) -> Self:
        """Take a comparison; `pair` chooses one of its pairs, where one is shown."""
        return cls(result, pair)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()


class ForestDisplay(ComparisonDisplay):
    """Paired differences of WAR and UAR, and for one pair of every recall, with 95 % intervals, beside their p-values.

    The grey band around zero is the smallest difference that so many clips would show with 80 % probability: a point inside it
    does not say that the models are equal.
    """

    def _rows(self) -> list[tuple[str, Interval, str, float]]:
        """Name, difference, p-values in words, detectable difference (or NaN)."""
        rows: list[tuple[str, Interval, str, float]] = []
        many = len(self.result.pairs) > 1
        for pair in self.result.pairs:
            for what, item, found in (("WAR", pair.war, pair.detectable_war), ("UAR", pair.uar, pair.detectable_uar)):
                rows.append((f"{what}: {pair.name}" if many else what, item, p_text(self.result, pair, what), found))
            if not many:
                rows += [(f"{r.name} ({r.n})", r.recall, "", float("nan")) for r in pair.recalls]
        return rows

    @property
    def _label(self) -> str:
        what = "difference" if len(self.result.pairs) > 1 else f"{self.pair.name}: difference"
        return f"{what} in points of percent, with 95 % interval"

    def _draw(self, ax: Any) -> None:
        rows = self._rows()
        self.ax_ = new_axes(ax, 7.5, 0.3 * len(rows) + 1.3)
        self.figure_ = self.ax_.figure
        for y, (_, item, text, found) in enumerate(rows):
            if np.isfinite(found):
                self.ax_.barh(y, 200 * found, left=-100 * found, height=0.8, color="0.9", zorder=0)
            low, high = 100 * item.low, 100 * item.high
            self.ax_.plot([low, high], [y, y], color=style.BLUE, linewidth=1.5)
            self.ax_.plot(100 * item.value, y, "o", color=style.BLUE, markersize=5)
            self.ax_.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize="small")
        self.ax_.axvline(0, color="black", linewidth=0.8)
        self.ax_.set_yticks(range(len(rows)), [row[0] for row in rows])
        gray = "\ngray: smaller true differences would often be missed" if any(np.isfinite(row[3]) for row in rows) else ""
        self.ax_.set(ylim=(len(rows) - 0.5, -0.5), xlabel=self._label + gray, ylabel="what is compared")

    def to_plotly(self) -> go.Figure:
        """Return the differences for a web page."""
        rows = self._rows()
        values = 100 * np.array([(item.value, item.low, item.high) for _, item, _, _ in rows])
        figure = go.Figure(
            go.Scatter(
                x=values[:, 0],
                y=list(range(len(rows))),
                mode="markers",
                marker={"color": style.BLUE, "size": 8},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": values[:, 2] - values[:, 0],
                    "arrayminus": values[:, 0] - values[:, 1],
                    "width": 0,
                },
                text=[f"{name}<br>{text}" for name, _, text, _ in rows],
                hovertemplate="%{text}<br>%{x:+.1f} points<extra></extra>",
            )
        )
        figure.add_vline(0, line={"color": "gray", "width": 1})
        for y, (_, _, _, found) in enumerate(rows):
            if np.isfinite(found):  # smaller true differences would often be missed
                figure.add_shape(
                    type="rect",
                    x0=-100 * found,
                    x1=100 * found,
                    y0=y - 0.4,
                    y1=y + 0.4,
                    fillcolor="rgba(128, 128, 128, 0.25)",
                    line_width=0,
                    layer="below",
                )
        figure.update_layout(
            template=style.plotly_template(), height=120 + 30 * len(rows), margin={"t": 20, "l": 40, "r": 10, "b": 40}
        )
        figure.update_xaxes(title=self._label)
        figure.update_yaxes(
            title="what is compared",
            tickvals=list(range(len(rows))),
            ticktext=[row[0] for row in rows],
            range=[len(rows) - 0.5, -0.5],
            zeroline=False,
        )
        return figure


class ConfusionDifferenceDisplay(ComparisonDisplay):
    """Second confusion matrix minus the first, in points of percent of the true class; the diagonal is better where positive."""

    normalisation = "each row by the clips of its true class"

    @property
    def shares(self) -> np.ndarray:
        """Differences (C, C) in points of percent; 0 in the row of a class without clips."""
        first, second = (self.result.models[name].confusion for name in (self.pair.first, self.pair.second))
        sizes = first.sum(axis=1, keepdims=True)
        return np.divide(100.0 * (second - first), sizes, out=np.zeros(first.shape), where=sizes > 0)

    @property
    def row_names(self) -> list[str]:
        """Classes with the number of their clips."""
        return [f"{item.name} ({item.n})" for item in self.pair.recalls]

    def _draw(self, ax: Any) -> None:
        names, shares = self.result.label_names, self.shares
        side = 0.62 * len(names)
        self.ax_ = new_axes(ax, side + 2.8, side + 1.4)
        self.figure_ = self.ax_.figure
        peak = max(float(np.abs(shares).max()), 1.0)
        image = self.ax_.imshow(shares, cmap=style.DIVERGING, vmin=-peak, vmax=peak)
        for (row, column), share in np.ndenumerate(shares):
            ink = "white" if abs(share) > 0.6 * peak else "black"
            text = number_text(share, "+.0f") if share else "0"
            self.ax_.text(column, row, text, ha="center", va="center", color=ink, fontsize="small")
        self.ax_.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        self.ax_.set_yticks(range(len(names)), self.row_names)
        self.ax_.set(xlabel="predicted", ylabel="true (clips)")
        self.ax_.set_title(self.pair.name, fontsize="medium")
        self.figure_.colorbar(image, ax=self.ax_, label="points of percent of the true class", shrink=0.8)

    def to_plotly(self) -> go.Figure:
        """Return the matrix for a web page."""
        shares = self.shares
        peak = max(float(np.abs(shares).max()), 1.0)
        figure = go.Figure(
            go.Heatmap(
                z=shares,
                x=list(self.result.label_names),
                y=self.row_names,
                zmin=-peak,
                zmax=peak,
                colorscale=style.DIVERGING,
                text=[[number_text(share, "+.0f") if share else "0" for share in row] for row in shares.tolist()],
                texttemplate="%{text}",
                hovertemplate="true %{y}<br>predicted %{x}<br>%{z:+.1f} points<extra></extra>",
                colorbar={"title": {"text": "points of percent", "side": "right"}},
            )
        )
        figure.update_layout(
            template=style.plotly_template(), title=self.pair.name, height=520, margin={"t": 50, "l": 40, "r": 10, "b": 40}
        )
        figure.update_xaxes(title="predicted", showgrid=False)
        figure.update_yaxes(title="true (clips)", autorange="reversed", showgrid=False)
        return figure


class FlipsDisplay(ComparisonDisplay):
    """Clips that flip, by true class: gained to the right, lost to the left, and those that both models have wrong."""

    def counts(self) -> dict[str, np.ndarray]:
        """Clips (C,) of each kind, by true class."""
        flips, kinds = self.pair.flips, np.array(self.pair.flips.kinds, dtype=object)
        return {kind: np.bincount(flips.true[kinds == kind], minlength=len(self.result.label_names)) for kind in KINDS}

    def table(self) -> list[dict[str, object]]:
        """One row per clip, the largest change of the true class's probability first; without probabilities as the clips come."""
        flips, names = self.pair.flips, self.result.label_names
        order = np.argsort(-np.nan_to_num(np.abs(flips.p_second - flips.p_first)), kind="stable")
        return [
            {
                "clip_id": flips.clip_ids[i],
                "kind": flips.kinds[i],
                "true": names[flips.true[i]],
                self.pair.first: names[flips.first[i]],
                self.pair.second: names[flips.second[i]],
                f"p(true) {self.pair.first}": float(flips.p_first[i]),
                f"p(true) {self.pair.second}": float(flips.p_second[i]),
            }
            for i in order.tolist()
        ]

    def gallery(self) -> dict[str, list[str]]:
        """Clip ids by kind, in the order of the table: what a page shows as pictures."""
        return {kind: [str(row["clip_id"]) for row in self.table() if row["kind"] == kind] for kind in KINDS}

    def _bars(self) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
        """Kind, colour, left ends and lengths (C,) of the bars; "other" starts where "gained" ends."""
        counts = self.counts()
        zero = np.zeros(len(self.result.label_names))
        starts = {"gained": zero, "lost": -counts["lost"], "other": counts["gained"]}
        return [(kind, colour, starts[kind], counts[kind]) for kind, colour in KINDS.items()]

    def _draw(self, ax: Any) -> None:
        names = self.result.label_names
        self.ax_ = new_axes(ax, 6, 0.32 * len(names) + 1.3)
        self.figure_ = self.ax_.figure
        for kind, colour, left, length in self._bars():
            self.ax_.barh(range(len(names)), length, left=left, color=colour, label=f"{kind} ({int(length.sum())})", height=0.7)
        self.ax_.axvline(0, color="black", linewidth=0.8)
        self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set(ylim=(len(names) - 0.5, -0.5), xlabel="clips (lost to the left)", ylabel="true class", title=self.pair.name)
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1, 1))

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        figure = go.Figure()
        for kind, colour, left, length in self._bars():
            figure.add_bar(
                x=length,
                y=list(self.result.label_names),
                base=left,
                orientation="h",
                name=kind,
                marker_color=colour,
                hovertemplate="%{y}: %{x}<extra>" + kind + "</extra>",
            )
        figure.update_layout(
            template=style.plotly_template(), barmode="overlay", title=self.pair.name, margin={"t": 50, "l": 40, "r": 10, "b": 40}
        )
        figure.update_xaxes(title="clips (lost to the left)")
        figure.update_yaxes(title="true class", autorange="reversed", showgrid=False)
        return figure


def p_text(result: ComparisonResult, pair: PairResult, what: str) -> str:
    """The p-value of WAR or UAR in words, corrected by Holm where there are several pairs."""
    if what == "UAR":
        test, name = pair.swap_uar, "exchange"
    elif result.n_groups is None:
        test, name = pair.mcnemar, "McNemar"
    else:
        test, name = pair.swap_war, "exchange"
    p = test.holm if len(result.pairs) > 1 else test.p
    number = f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
    return f"{number} ({name}{', Holm' if len(result.pairs) > 1 else ''})"
