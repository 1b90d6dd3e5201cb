"""What "copy as" gives is run: the line of the command and the Python say what the page says, also of selected clips."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tiny_demo import CLIPS, MODELS, TinyDemo, tiny_demo_in
from workbench.app.copying import Copied, Copies, FitOn
from workbench.app.selection import Selection
from workbench.cli import app
from workbench.store.workspace import Workspace

NAMES = tuple(sorted(MODELS))
SOME = Selection.parse(["label_name!=fear"])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    return tiny_demo_in(tmp_path_factory.getbasetemp())


@pytest.fixture
def place(demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(demo.checkpoints))
    return Workspace(demo.copy_to(tmp_path).demo)


def command(copied: Copied, out: Path) -> None:
    name, *words = copied[0]
    assert name == "workbench"
    done = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output


def python(copied: Copied) -> str:
    printed = StringIO()
    with redirect_stdout(printed):
        exec(copied[1], {})
    return printed.getvalue()


@pytest.mark.parametrize("selection", [Selection(), SOME])
def test_scores(place: Workspace, tmp_path: Path, selection: Selection) -> None:
    copied = Copies(place.folder, "demo", NAMES, selection).scores()
    n = CLIPS - 2 if selection else CLIPS
    command(copied, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert [found[name]["n"] for name in NAMES] == [n, n]
    assert python(copied).count(f"n = {n}; WAR ") == len(NAMES)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "scores.json",
        "scores.md",
        "recalls.png",
        "confusion_1.png",
        "confusion_2.png",
    }


def test_comparison_of_selected_clips(place: Workspace, tmp_path: Path) -> None:
    copied = Copies(place.folder, "demo", NAMES, SOME).comparison(NAMES[1], ["background"])
    command(copied, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert found["n"] == CLIPS - 2
    assert [pair["first"] for pair in found["pairs"]] == [NAMES[1]]
    assert f"{NAMES[0]} − {NAMES[1]}" in python(copied)


def test_agreement_of_clips_that_a_model_says_something_of(place: Workspace, tmp_path: Path) -> None:
    said = Selection.parse([f"confidence {NAMES[0]}<=1", f"said {NAMES[0]}<>said {NAMES[1]}"])
    copied = Copies(place.folder, "demo", NAMES, said).agreement()
    command(copied, tmp_path / "out")
    (pair,) = json.loads((tmp_path / "out" / "agreement.json").read_text())["pairs"]
    assert pair["same"]["value"] == 0  # of clips on which they differ they agree on none
    assert "(no interval)" in python(copied) or "[" in python(copied)


@pytest.mark.parametrize("source", [None, FitOn(half=True), FitOn(where="label_name=disgust|sad")])
def test_calibration(place: Workspace, tmp_path: Path, source: FitOn | None) -> None:
    copied = Copies(place.folder, "demo", NAMES, Selection()).calibration(NAMES[1], "mass", source)
    command(copied, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert ("scaling" in found) == (source is not None)
    printed = python(copied)
    assert ("temperature" in printed) == (source is not None)
    if source is not None:
        scaling = found["scaling"]
        assert scaling["n_fit"] + scaling["before"]["n"] == CLIPS
        assert f"temperature {scaling['temperature']:.3f} from {scaling['n_fit']} validation clips" in printed


def test_a_selection_of_no_clips_is_one_clear_line(place: Workspace, tmp_path: Path) -> None:
    copied = Copies(place.folder, "demo", NAMES, Selection.parse(["background=nowhere"])).scores()
    done = CliRunner().invoke(app, [*copied[0][1:], "--out", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert "no clip passes background is nowhere" in str(done.exception)
    assert not (tmp_path / "out").exists()
