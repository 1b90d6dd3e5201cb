"""The report: one file, no network, the numbers of the analyses, safe with any name."""

import html
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest

from ifdd.checkpoints import load_checkpoint, read_card
from ifdd.errors import InputError
from ifdd.scripted.suite import SuiteConfig, render_suite
from tests.stored import faithfulness_report, scorecard
from tests.tiny_demo import TinyDemo
from tests.tiny_ous import train_ous
from workbench import cli
from workbench.analysis.comparison.task import compare_clips
from workbench.analysis.saliency.results import Verdict
from workbench.analysis.streams.displays import rows
from workbench.analysis.streams.task import run as run_streams
from workbench.benchmark.scenes.results import percent, read_scenes
from workbench.figures.study import Study, open_study
from workbench.report import task
from workbench.report.page import render
from workbench.report.parts import Chart, NothingToAsk, Options, Section, Table
from workbench.report.scores import scorecard_rows, scorecard_section
from workbench.results.passport_files import read_passport

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def study(tiny: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Study:
    runs = [str(tiny.checkpoints / name) for name in ("tiny-baseline", "tiny-ifdd")]
    return open_study(runs, tiny.demo / "datasets/demo", tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def page(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    made = task.run(study)
    assert made.left_out == {}
    assert task.write(made, out) == [out]
    return out


class _Reader(HTMLParser):
    """Addresses that a browser would load, headings, cells, and what scripts hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.data: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.loaded += [value or "" for name, value in attrs if name in ("src", "srcset", "poster", "data", "action")]
        self.loaded += [found["href"] or ""] if "href" in found else []
        self.inside = f"{tag} {found.get('class') or ''}".strip()

    def handle_data(self, data: str) -> None:
        if self.inside.startswith(("td", "th")) and data.strip():
            self.cells.append(data)
        if self.inside == "script data":
            self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def test_nothing_is_loaded_from_anywhere(page: Path) -> None:
    found = read(page)
    assert found.loaded
    assert all(address.startswith("#") for address in found.loaded)
    text = page.read_text(encoding="utf-8")
    own = text[: text.index("<script>")] + text[text.rindex("<script>") :]  # without plotly.js, whose addresses are of maps
    assert not re.search(r"https?://", own)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import", style.group(1))
    assert len(re.findall(r"plotly\.js v\d", text)) == 1  # inlined once


def test_every_plot_is_whole_and_numbered(page: Path) -> None:
    found = read(page)
    plots = [attributes["id"] for tag, attributes in found.tags if tag == "div" and attributes.get("class") == "plot"]
    assert plots == [f"plot-{i}" for i in range(1, len(plots) + 1)]
    assert len(found.data) == len(plots)
    for text in found.data:
        assert json.loads(text)["data"]
    told = page.read_text(encoding="utf-8")
    numbers = re.findall(r"<b>(Table|Figure) (\d+)\.</b>", told)
    for kind in ("Table", "Figure"):
        own = [int(n) for k, n in numbers if k == kind]
        assert own == list(range(1, len(own) + 1))
    assert len(plots) == told.count("<summary>passport</summary>")


def test_numbers_are_those_of_the_analyses(page: Path, study: Study) -> None:
    cells = read(page).cells
    for result in study.metrics().values():
        assert f"{result.war}" in cells
        assert f"{result.uar}" in cells
    compared = compare_clips(study.same)
    assert f"{compared.pairs[0].only_second}, {compared.pairs[0].only_first}" in cells
    for clip in compared.pairs[0].flips.clip_ids:
        assert clip in cells


def test_the_passport_comes_back(page: Path) -> None:
    found = read_passport(page)
    assert found.normalisation == "see each figure"
    assert set(found.versions) >= {"ifdd-workbench", "numpy", "matplotlib"}


def test_both_themes_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert 'id="theme"' in text


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
    figure = go.Figure(go.Scatter(x=[1], y=[1], name=evil), layout={"title": {"text": evil}})
    section = Section(evil, evil, [Table(evil, [evil, "n"], [[evil, "1"]]), Chart(evil, figure)])
    text = render(evil, evil, [section])
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    found = read(tmp_path / "page.html")
    assert not [tag for tag, _ in found.tags if tag == "img"]
    assert sum(tag == "script" for tag, _ in found.tags) == 4  # passport, plot, plotly, own
    assert json.loads(found.data[0])["data"][0]["name"] == evil
    assert html.escape(evil) in text


def test_words_are_left_and_numbers_right() -> None:
    table = Table("t", ["name", "WAR", "kind"], [["a", "87.9 % [82.9, 92.1]", "gained"], ["b", "–", "lost"]])
    text = render("t", "", [Section("s", "", [table])])
    assert '<td class="words">gained</td>' in text
    assert "<td>87.9 % [82.9, 92.1]</td>" in text


def test_a_scorecard_is_shown_as_it_was_measured(tmp_path: Path) -> None:
    cards = {"ifdd": scorecard(0.5), "base": scorecard(0.25, split=False)}
    rows = {row[0]: row[1:] for row in scorecard_rows(cards)}
    assert rows["WAR"] == ["0.50 [0.40, 0.60] (0.14)", "0.25 [0.15, 0.35] (0.14)"]
    assert rows["debiased CKA of the branches"] == ["0.50 [0.40, 0.60] (0.10)", "–"]
    assert rows["UAR, irrelevant frames none"] == ["0.50 [0.40, 0.60] (0.14)", "–"]
    assert rows["change of the probabilities: shuffle"][1].startswith("0.25")
    file = tmp_path / "scorecard.json"
    file.write_text(json.dumps({name: card.to_dict() for name, card in cards.items()}))
    assert "base: split quality" in scorecard_section(file).about
    for text in ("{}", "[1", '{"a": {"clips": 1}}', "[]"):
        file.write_text(text)
        with pytest.raises(InputError, match=r"no file of workbench scorecard|is not valid JSON"):
            scorecard_section(file)
    with pytest.raises(InputError, match="is not there"):
        scorecard_section(tmp_path / "none.json")


def test_one_model_has_a_report_that_says_what_it_lacks(study: Study, tmp_path: Path) -> None:
    alone = Study(
        {"tiny-baseline": study.bundles["tiny-baseline"]},
        {"tiny-baseline": study.collections["tiny-baseline"]},
        study.manifest,
        "tiny-baseline",
    )
    made = task.run(alone)
    task.write(made, tmp_path / "one.html")
    assert set(made.left_out) == {"agreement", "comparison", "splits"}
    assert "none of the chosen models splits" in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_the_command(tiny: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "report",
        tiny.checkpoints / "tiny-ifdd",
        "--data",
        tiny.demo / "datasets/demo",
        "--collections",
        tiny.demo / "collections/demo",
    ]

    def run(*more: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, [*words, *more])])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0), *capsys.readouterr()

    code, told, err = run("--out", tmp_path / "r.html", "--json")
    assert code == 0
    assert json.loads(told)["left_out"].keys() == {"agreement", "comparison"}
    assert "comparison left out" in err
    assert [run.name for run in read_passport(tmp_path / "r.html").runs] == ["tiny-ifdd"]
    assert sorted(tmp_path.iterdir()) == [tmp_path / "r.html"]
    badge = "fails: deletion and insertion (other clips)"
    sha256 = read_card(tiny.checkpoints / "tiny-ifdd").sha256
    verdict = Verdict("gradcam", "ladm.Y_D", False, (), ("deletion and insertion",))
    told_before = faithfulness_report("tiny-ifdd", sha256, verdict)
    (tmp_path / "faithfulness.json").write_text(json.dumps(told_before))
    for name, words_, there in (("with", [], True), ("without", ["--no-badges"], False)):
        assert run("--out", tmp_path / f"{name}.html", "--verdicts", tmp_path / "faithfulness.json", *words_)[0] == 0
        assert (badge in (tmp_path / f"{name}.html").read_text(encoding="utf-8")) == there
    for out, message in ((tmp_path / "r.html", "exists; choose another file"), (tmp_path / "r.pdf", "ends in .html")):
        code, _, err = run("--out", out)
        assert code == 1
        assert message in err


def test_scenes_are_told_where_a_file_of_them_is_given(tmp_path: Path) -> None:
    (section,) = task.given_sections(scenes=ROOT / "checkpoints" / "scenes.json")
    curves, table = section.parts
    assert isinstance(curves, Chart)
    assert isinstance(table, Table)
    found = read_scenes(ROOT / "checkpoints" / "scenes.json")
    assert [row[0] for row in table.rows] == [row.variant for row in found.rows]
    assert table.header[4:8] == ["helps", "misleads", "follows", "ρ −0.9"]
    assert table.rows[0][7] == percent(found.rows[0].scores[0].uar)
    with pytest.raises(InputError, match="workbench scenes writes it into its --out"):
        task.given_sections(scenes=tmp_path / "none.json")


def test_what_two_inputs_do_is_told_of_the_models_that_read_two(study: Study, tmp_path: Path) -> None:
    folder = train_ous(tmp_path)
    suite = SuiteConfig("streams", 3, 7, 7, "test", "easy", rho=0.5)
    manifest = render_suite(suite, tmp_path / "clips", frames=8, fps=8.0, size=48, workers=1, progress=False)
    made = task.run(open_study([str(folder), "scripted-tiny-baseline"], manifest, tmp_path / "kept"))
    assert "streams" not in made.left_out
    (section,) = (section for section in made.sections if section.heading == "What does each input do?")
    found = run_streams([load_checkpoint(folder)], manifest)
    table = section.parts[1]
    assert isinstance(table, Table)
    assert list(table.rows) == rows(found)  # as workbench streams has it
    assert "knows nothing is 0.33" in table.caption
    (compared,) = (section for section in made.sections if section.heading == "Which model is better, and where?")
    assert "families ifdd and ous differ in backbone, start and inputs" in compared.about
    assert "What does each input do?" not in [section.heading for section in task.run(study).sections]


def test_a_section_that_fails_is_left_out_and_one_with_nothing_to_ask_is_not_missed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(study: Study, options: Options) -> Section:
        raise NothingToAsk("none of these")

    monkeypatch.setattr("workbench.analysis.splits.section.section", nothing)
    monkeypatch.setattr("workbench.analysis.embedding.section.section", lambda study, options: 1 / 0)
    made = task.run(study)
    assert set(made.left_out) == {"embedding"}
    assert "What do the splits do?" not in [section.heading for section in made.sections]
