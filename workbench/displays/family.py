"""The family's table in Markdown: every figure with its interval, few seeds marked, nothing ranked that cannot be."""

from math import isfinite
from statistics import fmean

from ifdd.data.scripted import SUITES
from workbench.analysis.seeds import RANKED_FROM, SeedScore
from workbench.family import MEASURES, FamilyResult, FamilyRow


def family_markdown(result: FamilyResult) -> str:
    """Two tables, scores by suite and measures on one suite, and what is needed to read them."""
    suites = [found.suite for found in result.robustness.suites]
    first = result.robustness.suites[0]
    lines = [
        f"UAR in percent on {first.clips} test clips of each suite, people whom no recipe trains on; classes are balanced, so "
        "WAR lies within a few tenths. Square brackets: 95 % bootstrap interval over people and, where there are several, seeds. "
        f"† fewer than {RANKED_FROM} seeds: the interval knows no spread over trainings; do not rank these rows.",
        "",
        _row(["variant", "trained", "seeds", "parameters", "GMACs", "min", "validation", *suites]),
        _row(["---"] * (7 + len(suites))),
    ]
    for row in result.rows:
        scores = [found.scores[row.variant] for found in result.robustness.suites]
        lines.append(
            _row(
                [
                    _name(row), _how(row), str(len(row.checkpoints)), f"{row.parameters / 1e3:.0f} k", f"{row.macs / 1e9:.2f}",
                    _mean(row.minutes.each, 1, 0), _mean(row.validation.each, 100, 1), *(_score(score) for score in scores),
                ]
            )
        )  # fmt: skip
    lines += [
        "",
        "Position alone finds the frames of the emotion with an AUROC of "
        + ", ".join(f"{found.position:.2f} ({found.suite})" for found in result.robustness.suites)
        + ".",
        "",
        f"What split and branches do, on {result.scored} (mean over seeds; in brackets the smallest and largest seed):",
        "",
        _row(["variant", "trained", *MEASURES]),
        _row(["---"] * (2 + len(MEASURES))),
    ]
    lines += [_row([_name(row), _how(row), *(str(row.measures[key]) for key in MEASURES)]) for row in result.rows]
    lines += [
        "",
        "- **intensity read**: true intensity where the dynamic group reads, as a share of the clip's maximum. **AUROC emotion, "
        "motion**: does it read the frames in which the emotion shows, or moves? 0.5 is guessing, below 0.5 it avoids them.",
        "- **spread of places**: standard deviation between clips of the places read, in feature frames; 0 for fixed places. "
        "**content R²**: how much of the places a linear model knows from the clip's mean features, on unseen people; **beyond "
        "identity**: the same for what deviates from a person's own mean.",
        "- **gap**: 1 if the emotion is in the dynamic branch alone and all else in the static one. **leakage**: person, pose, "
        "light, talking and scene in the dynamic branch (in X of a baseline). **CKA**: debiased, between the branches; 0 "
        "unrelated, 1 equal. A gap appears in every model whose loss supervises one branch alone: compare with no lift.",
        "",
        "Suites: " + "; ".join(f"{name}: {SUITES[name].about}" for name in suites) + ".",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _name(row: FamilyRow) -> str:
    return row.variant + ("" if len(row.checkpoints) >= RANKED_FROM else " †")


def _how(row: FamilyRow) -> str:
    return row.trained + (f", {row.shown}" if row.shown else "")


def _score(score: SeedScore) -> str:
    return f"{100 * score.uar.value:.1f} [{100 * score.uar.low:.1f}, {100 * score.uar.high:.1f}]"


def _mean(values: tuple[float, ...], factor: int, digits: int) -> str:
    """Mean of what the cards say; a dash where none says it."""
    known = [value for value in values if isfinite(value)]
    return f"{factor * fmean(known):.{digits}f}" if known else "–"
