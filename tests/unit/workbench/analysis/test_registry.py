"""The registry: a wrong line, or a face that lacks what it owes, is one line."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ifdd.errors import InputError
from workbench.analysis import registry
from workbench.analysis.registry import OWED, Face, faces


def test_a_line_that_is_no_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONCEPTS", ("confidence", "hesitaton"))
    with pytest.raises(InputError, match=r"registry.py names 'hesitaton', and .*hesitaton/__init__.py is missing; is it spelt"):
        faces("command")


def test_a_line_that_is_there_twice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONCEPTS", ("confidence", "splits", "confidence"))
    with pytest.raises(InputError, match="names 'confidence' twice"):
        faces("page")


@pytest.mark.parametrize(("kind", "missing"), [("command", "app"), ("section", "section"), ("page", "TITLE and no ICON")])
def test_a_face_that_lacks_what_it_owes_is_told(kind: Face, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONCEPTS", ("confidence",))
    empty = ModuleType("empty")
    empty.__file__ = f"confidence/{kind}.py"
    monkeypatch.setattr(registry, "import_module", lambda place: empty)
    with pytest.raises(InputError, match=f"confidence/{kind}.py has no {missing}; see docs/adding_an_analysis.md"):
        faces(kind)
    for name in OWED[kind]:
        setattr(empty, name, "")
    assert faces(kind) == {"confidence": empty}


def test_the_command_line_tells_it_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(registry, "CONCEPTS", ("hesitaton",))
    monkeypatch.delitem(sys.modules, "workbench.cli", raising=False)
    with pytest.raises(SystemExit) as ended:
        __import__("workbench.cli")
    assert ended.value.code == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"error: {Path(registry.__file__)} names 'hesitaton'")
