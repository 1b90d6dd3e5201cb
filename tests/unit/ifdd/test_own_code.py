"""`--import`: models of a user's own are known wherever models are looked up, and a wrong name is one line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ifdd
from ifdd.errors import InputError
from ifdd.models.families import FAMILIES, families
from ifdd.own_code import VARIABLE, name_modules

OWN = """
from typing import Literal
from ifdd.models.config import ModelConfig
from ifdd.models.families import FAMILIES, Family

class OwnConfig(ModelConfig):
    family: Literal["own"] = "own"

FAMILIES["own"] = Family(OwnConfig, FAMILIES["ifdd"].build, FAMILIES["ifdd"].loss, lambda: {"own-tiny": {"backbone": "r3d-tiny"}})
"""

ALONE = """
from ifdd.cli import main
from ifdd.models import families
names = families.short_names
families.short_names = lambda: {name: made for name, made in names().items() if name.startswith("own")}
main()
"""
"""`ifdd` that counts no other models, which takes long."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "models_of_mine.py"
    file.write_text(OWN)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield file
    FAMILIES.pop("own", None)
    sys.modules.pop("models_of_mine", None)


def test_a_family_is_known_once_its_file_is_named(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(families()) == {"ifdd", "ous"}
    with pytest.raises(InputError, match="unknown model 'own-tiny'"):
        ifdd.create_model("own-tiny")
    monkeypatch.chdir(tmp_path)
    name_modules([own.name])
    assert set(FAMILIES) == {"ifdd", "ous"}  # nothing is loaded before it is asked for
    monkeypatch.chdir("/")  # as the app's server does
    assert ifdd.create_model("own-tiny").config.family == "own"
    assert set(families()) == {"ifdd", "ous", "own"}


def test_the_commands_offer_it(own: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ALONE, "--import", str(own), "models"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert run.returncode == 0, run.stderr
    assert any(line.startswith("own-tiny ") for line in run.stdout.splitlines())


def test_a_file_that_is_not_there_is_told_at_once(own: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.py is not there"):
        name_modules([str(own), "nowhere.py"])


@pytest.mark.parametrize(
    ("name", "told"),
    [("/nowhere.py", "/nowhere.py is not there"), ("no_such_module", "no module no_such_module is installed")],
)
def test_what_is_not_there_is_named(own: Path, name: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(InputError, match=told):
        families()


def test_a_file_that_hides_behind_another_module_is_refused(own: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("")
    name_modules([str(tmp_path / "json.py")])
    with pytest.raises(InputError, match=r"json.py has the name of another module, .*__init__.py; give it another name"):
        families()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import a_library_that_is_missing", "line 1: ModuleNotFoundError: No module named 'a_library_that_is_missing'"),
        ("x = 1\ndef f(:", "line 2: SyntaxError: invalid syntax"),
        ("x = 1\nraise ValueError('two\\nlines')", "line 2: ValueError: two lines"),
        (OWN.replace('"own"', '"ifdd"'), "the family 'ifdd' is there already, of ifdd.models.config.ModelConfig; give yours"),
        (OWN.replace('FAMILIES["own"]', 'FAMILIES["mine"]'), "the family 'mine' has a config whose field family is 'own'"),
    ],
)
def test_a_fault_of_the_module_itself_is_one_line(own: Path, tmp_path: Path, code: str, told: str) -> None:
    own.write_text(code)
    name_modules([str(own)])
    with pytest.raises(InputError) as raised:
        families()
    assert str(raised.value).startswith(f"{own}, line ")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert set(FAMILIES) == {"ifdd", "ous"}
    assert FAMILIES["ifdd"].config is ifdd.ModelConfig


def test_a_model_of_a_name_that_is_taken_is_refused(own: Path) -> None:
    own.write_text(OWN.replace("own-tiny", "ifdd-r3d18"))
    name_modules([str(own)])
    with pytest.raises(
        InputError, match=r"ModelConfig and models_of_mine.OwnConfig both have a model 'ifdd-r3d18'; rename yours"
    ):
        ifdd.create_model("ifdd-r3d18")


def test_a_family_may_be_registered_again(own: Path) -> None:
    FAMILIES["ifdd"] = FAMILIES["ifdd"]
    assert set(families()) == {"ifdd", "ous"}


@pytest.mark.parametrize("text", ["", "  ", "some/folder"])
def test_what_is_neither_a_file_nor_a_module_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(InputError, match="is neither a Python file nor a module's name"):
        name_modules([text])
    assert os.environ[VARIABLE] == ""
