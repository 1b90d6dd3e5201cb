"""Scorecards as tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ifdd.plain import markdown_line
from workbench.analysis.disentanglement.displays.probes import CONTROLS
from workbench.analysis.disentanglement.displays.readers import READERS
from workbench.analysis.disentanglement.results import (
    GROUPS,
    OTHERS,
    TARGETS,
    Group,
    LocalisationResult,
    Scorecard,
    Target,
)
from workbench.plotting.text import beside, interval_text, markdown_table

Row = tuple[str, list[str]]
"""What is measured, and each scorecard's figure."""


@dataclass(frozen=True)
class RowGroup:
    """Rows that answer one question; `headline` of them, the first ones, say the most. `about` tells how to read them."""

    title: str
    about: str
    rows: tuple[Row, ...]
    headline: int = 1


def row_groups(cards: Sequence[Scorecard]) -> list[RowGroup]:
    """The rows of scorecards by the question that they answer; what none of the models has is left out."""
    groups = [
        RowGroup(
            "Is it right?",
            "Recalls on these clips, and by the share of their frames that show something else.",
            (*_scores(cards), *_levels(cards)),
            2,
        ),
        RowGroup(
            "Do the branches hold different things?",
            "The gap is 1 if linear probes find the emotion in Y_D alone and all else in Y_S alone, 0 if both know the same. "
            "Leakage is what Y_D still knows of the person, pose, light, talking and scene. A gap appears in every model whose "
            "loss supervises one of the two: compare with a model without a lift before crediting the lift.",
            tuple(_held(cards)),
            2,
        ),
        RowGroup(
            "Are the frames of the emotion read?",
            "AUROC asks, frame by frame, whether a group reads the frames in which the emotion shows, or moves: 0.5 is guessing. "
            "D − S is below 0.5 also where both read the emotion and S more. Other clips are the model's places in clips "
            "of others: chance. Even-odd, half-way and random know nothing of the clip, middle only that emotions often lie "
            "there; the oracle knows the truth under the same range of offsets, told without one.",
            tuple(_frames(cards)),
            2,
        ),
        RowGroup(
            "Does “reads frame t” mean frame t?",
            "A backbone that attends over the whole clip makes it true in name only. Places that move when a clip is brighter do "
            "not follow its content; how far those of other people's clips are says what far is.",
            (*_own_frames(cards), *_moves(cards)),
            2,
        ),
        RowGroup(
            "What changes the answer?",
            "Change of the probabilities: 0 if nothing is done; everything of another clip is what the others are to be read "
            "against.",
            tuple(_effects(cards)),
        ),
    ]
    known = [replace(group, rows=tuple(_known(group.rows))) for group in groups]
    return [group for group in known if group.rows]


def summary_rows(cards: Sequence[Scorecard]) -> list[Row]:
    """What is measured and each scorecard's figure with its interval; rows that none has are left out."""
    parts = (_scores, _held, _own_frames, _frames, _levels, _moves, _effects)
    return _known([row for part in parts for row in part(cards)])


def _known(rows: Sequence[Row]) -> list[Row]:
    return [(title, cells) for title, cells in rows if set(cells) != {"–"}]


def _scores(cards: Sequence[Scorecard]) -> list[Row]:
    return [
        ("WAR (always one class)", [beside(str(c.metrics.war), f"{100 * c.metrics.constant_war:.1f} %") for c in cards]),
        ("UAR (always one class)", [beside(str(c.metrics.uar), f"{100 * c.metrics.constant_uar:.1f} %") for c in cards]),
    ]


def _held(cards: Sequence[Scorecard]) -> list[Row]:
    return [
        ("gap (1: each branch holds its own alone)", [interval_text(card.gap, card.gap_null) for card in cards]),
        ("gap of branches that are told their own alone", [interval_text(card.gap_told) for card in cards]),
        ("leakage: nuisance in Y_D, or in X of a baseline", [interval_text(card.leakage, card.leakage_null) for card in cards]),
        ("leakage of a feature that is told the nuisance", [interval_text(card.leakage_told) for card in cards]),
        (
            "debiased CKA of the branches",
            [interval_text(card.dependence.cka, card.dependence.null) if card.dependence else "–" for card in cards],
        ),
    ]


