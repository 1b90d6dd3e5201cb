"""What a command or a measure is given has an effect."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from ifdd.metrics import evaluate
from workbench.analysis.comparison.seeds import over_seeds
from workbench.analysis.performance.scores import summary

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("ifdd/cli/*.py"), *ROOT.glob("workbench/**/command.py")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-2:]))
def test_every_option_of_a_command_is_read(file: Path) -> None:
    """An option without effect is one that somebody believes in."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(".command(" in ast.unparse(mark) for mark in node.decorator_list):
            read = {name.id for part in node.body for name in ast.walk(part) if isinstance(name, ast.Name)}
            unread = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)} - read
            assert not unread, f"{node.name} takes {', '.join(unread)} and does nothing with it"


def test_commands_are_found() -> None:
    commands = "".join(file.read_text(encoding="utf-8") for file in FILES).count(".command(")
    assert commands > 20


@pytest.mark.parametrize("measure", [evaluate, summary, over_seeds])
def test_intervals_of_closed_form_take_no_draws(measure: Callable[..., object]) -> None:
    assert not {"seed", "resamples", "n_boot"} & set(inspect.signature(measure).parameters)
