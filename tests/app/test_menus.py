"""Menus show names as they are: their options are plain text, in which a sign of Markdown that is escaped shows its backslash."""

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import APP
from tests.tiny_demo import TinyDemo

Start = Callable[..., AppTest]
PLAIN = ("selectbox", "multiselect")  # others, as segmented_control, read Markdown in their options


def calls(file: Path) -> list[tuple[str, ast.Call]]:
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    menus = [node for node in nodes if isinstance(node.func, ast.Attribute) and node.func.attr in PLAIN]
    return [(f"{file.name}:{node.lineno}", node) for node in menus]


def test_no_option_of_a_menu_is_escaped() -> None:
    found = [call for file in sorted(APP.parent.rglob("*.py")) for call in calls(file)]
    assert len(found) > 20
    options = [(place, word.value) for place, call in found for word in call.keywords if word.arg == "format_func"]
    assert [place for place, value in options if "markdown_text" in ast.unparse(value)] == []


@pytest.mark.parametrize("menu", ["clip_for", "clip_against"])
def test_a_class_is_called_as_its_card_calls_it(start: Start, tiny_demo: TinyDemo, tmp_path: Path, menu: str) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    for name in ("tiny-ifdd", "tiny-baseline"):
        card = copy.checkpoints / name / "card.json"
        told = json.loads(card.read_text())
        card.write_text(json.dumps(told | {"labels": ["not_happy|$x$", *told["labels"][1:]]}))
    assert "not_happy|$x$" in start(copy, "clip").selectbox(menu).options