def _own_frames(cards: Sequence[Scorecard]) -> list[Row]:
    return [
        ("own frames in what a feature frame sees", [interval_text(card.mixing) for card in cards]),
        (
            "the same if it saw all frames alike",
            ["–" if card.chance_mixing is None else f"{card.chance_mixing:.2f}" for card in cards],
        ),
    ]


def _frames(cards: Sequence[Scorecard]) -> list[Row]:
    rows: list[Row] = []
    for target in TARGETS:
        for group in GROUPS:
            kinds = (("model", group), (OTHERS, f"{group}, {OTHERS}"))
            rows += [(f"AUROC, {target}: {title}", [_auroc(c, reader, target, group) for c in cards]) for reader, title in kinds]
        for reader in READERS:
            rows.append((f"AUROC, {target}: {reader}", [_auroc(card, reader, target, "D") for card in cards]))
    rows += [
        (
            "true intensity where D reads (1: the maximum)",
            [interval_text(card.split.intensity_D if card.split else None) for card in cards],
        ),
        ("true intensity where S reads", [interval_text(card.split.intensity_S if card.split else None) for card in cards]),
    ]
    for name in dict.fromkeys(name for card in cards if card.split for name in card.split.intensity_reference):
        cells = [interval_text(card.split.intensity_reference.get(name) if card.split else None) for card in cards]
        rows.append((f"true intensity where it would be read: {name}", cells))
    return rows


def _levels(cards: Sequence[Scorecard]) -> list[Row]:
    rows: list[Row] = []
    for name in dict.fromkeys(name for card in cards for name in card.levels):
        found = [card.levels.get(name) for card in cards]
        cells = [beside(f"{level.uar}", f"{100 * level.constant_uar:.1f} %") if level else "–" for level in found]
        rows.append((f"UAR, irrelevant frames {name} (always one class)", cells))
    return rows


def _moves(cards: Sequence[Scorecard]) -> list[Row]:
    rows: list[Row] = []
    for name in dict.fromkeys(name for card in cards if card.stability for name in card.stability.moved):
        cells = [interval_text(card.stability.moved[name] if card.stability else None) for card in cards]
        rows.append((f"places read move, clip {name} (feature frames)", cells))
    between = [interval_text(card.stability.between if card.stability else None) for card in cards]
    return [*rows, ("the same to a clip of other people", between)]


def _effects(cards: Sequence[Scorecard]) -> list[Row]:
    rows: list[Row] = []
    for kind in ("order", "patches"):
        effects = [{effect.name: effect for effect in getattr(card, kind)} for card in cards]
        for name in dict.fromkeys(name for known in effects for name in known):
            title = f"change of the probabilities: {name}" + (" of another clip" if kind == "patches" else "")
            rows.append((title, [interval_text(known[name].change) if name in known else "–" for known in effects]))
    return rows


def _auroc(card: Scorecard, reader: str, target: Target, group: Group) -> str:
    """AUROC of one reader; a dash where the model has no split, or the reader was not there."""
    if card.split is None or reader not in {row.reader for row in card.split.scores}:
        return "–"
    return interval_text(card.split.score(reader, target, group=group).auroc)


def map_rows(result: LocalisationResult) -> list[dict[str, str]]:
    """One row a map: how much of it lies on the moved pixels."""
    return [
        {
            "map": score.name,
            "energy inside": interval_text(score.share),
            "over its area (1: chance)": interval_text(score.ratio),
            "pointing": interval_text(score.pointing),
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
            table = [[row[0].feature, *(interval_text(cell.score, cell.null) for cell in row)] for row in probes]
            table.append([CONTROLS[1], *(interval_text(found.told[factor]) for factor in found.factors)])
            lines += markdown_table(["", *found.factors], table)
        if card.skipped:
            lines += ["", markdown_line(f"Not measured for {card.checkpoint}: {'; '.join(card.skipped)}.")]
    return "\n".join(lines) + "\n"
