"""What is on the command line is in the app, and the other way round; what a page offers to copy does run."""

import ast
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from typer.main import get_command

from ifdd import cli as ifdd_cli
from tests.tiny_demo import TinyDemo
from workbench import cli
from workbench.app.catalogue import CATALOGUE, NO_COMMAND

Start = Callable[..., AppTest]
PAGES = Path(__file__).resolve().parents[2] / "pages"
PROGRAMS = {"workbench": cli.app, "ifdd": ifdd_cli.app}


def commands(command: Any, before: str) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield before
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{before} {name}")


def pages(app: AppTest) -> set[str]:
    """Addresses in the navigation; that of the first page is empty."""
    return {item.proto.page for item in app.get("page_link")}


def test_every_command_is_told_once() -> None:
    real = [name for program, typer in PROGRAMS.items() for name in commands(get_command(typer), program)]
    assert sorted(entry.command for entry in CATALOGUE) == sorted(real)


def test_every_page_is_that_of_a_command_or_says_why_not(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo)
    told = {entry.page for entry in CATALOGUE if entry.page is not None} | set(NO_COMMAND)
    shown = {"" if page == "overview" else page for page in pages(app)}
    assert shown <= told, "a page that the catalogue does not know"
    assert told - shown <= {"jobs"}, "the catalogue tells of a page that is not there"


def test_python_names_lead_somewhere() -> None:
    for entry in CATALOGUE:
        module, _, name = entry.python.rpartition(".")
        assert callable(getattr(import_module(module), name)), entry


def copied(app: AppTest) -> tuple[list[str], list[str]]:
    """Commands and Python that a page offers to copy; one text of commands may have a line for each model."""
    lines = [item.value for item in app.code if item.language == "bash"]
    return lines, [item.value for item in app.code if item.language == "python"]


@pytest.mark.parametrize(
    "page", sorted({entry.page for entry in CATALOGUE if entry.page is not None} - {"upload", "benchmark", "disentanglement"})
)
def test_what_a_page_offers_to_copy_is_a_command_and_python(start: Start, tiny_demo: TinyDemo, page: str) -> None:
    app = start(tiny_demo, page or "overview")
    assert not app.exception
    lines, programs = copied(app)
    for line in "\n".join(lines).splitlines():
        program, *words = shlex.split(line)
        command = get_command(PROGRAMS[program])
        name, context, rest = command.resolve_command(command.make_context(program, words, resilient_parsing=True), words)
        assert context is not None, line
        context.make_context(str(name), list(rest), resilient_parsing=False).close()  # an unknown option or value raises
    for text in programs:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                found = import_module(str(node.module))
                assert all(hasattr(found, name.name) for name in node.names), text
    assert len(lines) == len(programs)


@pytest.mark.parametrize("page", ["overview", "agreement"])
def test_what_is_copied_from_a_page_runs(
    start: Start, tiny_demo: TinyDemo, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, programs = copied(start(tiny_demo, page))
    assert lines
    monkeypatch.chdir(tmp_path)
    for number, (line, text) in enumerate(zip(lines, programs, strict=True)):
        monkeypatch.setattr(sys, "argv", [*shlex.split(line), "--out", str(tmp_path / f"out-{number}")])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        assert any((tmp_path / f"out-{number}").iterdir())
        exec(compile(text, page, "exec"), {"__name__": "copied"})
