"""A section of somebody's own that fails costs itself, in one line."""

from pathlib import Path
from types import ModuleType

import pytest

from ifdd.errors import InputError
from workbench.report.parts import Options, Section, section_by


def face(folder: Path, code: str) -> ModuleType:
    module = ModuleType("section")
    module.__file__ = str(folder / "section.py")
    exec(compile(code, module.__file__, "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def section(study, options):\n    raise ValueError('two\\nlines')", "section.py, line 2: ValueError: two lines"),
        ("import json\ndef section(study, options):\n    json.loads('{')", "section.py, line 3: JSONDecodeError: Expecting"),
        ("def section(study, options):\n    'nothing'", "section.py: section returned None, not a Section"),
    ],
)
def test_the_line_is_told(code: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        section_by(face(tmp_path, code), None, Options())
    assert str(raised.value).startswith(f"{tmp_path}/{told}")
    assert "\n" not in str(raised.value)


def test_what_it_tells_itself_stays(tmp_path: Path) -> None:
    code = "from ifdd.errors import InputError\ndef section(study, options):\n    raise InputError('no labels')"
    with pytest.raises(InputError, match=r"^no labels$"):
        section_by(face(tmp_path, code), None, Options())


def test_a_section_comes_through(tmp_path: Path) -> None:
    code = "from workbench.report.parts import Section\ndef section(study, options):\n    return Section('a', 'b', [])"
    assert section_by(face(tmp_path, code), None, Options()) == Section("a", "b", [])
