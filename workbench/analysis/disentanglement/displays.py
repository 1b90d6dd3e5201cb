"""The scorecard as a page of tables, and the probe matrix as a heat map."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ifdd.plain import markdown_line
from workbench.analysis.disentanglement.results import (
    GROUPS,
    OTHERS,
    TARGETS,
    Group,
    LocalisationResult,
    ProbeMatrix,
    Scorecard,
    SplitQualityResult,
    Target,
)
from workbench.plotting.base import NamedDisplay, new_grid
from workbench.plotting.style import BLUE, GREY, ORANGE
from workbench.results.interval import Interval

SCALE = "Blues"
READERS = ("even-odd", "half-way", "uniform", "middle", "random", "largest difference", "oracle", "told")
"""What a dynamic group is compared with."""


CONTROLS = ("other clips'", "told the factor")
"""Rows below the features: the mean of their nulls, and what a feature that is told the factor reaches."""


class ProbeDisplay(NamedDisplay[ProbeMatrix]):
    """Heat map of chance-corrected scores, features by factors, and their controls below; one panel for each model."""

    def _draw(self, ax: Any) -> None:
        width = sum(1.4 + 0.75 * len(result.factors) for result in self.results.values())
        height = 1.2 + 0.32 * max(len(result.features) + len(CONTROLS) for result in self.results.values())
        axes = new_grid(ax, 1, len(self.results), width, height)
        for panel, (name, result) in zip(axes[0], self.results.items(), strict=True):
            scores = score_table(result)
            panel.imshow(np.clip(scores, 0, 1), cmap=SCALE, vmin=0, vmax=1, aspect="auto")
            for (i, j), value in np.ndenumerate(scores):
                panel.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.55 else "black", fontsize=7)
            panel.set_xticks(range(len(result.factors)), result.factors, rotation=30, ha="right")
            panel.set_yticks(range(len(scores)), [*result.features, *CONTROLS])
            panel.axhline(len(result.features) - 0.5, color="black", lw=1)
            panel.set_title(name)
            panel.grid(False)
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """One heat map below another."""
        figure = go.Figure()
        for name, result in self.results.items():
            labels = [f"{name} {feature}".strip() for feature in (*result.features, *CONTROLS)]
            figure.add_heatmap(
                z=score_table(result), x=list(result.factors), y=labels, zmin=0, zmax=1, colorscale=SCALE,
                texttemplate="%{z:.2f}", colorbar={"title": "score"}, showscale=len(figure.data) == 0,
            )  # fmt: skip
        figure.update_yaxes(autorange="reversed")
        return figure


class ReaderDisplay(NamedDisplay[SplitQualityResult]):
    """How well each group of each model finds the frames of the emotion, beside readers that know nothing and that know all."""

    def _draw(self, ax: Any) -> None:
        rows = self._rows()
        axes = new_grid(ax, 1, len(TARGETS), 7.2, 0.8 + 0.28 * len(rows[TARGETS[0]]), sharey=True)
        for panel, target in zip(axes[0], TARGETS, strict=True):
            names, scores, models = zip(*rows[target], strict=True)
            places = range(len(names))
            colours = [BLUE if model else GREY for model in models]
            values, errors = [score.value for score in scores], np.array([_arms(score) for score in scores]).T
            panel.barh(places, values, xerr=errors, color=colours, error_kw={"lw": 0.8})
            panel.axvline(0.5, color="black", lw=0.8, ls=":")
            panel.set(xlim=(0, 1), xlabel=f"AUROC, {target}", yticks=list(places), yticklabels=names)
        axes[0, 0].invert_yaxis()
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Bars by reader, one colour for each truth."""
        figure = go.Figure()
        for target, colour in zip(TARGETS, (BLUE, ORANGE), strict=True):
            names, scores, _ = zip(*self._rows()[target], strict=True)
            arms = np.array([_arms(score) for score in scores]).T
            figure.add_bar(
                x=[score.value for score in scores], y=names, orientation="h", name=target, marker_color=colour,
                error_x={"array": arms[1], "arrayminus": arms[0], "thickness": 1},
            )  # fmt: skip
        figure.add_vline(0.5, line_dash="dot")
        figure.update_layout(barmode="group", xaxis={"range": [0, 1], "title": "AUROC, 0.5 is guessing"})
        figure.update_yaxes(autorange="reversed")
        return figure

    def _rows(self) -> dict[str, list[tuple[str, Interval, bool]]]:
        """Truth → reader, AUROC, whether it is a model: each model's groups, their nulls, then dynamic groups to compare with."""
        found: dict[str, list[tuple[str, Interval, bool]]] = {}
        for target in TARGETS:
            rows: list[tuple[str, Interval, bool]] = []
            for name, result in self.results.items():
                own = [(group, result.score("model", target, group=group).auroc) for group in GROUPS]
                rows += [(f"{name} {group}".strip(), auroc, True) for group, auroc in own]
                if result.clips > 1:
                    rows.append((f"{name} D, {OTHERS}".strip(), result.score(OTHERS, target).auroc, False))
            first = next(iter(self.results.values()))
            there = {row.reader for row in first.scores}
            rows += [(reader, first.score(reader, target).auroc, False) for reader in READERS if reader in there]
            found[target] = rows
        return found


