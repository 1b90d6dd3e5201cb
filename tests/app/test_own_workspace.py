"""A workspace of one's own in the app: several datasets, a link that leads nowhere, checkpoints that are links."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

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
    assert app.sidebar.selectbox("dataset").options == ["mine", "a-gone (cannot be read)"]
    (warning,) = app.sidebar.warning
    assert "a-gone cannot be read: the dataset a-gone" in warning.value.replace("\\", "")
    assert "gone, which is not there; mend or remove" in warning.value.replace("\\", "")
    app = app.sidebar.selectbox("dataset").set_value("a-gone").run()
    assert "the dataset a-gone" in told(app)
    app = app.sidebar.selectbox("dataset").set_value("mine").run()
    assert "card.json has schema version" in told(app)
    offer = " ".join(item.value for item in app.markdown).replace("\\", "")
    assert f"{CLIPS} clips have not been read with tiny-ifdd yet" in offer
    app = app.button("read_tiny-ifdd").click().run()
    assert [item.label for item in app.metric] == ["WAR", "UAR", "Constant guess"]
    assert (own.collection_folder("mine", "tiny-ifdd") / "manifest.json").is_file()
    app = app.switch_page("clip.py").run()
    assert app.title[0].value.startswith("tiny-test-")
    assert "the dataset" not in told(app)
