"""Scorecards that lie on disk."""

from pathlib import Path

from ifdd.documents import read_json
from ifdd.errors import InputError
from workbench.analysis.disentanglement.results import Scorecard


def read_scorecards(file: Path) -> dict[str, Scorecard]:
    """Each checkpoint's scorecard, by name. Raises: InputError for a file that is not there or no scorecard.json."""
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is not there; workbench scorecard writes it into its --out") from None
    what, again = f"{file} is no file of workbench scorecard", "write it anew with workbench scorecard"
    if not isinstance(values, dict) or not values:
        raise InputError(f"{what}: it holds no checkpoint; {again}")
    return {name: Scorecard.from_dict(card, f"{what}: {name}", again) for name, card in values.items()}
