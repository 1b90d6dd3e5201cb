"""The figures of a scorecard.json as a table."""

from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from ifdd.documents import OPEN, checked, read_json
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

NULLS = {
    ("metrics", "war"): ("metrics", "constant_war"),
    ("metrics", "uar"): ("metrics", "constant_uar"),
    ("gap",): ("gap_null",),
    ("leakage",): ("leakage_null",),
    ("dependence", "cka"): ("dependence", "null"),
    ("mixing",): ("chance_mixing",),
    ("split", "intensity_D"): ("split", "intensity_reference", "D, other clips", "value"),
    ("split", "intensity_S"): ("split", "intensity_reference", "S, other clips", "value"),
}
"""Where the null of an interval lies; files of before have none of gap and leakage."""

TOLD = {
    "gap of branches that are told their own alone": ("gap_told",),
    "leakage of a feature that is told the nuisance": ("leakage_told",),
    "true intensity where D would read if it were told": ("split", "intensity_reference", "D, told", "value"),
}
"""Rows of what must be high."""


class _Interval(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    value: float | None
    low: float | None
    high: float | None


class _Level(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    uar: _Interval
    constant_uar: NotRequired[float]


class _Effect(TypedDict):
    __pydantic_config__ = OPEN  # type: ignore[misc]
    name: str
    change: _Interval


class _Card(TypedDict):
    """What a table needs of one checkpoint, beside the figures of `SINGLE`."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    clips: int
    skipped: list[str]
    notes: NotRequired[list[str]]
    levels: dict[str, _Level]
    order: list[_Effect]
    patches: list[_Effect]


_CARDS: TypeAdapter[Any] = TypeAdapter(Annotated[dict[str, _Card], Field(min_length=1)])
_FIGURE: TypeAdapter[Any] = TypeAdapter(_Interval | None)
_NUMBER: TypeAdapter[Any] = TypeAdapter(float | None)


def scorecard_section(file: Path) -> Section:
    """One column a checkpoint.

    Raises: InputError for a file that is not there or no scorecard.json.
    """
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is not there; workbench scorecard writes it into its --out") from None
    what = f"{file} is no file of workbench scorecard"
    cards: dict[str, Any] = checked(_CARDS, values, what, "write it anew")
    for name, card in cards.items():
        for path in SINGLE.values():
            checked(_FIGURE, _at(card, path), f"{what}: {name}.{'.'.join(path)}", "write it anew")
        for path in (*NULLS.values(), *TOLD.values()):
            checked(_NUMBER, _at(card, path), f"{what}: {name}.{'.'.join(path)}", "write it anew")
    rows = scorecard_rows(cards)
    skipped = [f"{name}: {why}" for name, card in cards.items() for why in card["skipped"]]
    clips = ", ".join(f"{name} {card['clips']}" for name, card in cards.items())
    told = "".join(f" Note: {note}." for note in dict.fromkeys(note for card in cards.values() for note in card.get("notes", [])))
    told += f" Not measured: {'; '.join(skipped)}." if skipped else ""
    return Section(
        "Is the disentanglement real?", f"From {file.name}, measured by workbench scorecard; clips: {clips}.{told}",
        [Table("Scores with 95 % intervals over persons, in round brackets what nothing would give (other clips' features or "
               "places; WAR, UAR: one answer for all); – where a model has nothing of the kind.", ["measure", *cards], rows)],
    )  # fmt: skip


def scorecard_rows(cards: dict[str, Any]) -> list[list[str]]:
    """Rows of text; those that no checkpoint has are left out."""
    rows = [
        [title, *(_show(_at(card, path), _at(card, NULLS[path])) for card in cards.values())] for title, path in SINGLE.items()
    ]
    rows += [[title, *(_number(_at(card, path)) for card in cards.values())] for title, path in TOLD.items()]
    for name in dict.fromkeys(name for card in cards.values() for name in card["levels"]):
        levels = [card["levels"].get(name, {}) for card in cards.values()]
        cells = [_show(level.get("uar"), level.get("constant_uar")) for level in levels]
        rows.append([f"UAR, irrelevant frames {name}", *cells])
    for kind in ("order", "patches"):
        effects = [{effect["name"]: effect["change"] for effect in card[kind]} for card in cards.values()]
        for name in dict.fromkeys(name for known in effects for name in known):
            cells = [_show(known.get(name)) for known in effects]
            what = f"{name} of another clip" if kind == "patches" else name
            rows.append([f"change of the probabilities: {what}", *cells])
    return [row for row in rows if set(row[1:]) != {"–"}]


def _at(card: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What lies there; None where a step is null or not there, as of a baseline without branches."""
    found: Any = card
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _show(interval: dict[str, float | None] | None, null: float | None = None) -> str:
    if interval is None or interval["value"] is None:
        return "–"
    low, high = interval["low"], interval["high"]
    bounds = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return f"{interval['value']:.2f}{bounds}" + ("" if null is None else f" ({_number(null)})")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"
