"""Tables of pages are drawn in one place, and their files are ours."""

import sys
from typing import Any

import pandas as pd
import pytest

from tests.app.conftest import APP

sys.path.insert(0, str(APP.parent))
from shared import tables


def test_tables_are_drawn_in_one_place() -> None:
    files = [file for file in sorted(APP.parent.rglob("*.py")) if "st.dataframe(" in file.read_text()]
    assert [file.name for file in files] == ["tables.py"]


def test_a_saved_table_holds_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[Any, Any]] = []
    monkeypatch.setattr(tables.st, "download_button", lambda *_, data, file_name, **__: saved.append((file_name, data())))
    table = pd.DataFrame({"model": ["=1+1"], "WAR, %": [-0.5]})
    tables.show(table, alt="Scores: of each model")
    tables.linked(table, {}, "scores", "Scores")
    tables.bare(table, "numbers", "Numbers")
    assert [name for name, _ in saved] == ["Scores-of-each-model.csv", "Scores.csv", "Numbers.csv"]
    assert {text for _, text in saved} == {b'model,"WAR, %"\n\'=1+1,-0.5\n'}
