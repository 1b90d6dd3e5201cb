"""What is damaged while the app shows it: the page says so, of each model once, and the others go on."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tiny_demo import TinyDemo
from workbench.app import selection

Start = Callable[..., AppTest]
FRESH = "tiny-ifdd"
OTHER = "tiny-baseline"


def panels(app: AppTest) -> list[str]:
    assert not app.exception, app.exception
    return [item.value.replace("\\", "") for item in app.error]


def collection(tiny: TinyDemo) -> Path:
    return tiny.demo / "collections" / "demo" / FRESH


def cut_predictions(tiny: TinyDemo) -> None:
    file = collection(tiny) / "predictions.parquet"
    file.write_bytes(file.read_bytes()[:1000])


def swap_weights(tiny: TinyDemo) -> None:
    shutil.copy(tiny.checkpoints / OTHER / "weights.safetensors", tiny.checkpoints / FRESH)


def swap_checkpoint(tiny: TinyDemo) -> None:
    shutil.rmtree(tiny.checkpoints / FRESH)
    shutil.copytree(tiny.checkpoints / OTHER, tiny.checkpoints / FRESH)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_predictions, "predictions.parquet cannot be read as a table"),
        (swap_weights, "the weights are not the ones that the card describes"),
        (swap_checkpoint, f"was collected with checkpoint {FRESH}"),
    ],
)
def test_browse_says_whose_answers_are_left_out(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path, damage: Callable[[TinyDemo], None], said: str
) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, "browse")
    assert not panels(app)
    damage(tiny)
    (told,) = panels(app.run())
    assert said in told


def test_browse_says_who_has_not_read_the_clips(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, "browse")
    shutil.rmtree(collection(tiny))
    app = app.run()
    assert not panels(app)
    assert any(f"{FRESH} has not read these clips" in item.value.replace("\\", "") for item in app.caption)


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EROFS, "start the app on a copy"),
        (errno.ENOSPC, "make room"),
        (errno.ENOENT, "put it back"),
        (errno.EIO, "try again"),
    ],
)
def test_what_the_disk_refuses_has_a_way_out_of_its_own(
    start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch, number: int, way_out: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/place")

    app = start(tiny_demo, "browse")
    monkeypatch.setattr(selection, "FEW", 2)
    monkeypatch.setattr(selection, "write_json", refuse)
    (told,) = panels(app.text_input("browse_find").set_value("tiny-test").run())
    assert os.strerror(number) in told
    assert way_out in told
    assert ("the disk is full" in told) == (number in (errno.ENOSPC, errno.EIO))


@pytest.mark.parametrize(("number", "way_out"), [(errno.EROFS, "start the app on a copy"), (errno.ENOSPC, "the disk is full")])
def test_a_slice_that_cannot_be_kept_tells_what_to_do_here(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, way_out: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    app = start(tiny_demo.copy_to(tmp_path), "browse", sel="label_name=sad")
    app = app.text_input("slices_name").set_value("mine").run()
    monkeypatch.setattr("ifdd.io.os.fsync", refuse)
    (told,) = panels(next(item for item in app.button if item.label == "Save the selection").click().run())
    assert os.strerror(number) in told
    assert way_out in told
    assert "another folder" not in told


@pytest.mark.parametrize("page", ["training", "jobs", "disentanglement"])
def test_a_file_in_the_place_of_the_results_is_told(start: Start, tiny_demo: TinyDemo, tmp_path: Path, page: str) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, page)
    shutil.rmtree(tiny.demo / "results", ignore_errors=True)
    (tiny.demo / "results").write_text("in the way")
    told = panels(app.run())
    assert page == "jobs" or any("is no folder, so that no job can run there" in text for text in told)


def test_figures_tell_of_a_damaged_checkpoint_once(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, "figures")
    swap_weights(tiny)
    assert len(panels(app.run())) == 1


@pytest.mark.parametrize("page", ["training", "browse", "overview"])
def test_a_model_that_was_in_view_and_is_gone_is_told(start: Start, tiny_demo: TinyDemo, tmp_path: Path, page: str) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    app = start(tiny, page)
    shutil.rmtree(tiny.checkpoints / FRESH)
    told = [item.value.replace("\\", "") for item in app.run().warning if "is not there any more" in item.value]
    assert told == [f"What was in view is not there any more: {FRESH}."]
    assert not [item for item in app.run().warning if "is not there any more" in item.value]


def test_where_no_other_model_is_to_be_had_nothing_says_to_choose_one(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    shutil.rmtree(tiny.checkpoints / FRESH)
    shutil.rmtree(collection(tiny))
    (told,) = panels(start(tiny, "comparison"))
    assert "workbench import" in told
    (told,) = panels(start(tiny_demo, "comparison", models=OTHER))
    assert "choose another in the bar above" in told
