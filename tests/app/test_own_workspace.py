"""A workspace of one's own in the app: several datasets, a link that leads nowhere, checkpoints that are links."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ifdd.labels import EMOTIONS
from tests.app.waiting import finished
from tests.tiny_demo import CLIPS, TinyDemo
from workbench.store.workspace import Workspace, init_workspace

Start = Callable[..., AppTest]


@pytest.fixture
def own(tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two datasets, of which one leads nowhere, and two checkpoints, of which one is damaged; nothing is collected yet."""
    copy = tiny_demo.copy_to(tmp_path)
    manifest = copy.demo / "datasets" / "demo" / "clips.parquet"
    run = tmp_path / "runs" / "one"
    shutil.copytree(copy.checkpoints / "tiny-ifdd", run / "checkpoint")
    shutil.copytree(copy.checkpoints / "tiny-baseline", tmp_path / "odd")
    made = init_workspace(tmp_path / "mine", {"mine": manifest}, [run, tmp_path / "odd"])
    (made.folder / "datasets" / "a-gone").symlink_to(tmp_path / "gone")
    card = tmp_path / "odd" / "card.json"
    card.write_text(card.read_text().replace('"schema_version": ', '"schema_version": 9'))
    monkeypatch.setenv("IFDD_WORKSPACE", str(made.folder))
    return made


def told(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(item.value for item in app.error).replace("\\", "")


def test_bad_pieces_are_panels_and_the_rest_is_shown(start: Start, tiny_demo: TinyDemo, own: Workspace) -> None:
    app = start(tiny_demo)
    assert "the dataset" not in told(app)  # what can be read is shown
    assert app.selectbox("dataset").options == ["mine", "a-gone (cannot be read)"]
    warning = next(item for item in app.warning if "a-gone" in item.value)
    assert "a-gone cannot be read: the dataset a-gone" in warning.value.replace("\\", "")
    assert "gone, which is not there; mend or remove" in warning.value.replace("\\", "")
    app = app.selectbox("dataset").set_value("a-gone").run()
    assert "the dataset a-gone" in told(app)
    app = app.selectbox("dataset").set_value("mine").run()
    assert "card.json has schema version" in told(app)
    offer = " ".join(item.value for item in app.markdown).replace("\\", "")
    assert f"{CLIPS} clips have not been read with tiny-ifdd yet" in offer
    app = finished(app, "Read the clips")
    assert app.dataframe[0].value["model"].tolist() == ["tiny-ifdd"]
    assert (own.collection_folder("mine", "tiny-ifdd") / "manifest.json").is_file()
    app = app.switch_page("clip.py").run()
    assert app.title[0].value.startswith("tiny-test-")
    assert "the dataset" not in told(app)


def test_half_a_workspace_is_told_and_videos_can_be_uploaded(start: Start, tiny_demo: TinyDemo, own: Workspace) -> None:
    (own.folder / "workspace.json").unlink()
    app = start(tiny_demo)
    assert "is half a workspace: it has datasets" in told(app)
    assert f"workbench init {own.folder}" in told(app)
    app = start(tiny_demo, "upload")
    assert [item.label for item in app.get("file_uploader")]


def test_a_collection_of_clips_that_have_changed_is_a_panel_beside_the_others(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path
) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    folder = copy.demo / "collections" / "demo" / "tiny-ifdd"
    table = pd.read_parquet(folder / "predictions.parquet")
    first = int(table["label"].iloc[0])
    table.loc[0, "label"], table.loc[0, "label_name"] = (first + 1) % 7, EMOTIONS[(first + 1) % 7]
    table.to_parquet(folder / "predictions.parquet")
    about = json.loads((folder / "manifest.json").read_text())
    about["data"]["hash"] = "0" * 64  # of the list as it was
    (folder / "manifest.json").write_text(json.dumps(about))
    app = start(copy)
    assert "1 of 14 clips" in told(app)
    assert "have another label now" in told(app)
    assert f"workbench collect tiny-ifdd --dataset demo --workspace {copy.demo}" in told(app)
    assert app.dataframe[0].value["model"].tolist() == ["tiny-baseline"]