def _arms(interval: Interval) -> tuple[float, float]:
    """Lengths of an error bar to either side."""
    return max(interval.value - interval.low, 0.0), max(interval.high - interval.value, 0.0)


def score_table(result: ProbeMatrix) -> np.ndarray:
    """Scores (features + 2, factors): the features, then the rows of `CONTROLS`."""
    cells = [[result.probe(feature, factor) for factor in result.factors] for feature in result.features]
    nulls = np.mean([[cell.null for cell in row] for row in cells], axis=0)
    told = [result.told[factor].value for factor in result.factors]
    return np.array([*([cell.score.value for cell in row] for row in cells), nulls, told])


def summary_rows(cards: Sequence[Scorecard]) -> list[tuple[str, list[str]]]:
    """What is measured and each scorecard's figure with its interval; rows that none has are left out."""
    rows: list[tuple[str, list[str]]] = [
        ("WAR (always one class)", [_beside(str(c.metrics.war), f"{100 * c.metrics.constant_war:.1f} %") for c in cards]),
        ("UAR (always one class)", [_beside(str(c.metrics.uar), f"{100 * c.metrics.constant_uar:.1f} %") for c in cards]),
        ("gap (1: each branch holds its own alone)", [show(card.gap, card.gap_null) for card in cards]),
        ("gap of branches that are told their own alone", [show(_plain(card.gap_told)) for card in cards]),
        ("leakage: nuisance in Y_D, or in X of a baseline", [show(card.leakage, card.leakage_null) for card in cards]),
        ("leakage of a feature that is told the nuisance", [show(_plain(card.leakage_told)) for card in cards]),
        (
            "debiased CKA of the branches",
            [show(card.dependence.cka, card.dependence.null) if card.dependence else "–" for card in cards],
        ),
        ("own frames in what a feature frame sees", [show(card.mixing) for card in cards]),
        ("the same if it saw all frames alike", [f"{card.chance_mixing:.2f}" for card in cards]),
    ]
    for target in TARGETS:
        for group in GROUPS:
            kinds = (("model", group), (OTHERS, f"{group}, {OTHERS}"))
            rows += [(f"AUROC, {target}: {title}", [_auroc(c, reader, target, group) for c in cards]) for reader, title in kinds]
        for reader in READERS:
            rows.append((f"AUROC, {target}: {reader}", [_auroc(card, reader, target, "D") for card in cards]))
    rows += [
        (
            "true intensity where D reads (1: the maximum)",
            [show(card.split.intensity_D if card.split else None) for card in cards],
        ),
        ("true intensity where S reads", [show(card.split.intensity_S if card.split else None) for card in cards]),
    ]
    for name in dict.fromkeys(name for card in cards if card.split for name in card.split.intensity_reference):
        cells = [show(card.split.intensity_reference.get(name) if card.split else None) for card in cards]
        rows.append((f"true intensity where it would be read: {name}", cells))
    for name in dict.fromkeys(name for card in cards for name in card.levels):
        found = [card.levels.get(name) for card in cards]
        cells = [_beside(f"{level.uar}", f"{100 * level.constant_uar:.1f} %") if level else "–" for level in found]
        rows.append((f"UAR, irrelevant frames {name} (always one class)", cells))
    for name in dict.fromkeys(name for card in cards if card.stability for name in card.stability.moved):
        cells = [show(card.stability.moved[name] if card.stability else None) for card in cards]
        rows.append((f"places read move, clip {name} (feature frames)", cells))
    rows.append(
        ("the same to a clip of other people", [show(_plain(c.stability.between if c.stability else None)) for c in cards])
    )
    for kind in ("order", "patches"):
        effects = [{effect.name: effect for effect in getattr(card, kind)} for card in cards]
        for name in dict.fromkeys(name for known in effects for name in known):
            title = f"change of the probabilities: {name}" + (" of another clip" if kind == "patches" else "")
            rows.append((title, [show(known[name].change) if name in known else "–" for known in effects]))
    return [(title, cells) for title, cells in rows if set(cells) != {"–"}]


