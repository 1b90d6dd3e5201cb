"""Passports come back from every format as they went in."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from ifdd.checkpoints import load_checkpoint
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from workbench import cli
from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.scores import summary
from workbench.plotting.base import Display
from workbench.results.passport import PYTHON_CALL, Context, Passport, command_line, config_hash, issue
from workbench.results.passport_files import read_passport
from workbench.results.provenance import digest
from workbench.store.collection import Collection

PROBS = np.random.default_rng(0).dirichlet(np.ones(7), 21)
LABELS = np.arange(21) % 7
FORMATS = ("png", "svg", "pdf")


def confusion() -> ConfusionDisplay:
    return ConfusionDisplay.from_result(summary(PROBS, LABELS, EMOTIONS))


@pytest.mark.parametrize("suffix", FORMATS)
def test_all_formats_give_back_what_was_written(suffix: str, tmp_path: Path) -> None:
    command = shlex.join(["workbench", "figures", "--out", r"dir (1)\ü, 'x' <&> )", "--n", "line\nbreak"])
    context = Context(command).with_run("a (b) \\ é", "f" * 64, "0123456789abcdef").with_data("clips (ü).parquet", "e" * 64)
    expected = issue(confusion().provenance(), ConfusionDisplay.normalisation, context)
    path = confusion().save(tmp_path / f"figure.{suffix}", context=context)
    found = read_passport(path)
    assert found == expected
    assert found.command == command
    assert [run.name for run in found.runs] == ["a (b) \\ é"]
    assert found.data[0].hash == "e" * 64
    assert found.normalisation == "each row by the clips of its true class"
    assert set(found.versions) >= {"ifdd-workbench", "numpy", "matplotlib"}
    assert digest(LABELS.astype(np.int64)) in found.inputs.values()


class _Plain(Display):
    def __init__(self, text: str) -> None:
        self.text = text

    def provenance(self) -> str:
        return json.dumps({"analysis": self.text, "inputs": {}, "versions": {}})

    def _draw(self, ax: object) -> None:
        self.figure_ = Figure(figsize=(1, 1))

    def to_plotly(self):  # type: ignore[no-untyped-def]
        raise NotImplementedError


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_any_text_survives_a_pdf_and_a_png(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("passports")
    for suffix in FORMATS:
        found = read_passport(_Plain(text).save(folder / f"a.{suffix}", dpi=20))
        assert [about["analysis"] for about in found.analyses.values()] == [text]


def test_results_keep_their_names_and_their_inputs() -> None:
    display = RecallDisplay.from_result({"one": summary(PROBS, LABELS, EMOTIONS), "two": summary(PROBS[::-1], LABELS, EMOTIONS)})
    found = issue(display.provenance())
    assert list(found.analyses) == ["one", "two"]
    assert found.inputs["one: labels"] == found.inputs["two: labels"] == digest(LABELS.astype(np.int64))
    twice = issue("\n".join([confusion().provenance()] * 2))
    assert len(twice.analyses) == 2
    assert len(twice.inputs) == 2 * len(issue(confusion().provenance()).inputs)


def test_without_a_context_nothing_is_told() -> None:
    Context("first").with_run("a", "0" * 64)  # a new one: nobody else hears of it
    assert issue() == issue(context=PYTHON_CALL)
    assert issue().runs == issue().data == ()
    assert issue().command == ""
    assert "command: none, saved by a Python call" in issue().lines()
    assert issue(context=Context("second")).runs == ()


def test_one_of_several_videos_stands_alone_in_its_passport() -> None:
    context = Context("x").with_run("a", "0" * 64)
    for number in "12":
        found = issue(context=context.with_data(f"{number}.mp4", number))
        assert [data.manifest for data in found.data] == [f"{number}.mp4"]
        assert [run.name for run in found.runs] == ["a"]


def test_what_is_read_twice_is_told_once() -> None:
    context = Context().with_data("a.parquet", "1").with_data("b.parquet", "2").with_data("c.parquet", "1")
    assert [(data.manifest, data.hash) for data in context.data] == [("c.parquet", "1"), ("b.parquet", "2")]


def test_a_bundle_is_told_with_its_configuration(tiny_bundle_dir: Path, baseline_bundle_dir: Path) -> None:
    ours, other = load_checkpoint(tiny_bundle_dir), load_checkpoint(baseline_bundle_dir)
    assert config_hash(ours.card) != config_hash(other.card)
    assert config_hash(ours.card) == config_hash(load_checkpoint(tiny_bundle_dir).card)
    context = Context.of("x", bundles=[ours])
    # e.g. by its collection: what is known stays known
    assert [run.config for run in context.with_run(ours.name, ours.card.sha256).runs] == [config_hash(ours.card)]
    assert Context().with_run(ours.name, ours.card.sha256).with_run(ours.name, ours.card.sha256, "c").runs[0].config == "c"


def test_a_collection_tells_its_checkpoint_and_its_clips(tmp_path: Path) -> None:
    meta = {
        "checkpoint": {"name": "a", "sha256": "f"},
        "data": {"manifest": str(tmp_path / "clips" / "clips.parquet"), "hash": "e"},
    }
    context = Context.of(collections=[Collection(tmp_path, meta)] * 2)
    assert [(run.name, run.sha256, run.config) for run in context.runs] == [("a", "f", "")]
    assert [(data.manifest, data.hash) for data in context.data] == [(str(Path("clips", "clips.parquet")), "e")]


def test_a_passport_can_be_told_its_context_later() -> None:
    context = Context("x").with_run("a", "0" * 64).with_data("b", "1")
    display = confusion()
    assert issue(display.provenance(), "none").within(context) == issue(display.provenance(), "none", context)


def test_files_without_a_passport(tmp_path: Path) -> None:
    plain = {suffix: tmp_path / f"plain.{suffix}" for suffix in (*FORMATS, "html", "txt")}
    Image.new("RGB", (4, 4)).save(plain["png"])
    plain["svg"].write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    Figure(figsize=(1, 1)).savefig(plain["pdf"], metadata={"Subject": "holidays (2024)"})
    plain["html"].write_text("<p>nothing</p>")
    for suffix in (*FORMATS, "html"):
        with pytest.raises(InputError, match="carries no passport"):
            read_passport(plain[suffix])
    plain["txt"].write_text("text")
    with pytest.raises(InputError, match=r"passports are in \.png, \.svg, \.pdf, \.html files"):
        read_passport(plain["txt"])
    with pytest.raises(InputError, match="is not there"):
        read_passport(tmp_path / "missing.png")
    plain["png"].write_bytes(b"\x89PNG broken")
    plain["svg"].write_text("<svg")
    for suffix in ("png", "svg"):
        with pytest.raises(InputError, match="is no whole"):
            read_passport(plain[suffix])


def test_another_schema_is_refused() -> None:
    old = issue().to_dict() | {"passport": 0}
    with pytest.raises(ValueError, match="schema"):
        Passport.from_json(json.dumps(old))


def test_passports_from_before_commits_were_noted_are_read() -> None:
    old = issue().to_dict()
    del old["commit"]
    assert Passport.from_json(json.dumps(old)).commit is None


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = confusion().save(tmp_path / "figure.svg")
    for words in (["--json"], []):
        monkeypatch.setattr(sys, "argv", ["workbench", "passport", str(file), *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
    told, lines = capsys.readouterr().out.split("\n", 1)
    assert json.loads(told) == read_passport(file).to_dict()
    assert "normalisation: each row by the clips of its true class" in lines
    monkeypatch.setattr(sys, "argv", ["workbench", "passport", str(tmp_path / "none.svg")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_line_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/workbench", "embed", "a b", "--out", "c\udcff"])
    assert command_line() == r"workbench embed 'a b' --out 'c\udcff'"


def test_passports_do_not_tell_whose_computer_it_was(tmp_path: Path) -> None:
    context = Context("command").with_data(tmp_path / "home" / "clips" / "clips.parquet", "a" * 64)
    found = issue("", context=context.with_data("clips/clips.parquet", "b" * 64))
    assert [data.manifest for data in found.data] == [str(Path("clips") / "clips.parquet")] * 2
