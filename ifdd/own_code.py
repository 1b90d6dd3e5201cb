"""Code of a user's own, which is loaded when a person names it and never because a file does.

`--import MODULE` names modules that register families of models, kept in $IFDD_IMPORT; `--model MODULE:FACTORY` a function that
returns a network that is adapted (`ifdd.adapting`), kept in $IFDD_MODELS for the app.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

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


MODELS = "IFDD_MODELS"
"""Holds what `--model` named for the app's server, a line each."""

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODULE:FACTORY",
        help="A function of your own Python that returns workbench.adapt(…), in place of a checkpoint (docs/other_models.md).",
        show_default=False,
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
        _load(text, "--import")


def split_factory(text: str) -> tuple[str, str]:
    """Module, or whole path of a file, and function of `--model MODULE:FACTORY`; nothing is loaded yet.

    Raises: InputError for another form, or a file that is not there.
    """
    module, colon, name = text.rpartition(":")
    if not colon or not module or not name.isidentifier():
        raise InputError(f"--model {text}: write MODULE:FACTORY, e.g. mine.py:make or package.module:make")
    if module.endswith(".py"):
        _must_be_there(Path(module), "--model")
        module = str(Path(module).resolve())
    return module, name


def call_factory(text: str) -> Any:
    """What the function of `--model MODULE:FACTORY` returns.

    Raises: InputError as `split_factory`, for a module that cannot be imported or lacks it, or what it raises itself.
    """
    from ifdd.documents import located

    module, name = split_factory(text)
    found = getattr(_load(module, "--model"), name, None)
    if not callable(found):
        raise InputError(f"--model {text}: {module} has no function {name}; name one that returns workbench.adapt(…)")
    try:
        return found()
    except InputError as error:
        raise InputError(f"--model {text}: {error}") from error
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f"--model {text}: {located(error, Path(module))}; mend it") from error


def _must_be_there(file: Path, option: str = "--import") -> None:
    if not file.is_file():
        raise InputError(f"{file} is not there; {option} takes a Python file, or the name of an installed module")


@cache
def _load(text: str, option: str) -> ModuleType:
    file, name = Path(text), text
    if text.endswith(".py"):
        _must_be_there(file, option)
        sys.path.append(str(file.parent))  # by name, so that processes that are started find it too
        name = file.stem
    from ifdd.documents import located  # here, for every command imports this module

    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise InputError(f"{located(error, file)}; mend it, or leave out {option}") from error
        raise InputError(f"no module {name} is installed; {option} takes a Python file, or the name of one") from None
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f"{located(error, file)}; mend it, or leave out {option}") from error
    if text.endswith(".py") and Path(module.__file__ or "").resolve() != file.resolve():
        raise InputError(f"{file} has the name of another module, {module.__file__ or name}; give it another name")
    return module
