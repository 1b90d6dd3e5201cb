"""What `make app` prepares, with checkpoints of random weights."""

import json
import shutil
from pathlib import Path

import pytest

from ifdd.checkpoints import list_checkpoints, load_checkpoint
from ifdd.errors import InputError
from tests.tiny_demo import MODELS, make_checkpoints
from workbench.store import demo
from workbench.store.demo import prepare_demo
from workbench.store.layout import FILE
from workbench.store.workspace import open_workspace


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkpoints"
    make_checkpoints(folder)
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(folder))
    return folder


def test_demo_is_made_once_and_what_changed_is_made_anew(checkpoints: Path, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    first = prepare_demo(out, clips=7)
    assert set(first) == set(MODELS)
    assert [len(found.predictions) for found in first.values()] == [7, 7]
    written = {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()}
    prepare_demo(out, clips=7)
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()} == written
    shutil.rmtree(checkpoints / "tiny-ifdd")
    shutil.copytree(checkpoints / "tiny-baseline", checkpoints / "tiny-ifdd")
    again = prepare_demo(out, clips=7)
    assert again["tiny-ifdd"].meta["checkpoint"]["sha256"] == load_checkpoint("tiny-baseline").card.sha256
    assert (out / "collections" / "demo" / "tiny-baseline" / "manifest.json").stat().st_mtime_ns == written[
        out / "collections" / "demo" / "tiny-baseline" / "manifest.json"
    ]


def test_checkpoints_of_other_clips_are_left_to_the_app(checkpoints: Path, tmp_path: Path) -> None:
    file = checkpoints / "tiny-ifdd" / "card.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    card["data"]["test"]["difficulty"] = demo.DEMO_DIFFICULTY
    file.write_text(json.dumps(card), encoding="utf-8")
    out = tmp_path / "demo"
    assert set(prepare_demo(out, clips=7)) == {"tiny-ifdd"}
    # what the app has collected since, and of another checkpoint than stands there now, is made anew
    shutil.copytree(out / "collections" / "demo" / "tiny-ifdd", out / "collections" / "demo" / "tiny-baseline")
    again = prepare_demo(out, clips=7)["tiny-baseline"]
    assert again.meta["checkpoint"]["sha256"] == load_checkpoint("tiny-baseline").card.sha256


def test_a_damaged_checkpoint_does_not_stop_the_others(checkpoints: Path, tmp_path: Path) -> None:
    (checkpoints / "tiny-ifdd" / "weights.safetensors").write_bytes(b"x")
    with pytest.warns(UserWarning, match="tiny-ifdd"):
        assert set(prepare_demo(tmp_path / "demo", clips=7)) == {"tiny-baseline"}
    (checkpoints / "tiny-baseline" / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="sha256"):
        prepare_demo(tmp_path / "demo", clips=7)


def test_a_folder_of_something_else_is_left_alone(checkpoints: Path, tmp_path: Path) -> None:
    (tmp_path / "demo" / "datasets" / "demo").mkdir(parents=True)
    (tmp_path / "demo" / "datasets" / "demo" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="no folder of demo clips"):
        prepare_demo(tmp_path / "demo", clips=7)
    assert (tmp_path / "demo" / "datasets" / "demo" / "mine.txt").read_text() == "mine"


def test_demo_is_of_the_data_that_the_shipped_cards_speak_of() -> None:
    for folder in list_checkpoints().values():
        if folder.parent.name == "checkpoints" and folder.name.startswith("scripted-"):
            card = json.loads((folder / "card.json").read_text())
            assert card["data"]["test"]["difficulty"] == demo.DEMO_DIFFICULTY


def test_a_demo_as_it_lay_before_there_were_workspaces_is_made_anew(checkpoints: Path, tmp_path: Path) -> None:
    """Then clips lay in clips/, and collections by checkpoint alone; anything else in clips/ is not ours to remove."""
    out = tmp_path / "demo"
    prepare_demo(out, clips=7)
    shutil.move(out / "datasets" / "demo", out / "clips")
    for name in MODELS:
        shutil.move(out / "collections" / "demo" / name, out / "collections" / name)
    (out / FILE).unlink()
    again = prepare_demo(out, clips=7)
    assert sorted(path.name for path in out.iterdir()) == ["collections", "datasets", FILE]
    assert [path.name for path in (out / "collections").iterdir()] == ["demo"]
    place = open_workspace(out)
    for name, found in again.items():
        assert found.folder == place.collection_folder("demo", name)
        assert place.dataset("demo").collection(load_checkpoint(name), name).meta == found.meta
    (out / "clips").mkdir()
    (out / "clips" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="clips is no folder of demo clips"):
        prepare_demo(out, clips=7)
    assert (out / "clips" / "mine.txt").read_text() == "mine"
    assert place.datasets == ("demo",)
