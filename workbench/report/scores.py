"""The figures of a scorecard.json as a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.analysis.counterfactuals.results import Effect
from workbench.analysis.disentanglement.results import Scorecard
from workbench.analysis.disentanglement.stored import read_scorecards
from workbench.plotting.text import interval_text
from workbench.report.parts import Section, Table

SINGLE = {
    "WAR": "metrics.war",
    "UAR": "metrics.uar",
    "gap (1: each branch holds its own alone)": "gap",
    "leakage: nuisance in Y_D, or in X of a baseline": "leakage",
    "debiased CKA of the branches": "dependence.cka",
    "own frames in what a feature frame sees": "mixing",
    "true intensity where D reads (1: the maximum)": "split.intensity_D",
    "true intensity where S reads": "split.intensity_S",
}
"""What a row is called → where its interval lies."""

NULLS = {
    "metrics.war": "metrics.constant_war",
    "metrics.uar": "metrics.constant_uar",
    "gap": "gap_null",
    "leakage": "leakage_null",
    "dependence.cka": "dependence.null",
    "mixing": "chance_mixing",
    "split.intensity_D": "split.intensity_reference.D, other clips.value",
    "split.intensity_S": "split.intensity_reference.S, other clips.value",
}
"""Where the null of an interval lies; files of before have none of gap and leakage."""

TOLD = {
    "gap of branches that are told their own alone": "gap_told",
    "leakage of a feature that is told the nuisance": "leakage_told",
    "true intensity where D would read if it were told": "split.intensity_reference.D, told.value",
}
"""Rows of what must be high."""


def scorecard_section(file: Path) -> Section:
    """One column a checkpoint.

    Raises: InputError for a file that is not there or no scorecard.json.
    """
    cards = read_scorecards(file)
    rows = scorecard_rows(cards)
    skipped = [f"{name}: {why}" for name, card in cards.items() for why in card.skipped]
    clips = ", ".join(f"{name} {card.clips}" for name, card in cards.items())
    told = "".join(f" Note: {note}." for note in dict.fromkeys(note for card in cards.values() for note in card.notes))
    told += f" Not measured: {'; '.join(skipped)}." if skipped else ""
    caption = (
        "Scores with 95 % intervals over persons, in round brackets what nothing would give (other clips' features or places; "
        "WAR, UAR: one answer for all); – where a model has nothing of the kind."
    )
    about = f"From {file.name}, measured by workbench scorecard; clips: {clips}.{told}"
    return Section("Is the disentanglement real?", about, [Table(caption, ["measure", *cards], rows)])


def scorecard_rows(cards: Mapping[str, Scorecard]) -> list[list[str]]:
    """Rows of text; those that no checkpoint has are left out."""
    rows = []
    for title, path in SINGLE.items():
        rows.append([title, *(interval_text(_at(card, path), _at(card, NULLS[path])) for card in cards.values())])
    rows += [[title, *(interval_text(_at(card, path)) for card in cards.values())] for title, path in TOLD.items()]
    for level in dict.fromkeys(level for card in cards.values() for level in card.levels):
        found = [card.levels.get(level) for card in cards.values()]
        cells = ["–" if item is None else interval_text(item.uar, item.constant_uar) for item in found]
        rows.append([f"UAR, irrelevant frames {level}", *cells])
    rows += _changes("change of the probabilities: {}", [card.order for card in cards.values()])
    rows += _changes("change of the probabilities: {} of another clip", [card.patches for card in cards.values()])
    return [row for row in rows if set(row[1:]) != {"–"}]


def _changes(title: str, effects: Sequence[Sequence[Effect]]) -> list[list[str]]:
    """A row for each change that one of the checkpoints was put to."""
    changes = [{effect.name: effect.change for effect in known} for known in effects]
    names = dict.fromkeys(name for known in changes for name in known)
    return [[title.format(name), *(interval_text(known.get(name)) for known in changes)] for name in names]


def _at(card: Scorecard, path: str) -> Any:
    """What lies there; None where a step is None or not there, as of a baseline without branches."""
    found: Any = card
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
    return found
