"""Modules of a user's own that are loaded before a family of models is looked up: `--import`, kept in $IFDD_IMPORT."""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError

VARIABLE = "IFDD_IMPORT"
"""Holds them for processes that this one starts, e.g. the app's server; with the separator of PATH between."""

ImportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Python file or module that registers models of your own (docs/adding_a_family.md); may be given again.",
    ),
]


def name_modules(given: Sequence[str] | None) -> None:
    """Name what `load_named` loads: files (.py) by their place, others as Python finds them. Nothing is loaded yet."""
    if given:
        os.environ[VARIABLE] = os.pathsep.join(str(Path(text).resolve()) if text.endswith(".py") else text for text in given)


def load_named() -> None:
    """Load what is named in $IFDD_IMPORT, each once.

    Raises: InputError for a file or a module that is not there.
    """
    for text in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        _load(text)


@cache
def _load(text: str) -> None:
    file, name = Path(text), text
    if text.endswith(".py"):
        if not file.is_file():
            raise InputError(f"{file} is not there; --import takes a Python file, or the name of an installed module")
        sys.path.append(str(file.parent))  # by name, so that processes that are started find it too
        name = file.stem
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InputError(f"no module {name} is installed; --import takes a Python file, or the name of one") from None
    if text.endswith(".py") and Path(module.__file__ or "").resolve() != file.resolve():
        raise InputError(f"{file} has the name of another module, {module.__file__ or name}; give it another name")
