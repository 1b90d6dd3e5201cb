"""Files that appear whole or not at all."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ifdd.errors import InputError


def write_text(file: Path, text: str) -> None:
    """Write UTF-8 under a temporary name, then rename; an existing file is replaced."""
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write indented JSON as `write_text` does."""
    write_text(file, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def replace_between(file: Path, mark: str, text: str) -> None:
    """Put `text` between the lines `<!-- mark -->` and `<!-- /mark -->` of a Markdown file.

    Raises: InputError for a file that is not there or lacks the marks.
    """
    first, last = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    try:
        before, rest = file.read_text(encoding="utf-8").split(first)
        _, after = rest.split(last)
    except FileNotFoundError:
        raise InputError(f"{file} is not there; make it, with the lines {first} and {last}") from None
    except ValueError:
        raise InputError(f"{file}: the lines {first} and {last} must stand there once each, in this order") from None
    write_text(file, f"{before}{first}\n{text}{last}{after}")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder to fill, which takes the name `out` when the block ends well, and is removed if it does not.

    Raises: InputError if `out` exists.
    """
    check_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.parent / f".{out.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_folder(out: Path) -> None:
    """Refuse a file where files are to be written into a folder, before minutes are spent on them.

    Raises: InputError.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder as --out")


def check_new(out: Path) -> None:
    """Refuse a folder that is there, before minutes are spent on what goes into it.

    Raises: InputError.
    """
    if out.exists():
        raise InputError(f"{out} exists; choose another folder or remove it")