def _auroc(card: Scorecard, reader: str, target: Target, group: Group) -> str:
    """AUROC of one reader; a dash where the model has no split, or the reader was not there."""
    if card.split is None or reader not in {row.reader for row in card.split.scores}:
        return "–"
    return show(card.split.score(reader, target, group=group).auroc)


def map_rows(result: LocalisationResult) -> list[dict[str, str]]:
    """One row a map: how much of it lies on the moved pixels."""
    return [
        {
            "map": score.name,
            "energy inside": show(score.share),
            "over its area (1: chance)": show(score.ratio),
            "pointing": show(score.pointing),
        }
        for score in result.scores
    ]


def markdown(cards: Sequence[Scorecard]) -> str:
    """Tables of one or several scorecards, side by side, with 95 % intervals."""
    names = [card.checkpoint for card in cards]
    lines = [
        "# Scorecard",
        "",
        f"{cards[0].clips} clips. Square brackets hold 95 % intervals over people, or clips if none is named "
        "(bootstrap; CKA: jackknife); round brackets what nothing would give: the features of other clips, or, where it is said, "
        "one answer for all. Probabilities change by 0 if nothing is done, by what stands at *everything* if all is another's.",
        "",
    ]
    for note in dict.fromkeys(note for card in cards for note in card.notes):
        lines += [markdown_line(f"Note: {note}."), ""]
    lines += markdown_table(["", *names], [[title, *cells] for title, cells in summary_rows(cards)])
    for card in cards:
        if card.maps:
            lines += [
                "",
                f"## {markdown_line(card.checkpoint)}: Grad-CAM on the pixels that the emotion moves ({card.maps.frames} frames)",
                "",
            ]
            scores = map_rows(card.maps)
            lines += markdown_table(list(scores[0]), [list(row.values()) for row in scores])
        if card.probes:
            lines += ["", f"## {markdown_line(card.checkpoint)}: what a linear probe finds (0 guessing, 1 knowing)", ""]
            found = card.probes
            probes = [[found.probe(name, factor) for factor in found.factors] for name in found.features]
            table = [[row[0].feature, *(show(cell.score, cell.null) for cell in row)] for row in probes]
            table.append([CONTROLS[1], *(show(found.told[factor]) for factor in found.factors)])
            lines += markdown_table(["", *found.factors], table)
        if card.skipped:
            lines += ["", markdown_line(f"Not measured for {card.checkpoint}: {'; '.join(card.skipped)}.")]
    return "\n".join(lines) + "\n"


def show(interval: Interval | None, null: float | None = None) -> str:
    """0.42 [0.40, 0.44], in round brackets the null where there is one; a dash for what is not known."""
    if interval is None or math.isnan(interval.value):
        return "–"
    text = f"{interval.value:.2f}"
    if not math.isnan(interval.low):
        text += f" [{interval.low:.2f}, {interval.high:.2f}]"
    return text if null is None or math.isnan(null) else _beside(text, f"{round(null, 2) + 0.0:.2f}")


def _beside(text: str, null: str) -> str:
    return f"{text} ({null})"


def _plain(value: float | None) -> Interval | None:
    return None if value is None else Interval(value, math.nan, math.nan)


def markdown_table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    return ["| " + " | ".join(map(markdown_line, cells)) + " |" for cells in (header, ["---"] * len(header), *rows)]
