"""The family's table in Markdown: every figure with its interval, few seeds marked, nothing ranked that cannot be."""

from collections.abc import Sequence
from math import isfinite
from statistics import fmean

from ifdd.scripted import SUITES, class_note
from ifdd.scripted.suites import SECOND
from workbench.analysis.comparison.results import RANKED_FROM, SeedScore
from workbench.analysis.disentanglement.results import PLACES, WHERE, PlaceSwap
from workbench.benchmark.results import HOLDS, OTHERS_CONTROL, READS, TOLD_CONTROL, FamilyResult, FamilyRow, Figure, SuiteResult
from workbench.plotting.text import markdown_table
from workbench.results.interval import number_text


def family_markdown(result: FamilyResult) -> str:
    """Scores by suite; what splits read, what branches hold, what other places do; what is needed to read them."""
    suites = [found.suite for found in result.robustness.suites]
    first = result.robustness.suites[0]
    lines = [
        f"UAR in percent on {first.clips} test clips of each suite, people whom no recipe trains on; classes are balanced, so "
        "WAR lies within a few tenths. Square brackets: 95 % interval over people and, where there are several, seeds. "
        f"† fewer than {RANKED_FROM} seeds: the interval knows no spread over trainings; do not rank these rows.",
        "",
        *markdown_table(
            ["variant", "trained", "seeds", "parameters", "GMACs", "min", "validation", *suites],
            [_scored(row, [found.scores[row.variant] for found in result.robustness.suites]) for row in result.rows],
        ),
        "",
        "Nearness to the clip's middle alone finds the frames of the emotion with an AUROC (0.5: not at all; in brackets, where "
        f"95 % lie by chance) of {', '.join(_position(found) for found in result.robustness.suites)}.",
        "",
    ]
    if telling := [name for name in suites if class_note(name)]:
        lines += [
            f"Irrelevant stretches of {', '.join(telling)} tell the class a little: another emotion is never the clip's own, and "
            f"never in a neutral clip. The suites whose names end in {SECOND} show the same clips with independent ones."
        ]
    lines += [
        "",
        f"Where the split reads, on {result.scored} (95 % interval over persons and, where there are several, seeds; in round "
        "brackets the same with the places or the content of other people's clips; blank: not measured):",
        "",
        *_measured(result, READS),
        "",
        "What the branches hold, on the same clips (of a baseline: X, under D):",
        "",
        *_measured(result, HOLDS),
        "",
        "Does it matter where it reads? UAR in percent with the places of one group, or of both, replaced; in brackets the 95 % "
        "interval of the change:",
        "",
        *_swapped(result),
        "",
        *_legend(),
        "",
        "Suites: " + "; ".join(f"{name}: {SUITES[name].about}" for name in suites) + ".",
    ]
    return "\n".join(lines) + "\n"


def _scored(row: FamilyRow, scores: Sequence[SeedScore]) -> list[str]:
    """What a variant costs and, by suite, its score."""
    costs = [str(len(row.checkpoints)), f"{row.parameters / 1e3:.0f} k", f"{row.macs / 1e9:.2f}"]
    means = [_mean(row.minutes.each, 1, 0), _mean(row.validation.each, 100, 1)]
    return [_name(row), _how(row), *costs, *means, *(_score(score) for score in scores)]


def _legend() -> list[str]:
    return [
        "- **intensity D, S**: true intensity where a group reads, as a share of the clip's maximum. **AUROC**: does "
        "a group read "
        "the frames in which the emotion shows, or moves? 0.5 is guessing, below 0.5 it avoids them. D and S by "
        "themselves; D − S, "
        "how much more the dynamic group reads a frame than the static one, is below 0.5 also where both read the "
        "emotion, S more.",
        "- **spread of places**: standard deviation between clips of the places read, in feature frames; 0 for fixed places. "
        "**content R²**: how much of the places a linear model knows from X of every feature frame (averaged over "
        "space), on unseen "
        "people; **beyond identity**: the same for what deviates from a person's own mean; **intensity R²**: the same "
        "from the true "
        "intensity of every feature frame.",
        "- **emotion D, S**: what a linear probe on unseen people finds of the emotion in a branch, 0 guessing, 1 knowing; "
        "**leakage**: the same of person, pose, light, talking and scene. **gap**: 1 if the emotion is in the dynamic "
        "branch alone "
        "and all else in the static one. **CKA**: debiased, between the branches; 0 unrelated, 1 equal. A gap appears in every "
        "model whose loss supervises one branch alone: compare with no lift.",
        f"- **{TOLD_CONTROL}**: places of the more intense half of the frames in D, the others in S; branches that "
        "hold the emotion "
        "alone, and all else alone. Ordered places are not linear in the intensity, so that its own intensity R² is below 1. "
        f"**{OTHERS_CONTROL}**: such branches of clips of other people.",
        "- **half-way**: places 1/2, 5/2, 9/2, … of both groups, for every clip: each step blends two whole frames. **told**: as "
        "the recipes called truth.",
    ]


def _position(found: SuiteResult) -> str:
    low, high = found.position_null
    return f"{found.position:.2f} [{low:.2f}, {high:.2f}] ({found.suite})"


def _measured(result: FamilyResult, keys: Sequence[str]) -> list[str]:
    """A table of measures; rows and columns that nobody has are left out."""
    nothing = Figure(())
    table = [(_name(row) + _seeds(row), _how(row), row.measures) for row in result.rows] + [
        (f"control: {name}", "", measures) for name, measures in result.controls.items()
    ]
    rows = [(name, how, [str(found.get(key, nothing)) for key in keys]) for name, how, found in table]
    rows = [row for row in rows if set(row[2]) != {"–"}]
    return markdown_table(
        ["variant", "trained", *keys],
        [[name, how, *("" if cell == "–" else cell for cell in cells)] for name, how, cells in rows],
    )


def _seeds(row: FamilyRow) -> str:
    """How many of its seeds were measured, where they are not all."""
    known = max((sum(isfinite(value) for value in figure.each) for figure in row.measures.values()), default=0)
    return f", {known} of {len(row.checkpoints)} seeds" if 0 < known < len(row.checkpoints) else ""


def _swapped(result: FamilyResult) -> list[str]:
    rows = [row for row in result.rows if row.places.swaps]
    kinds = [which for which in PLACES if any(which in {s.places for s in row.places.swaps} for row in rows)]
    table = []
    for row in rows:
        found = {(swap.group, swap.places): swap for swap in row.places.swaps}
        for where in WHERE:
            cells = [_swap(found.get((where, which))) for which in kinds]
            table.append([_name(row) + _seeds(row), _how(row), where, f"{100 * row.places.own.value:.1f}", *cells])
    return markdown_table(["variant", "trained", "in", "own", *kinds], table)


def _swap(found: PlaceSwap | None) -> str:
    if found is None:
        return ""
    change = found.change
    return f"{100 * found.uar.value:.1f} [{number_text(100 * change.low, '+.1f')}, {number_text(100 * change.high, '+.1f')}]"


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
