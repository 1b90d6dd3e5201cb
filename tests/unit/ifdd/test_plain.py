"""Text from files is shown letter by letter, whatever shows it."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.plain import markdown_line, markdown_text, terminal_text
from ifdd.tables import csv_text
from workbench.app.browse import as_csv
from workbench.plotting.base import without_markup
from workbench.plotting.text import markdown_table

EVIL = "![x](http://example.com/a.png)"


@given(st.text())
def test_every_sign_of_markdown_is_escaped(text: str) -> None:
    said = markdown_text(text)
    assert "\n" not in said
    assert re.sub(r"\\(.)", r"\1", said) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>$:|&]", said)


@pytest.mark.parametrize(
    "text", ["- a", "# a", "1. a", "12) a", "+ a", "---", "www.example.com", "http://example.com", "&lt;", ":red[a]"]
)
def test_nothing_opens_a_block_or_a_link(text: str) -> None:
    assert markdown_text(text).count("\\") >= 1
    assert markdown_text("a-b 0.5 c#1 (d)! www") == "a-b 0.5 c#1 (d)! www"


@pytest.mark.parametrize(
    "text", [EVIL, "[a](http://example.com)", "![x][y]", "[y]: http://example.com", "<img src=http://example.com>", "`", "a|b"]
)
def test_no_line_of_a_markdown_file_holds_a_picture_a_link_a_tag_or_a_cell(text: str) -> None:
    said = markdown_line(text)
    assert not re.search(r"\]\(|\]\[|\]:|(?<!\\)[<`|]", said)


def test_a_table_keeps_its_cells_and_its_intervals() -> None:
    lines = markdown_table(["a|b", "c"], [[EVIL, "0.42 [0.40, 0.44]"]])
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3, 3, 3]
    assert "0.42 [0.40, 0.44]" in lines[2]


def test_a_terminal_gets_no_control_characters() -> None:
    assert terminal_text("a\x1b[2J\nb\x00\x85") == "a\ufffd[2J b\ufffd"


def test_a_plotly_figure_keeps_its_own_breaks_alone() -> None:
    figure = go.Figure(go.Bar(x=["<a href='http://example.com'>a</a>", "b"], y=[1, 2], name="<img>", customdata=["<id>", "b"]))
    figure.update_layout(title="one<br><b>two</b> <i>three</i> <script>")
    shown = without_markup(figure)
    assert list(shown.data[0].x) == ["&lt;a href='http://example.com'>a&lt;/a>", "b"]
    assert shown.data[0].name == "&lt;img>"
    assert list(shown.data[0].customdata) == ["<id>", "b"]  # it names the clip, and is no text
    assert shown.layout.title.text == "one<br><b>two</b> <i>three</i> &lt;script>"


FORMULAS = ["=cmd|'/C calc'!A0", " =1+2", "\t@SUM(A1)", "+1+cmd|'x'!A0", "-2+3+HYPERLINK(1)", "＝1+2"]


@pytest.mark.parametrize("write", [csv_text, lambda table: as_csv(table).decode()])
def test_no_cell_and_no_name_of_a_csv_is_a_formula(write: Callable[[pd.DataFrame], str]) -> None:
    plain = ["-id of a clip", "-0.5", "a=b", "", "+", "x"]
    table = pd.DataFrame({"=1+2": FORMULAS, "kind": pd.Categorical(FORMULAS), "plain": plain, "number": -0.5, "none": None})
    told = pd.read_csv(io.StringIO(write(table)), keep_default_na=False)
    assert list(told.columns) == ["'=1+2", "kind", "plain", "number", "none"]
    assert told["'=1+2"].tolist() == told["kind"].tolist() == [f"'{text}" for text in FORMULAS]
    assert told["plain"].tolist() == plain
    assert told["number"].tolist() == [-0.5] * len(FORMULAS)


def test_no_results_are_written_past_it() -> None:
    root = Path(__file__).resolve().parents[3]
    files = [file for folder in ("workbench", "pages") for file in (root / folder).rglob("*.py")]
    lines = [line.strip() for file in files for line in file.read_text().splitlines() if ".to_csv(" in line]
    assert [line for line in lines if not line.startswith(("...", ">>>"))] == []
