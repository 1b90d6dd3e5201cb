"""The page Figures: sets that were made, and what makes a new one."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.waiting import finished
from tests.tiny_demo import TinyDemo
from workbench import cli
from workbench.app.figure_sets import FiguresAsked, ReportAsked, figure_sets

Start = Callable[..., AppTest]


def run_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as end, pytest.warns(UserWarning, match="lacks the means"):  # the tiny demo keeps few
        cli.main()
    assert not end.value.code


def test_what_the_page_asks_for_is_made_and_shown(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, "figures")
    assert not app.exception
    assert any("No figures have been made" in item.value for item in app.markdown)
    app.multiselect("figures_only").set_value(["ous_fig5_confusion"]).run()
    app.button_group("figures_column").set_value("single").run()
    command = next(item.value for item in app.code if item.language == "bash")
    assert shlex.split(command)[-4:] == ["--column", "single", "--only", "ous_fig5_confusion"]
    run_command(f"{command} --formats png,svg", monkeypatch)
    (made,) = figure_sets([tiny.demo / "results"])
    app = app.run()
    assert not app.exception
    assert not app.error
    assert any(made.figures[0].caption in item.value for item in app.markdown)
    assert "89 mm" in " ".join(item.value for item in app.caption)
    assert [item.proto.label for item in app.get("download_button")] == ["PNG", "SVG", "Numbers, CSV"]
    assert any("weights sha256" in item.value for item in app.markdown)  # of the passport


def test_the_report_is_a_job_whose_file_can_be_taken_along(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, "figures")
    command = next(item.value for item in app.code if item.value.startswith("workbench report"))
    made = ReportAsked(tiny.demo, "demo", tuple(shlex.split(command)[2:4]))
    assert made.argv == shlex.split(command)
    compile(made.python, "told", "exec")
    app = finished(app, "Write the report")
    assert not app.exception
    assert not app.error
    assert "Write the report" not in [item.label for item in app.button]
    assert [item.proto.label for item in app.get("download_button")] == ["Report, HTML"]
    (file,) = (tiny.demo / "results" / "jobs").glob("*/result/report.html")
    assert "tiny-ifdd" in file.read_text(encoding="utf-8")


def test_a_damaged_set_is_a_panel(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    (tiny.demo / "results" / "figures-1").mkdir(parents=True)
    (tiny.demo / "results" / "figures-1" / "captions.md").write_text("nothing\n")
    app = start(tiny, "figures")
    assert "names no figures" in app.error[0].value.replace("\\", "")


def test_the_wish_in_python_is_that_of_the_command(tmp_path: Path) -> None:
    asked = FiguresAsked(tmp_path, "demo", ("a", "b"), "double", None, tmp_path / "benchmark.json")
    assert asked.argv[:4] == ["workbench", "figures", "a", "b"]
    assert "--only" not in asked.argv
    assert asked.argv[-2:] == ["--benchmark", str(tmp_path / "benchmark.json")]
    compile(asked.python, "wish", "exec")
    assert "column='double', benchmark=Path(" in asked.python
