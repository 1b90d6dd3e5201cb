"""What papers print, held against the tables that it was copied from."""

import json
import re
from pathlib import Path

import pytest
from scipy.stats import binomtest

from ifdd.data.corpora import CORPORA as KNOWN
from ifdd.data.published import _rows, published, usual_row
from ifdd.errors import InputError

PAIR = re.compile(r"(\d+\.\d\d) ?/ ?(\d+\.\d\d)")
CORPORA = ("dfew", "ferv39k", "mafw")
SHORT = {"Hap": "happy", "Sad": "sad", "Neu": "neutral", "Ang": "angry", "Sur": "surprise", "Dis": "disgust", "Fea": "fear"}
SHORT |= {"AN": "angry", "DI": "disgust", "FE": "fear", "HA": "happy", "NE": "neutral", "SA": "sad", "SU": "surprise"}
SHORT |= {"CO": "contempt", "AX": "anxiety", "HL": "helplessness", "DS": "disappointment"}
OTHER_NAMES = {"R(2+1)D": "R(2+1)D18", "ResNet-18+LSTM": "ResNet18-LSTM"}


def section(shared: Path) -> str:
    text = (shared / "FACTS.md").read_text(encoding="utf-8")
    return text[text.index("## 3. Peer results") : text.index("## 4. Datasets")]


def table(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, its head first."""
    lines = text[text.index(heading) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("*") for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def test_the_main_table_is_that_of_the_facts(shared: Path) -> None:
    expected = set()
    for method, *cells, _ in table(section(shared), "| method | DFEW | FERV39k | MAFW | source |")[1:]:
        methods = method.split(" / ") if method.startswith("ResNet-18 (frame)") else [method]
        for corpus, cell in zip(CORPORA, cells, strict=True):
            pairs = PAIR.findall(cell)
            expected |= {(name, corpus, float(u), float(w)) for name, (u, w) in zip(methods, pairs, strict=False) if pairs}
    assert len(expected) > 90
    ours = {(row.method, row.corpus, row.uar, row.war) for row in _rows()}
    assert not expected - ours


def test_every_pair_of_ours_is_in_the_facts(shared: Path) -> None:
    """Also those of other tables and of single lines: reproductions, fold 1, folds of MAE-DFER."""
    printed = {(float(u), float(w)) for u, w in PAIR.findall(section(shared))}
    assert not [row for row in _rows() if (row.uar, row.war) not in printed]
    places = re.sub(r"[\s,]+", " ", section(shared))
    assert all(f"{row.uar:.2f}" in places and f"{row.war:.2f}" in places for row in _rows())


@pytest.mark.parametrize(("heading", "corpus"), [("### 3.1", "dfew"), ("### 3.2", "ferv39k"), ("### 3.3", "mafw")])
def test_recalls_are_those_of_the_facts(shared: Path, heading: str, corpus: str) -> None:
    head, *rows = table(section(shared), heading)
    for method, *cells in rows:
        name = OTHER_NAMES.get(method, method.replace(" [SV]", ""))
        row = usual_row(name, corpus)
        assert row.recalls == {SHORT[short]: float(cell) for short, cell in zip(head[1:], cells, strict=True)}
        assert row.recalls_source
    assert (
        len(rows) == sum(bool(row.recalls) and row.source != row.recalls_source for row in published(corpus)) or corpus == "dfew"
    )


def test_the_mean_of_the_recalls_is_the_printed_uar_or_the_row_says_so() -> None:
    for row in _rows():
        if row.recalls:
            assert set(row.recalls) == set(KNOWN[row.corpus].labels)
            mean = sum(row.recalls.values()) / len(row.recalls)
            assert abs(mean - row.uar) <= 0.06 or f"{mean:.2f}" in row.note, row


def test_nothing_is_printed_of_ifdd_and_every_row_has_a_source() -> None:
    assert not [row for row in _rows() if "ifdd" in row.method.casefold()]
    assert all(row.source and row.protocol and "UNVERIFIED" not in repr(row) for row in _rows())
    with pytest.raises(InputError, match="nothing printed of 'IFDD'"):
        published("dfew", "IFDD")
    with pytest.raises(InputError, match="corpus 'affwild'"):
        published("affwild")
    keys = [(row.method, row.corpus, row.protocol) for row in _rows()]
    assert len(set(keys)) == len(keys)


def test_folds_average_to_what_is_printed() -> None:
    folds = [row for row in published("dfew", "MAE-DFER") if row.protocol.startswith("fold")]
    assert len(folds) == 5
    usual = usual_row("mae dfer", "dfew")
    assert sum(row.uar for row in folds) / 5 == pytest.approx(usual.uar, abs=0.01)
    assert sum(row.war for row in folds) / 5 == pytest.approx(usual.war, abs=0.01)
    assert [row.clips for row in folds] == [2341, 2341, 2340, 2339, 2336]


def test_the_interval_is_wilsons() -> None:
    row = usual_row("M3DFEL", "dfew")
    assert row.clips == 11_697
    hits = round(row.war / 100 * row.clips)
    expected = binomtest(hits, row.clips).proportion_ci(method="wilson")
    assert row.war_interval == pytest.approx((100 * expected.low, 100 * expected.high), abs=0.01)


def test_the_command_prints_rows_and_sources() -> None:
    from typer.testing import CliRunner

    from ifdd.cli import app

    printed = CliRunner().invoke(app, ["published", "--corpus", "dfew", "--method", "former dfer"])
    assert printed.exit_code == 0
    assert "53.69  65.70" in printed.stdout
    assert "Awesome-Dynamic-Facial-Expression-Recognition" in printed.stdout
    assert "disgust 3.45" in printed.stdout
    values = json.loads(CliRunner().invoke(app, ["published", "--corpus", "mafw", "--json"]).stdout)
    assert [value["method"] for value in values] == [row.method for row in published("mafw")]
    assert {"uar", "war", "clips", "war_interval", "source", "protocol", "recalls"} <= set(values[0])


def test_the_clips_are_the_official_ones() -> None:
    of_all = {"dfew": 2341 + 2341 + 2340 + 2339 + 2336, "ferv39k": 7847, "mafw": 1839 + 1837 + 1833 + 1832 + 1831}
    for corpus, clips in of_all.items():
        assert {row.clips for row in published(corpus) if not row.protocol.startswith("fold ")} == {clips}
