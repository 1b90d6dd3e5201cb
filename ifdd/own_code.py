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
    """Name what `load_named` loads: files (.py) by their place, others as Python finds them. Nothing is loaded yet.

    Raises: InputError for a file that is not there, a folder or no name: a command that needs no model would never look.
    """
    if given:
        if wrong := [text for text in given if not text.endswith(".py") and (not text.strip() or os.sep in text)]:
            raise InputError(
                f"--import {wrong[0]!r} is neither a Python file nor a module's name; give a file (.py), or the name of a module"
            )
        for file in (Path(text) for text in given if text.endswith(".py")):
            _must_be_there(file)
        os.environ[VARIABLE] = os.pathsep.join(str(Path(text).resolve()) if text.endswith(".py") else text for text in given)


def load_named() -> None:
    """Load what is named in $IFDD_IMPORT, each once.

    Raises: InputError for a file or a module that is not there, or that cannot be imported.
    """
    for text in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        _load(text)


def _must_be_there(file: Path) -> None:
    if not file.is_file():
        raise InputError(f"{file} is not there; --import takes a Python file, or the name of an installed module")


@cache
def _load(text: str) -> None:
    file, name = Path(text), text
    if text.endswith(".py"):
        _must_be_there(file)
        sys.path.append(str(file.parent))  # by name, so that processes that are started find it too
        name = file.stem
    from ifdd.documents import located  # here, for every command imports this module

    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise InputError(f"{located(error, file)}; mend it, or leave out --import") from error
        raise InputError(f"no module {name} is installed; --import takes a Python file, or the name of one") from None
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f"{located(error, file)}; mend it, or leave out --import") from error
    if text.endswith(".py") and Path(module.__file__ or "").resolve() != file.resolve():
        raise InputError(f"{file} has the name of another module, {module.__file__ or name}; give it another name")
