"""The figures of a scorecard.json as a table."""

import json
from pathlib import Path
from typing import Any

from ifdd.errors import InputError
from workbench.report.page import Section, Table

SINGLE = {
    "WAR": ("metrics", "war"),
    "UAR": ("metrics", "uar"),
    "gap (1: each branch holds its own alone)": ("gap",),
    "leakage: nuisance in Y_D, or in X of a baseline": ("leakage",),
    "debiased CKA of the branches": ("dependence", "cka"),
    "own frames in what a feature frame sees": ("mixing",),
    "true intensity where D reads (1: the maximum)": ("split", "intensity_D"),
    "true intensity where S reads": ("split", "intensity_S"),
}
"""What a row is called → where its interval lies."""


def scorecard_section(file: Path) -> Section:
    """One column a checkpoint.

    Raises: InputError for a file that is not there or no scorecard.json.
    """
    try:
        cards: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not cards:
            raise ValueError("no checkpoint in it")
        rows = scorecard_rows(cards)
        skipped = [f"{name}: {why}" for name, card in cards.items() for why in card["skipped"]]
    except FileNotFoundError:
        raise InputError(f"{file} is not there; workbench scorecard writes it into its --out") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is no file of workbench scorecard ({type(error).__name__}: {error}); write it anew") from None
    clips = ", ".join(f"{name} {card['clips']}" for name, card in cards.items())
    told = f" Not measured: {'; '.join(skipped)}." if skipped else ""
    return Section(
        "Is the disentanglement real?", f"From {file.name}, measured by workbench scorecard; clips: {clips}.{told}",
        [Table("Scores with 95 % intervals over persons; – where a model has nothing of the kind.", ["measure", *cards], rows)],
    )  # fmt: skip


def scorecard_rows(cards: dict[str, Any]) -> list[list[str]]:
    """Rows of text; those that no checkpoint has are left out. Raises: KeyError, TypeError for other files."""
    rows = [[title, *(_show(_at(card, path)) for card in cards.values())] for title, path in SINGLE.items()]
    for name in dict.fromkeys(name for card in cards.values() for name in card["levels"]):
        cells = [_show(card["levels"].get(name, {}).get("uar")) for card in cards.values()]
        rows.append([f"UAR, irrelevant frames {name}", *cells])
    for kind in ("order", "patches"):
        effects = [{effect["name"]: effect["change"] for effect in card[kind]} for card in cards.values()]
        for name in dict.fromkeys(name for known in effects for name in known):
            cells = [_show(known.get(name)) for known in effects]
            what = f"{name} of another clip" if kind == "patches" else name
            rows.append([f"change of the probabilities: {what}", *cells])
    return [row for row in rows if set(row[1:]) != {"–"}]


def _at(card: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What lies there; None where the first step is null, as of a baseline without branches."""
    found = card[path[0]]
    for key in path[1:]:
        found = None if found is None else found[key]
    return found


def _show(interval: dict[str, float | None] | None) -> str:
    if interval is None or interval["value"] is None:
        return "–"
    low, high = interval["low"], interval["high"]
    bounds = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return f"{interval['value']:.2f}{bounds}"
