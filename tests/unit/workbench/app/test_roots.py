"""Which paths the app opens."""

import os
from pathlib import Path

import pytest

from ifdd.errors import InputError
from workbench.app.roots import roots_of, within
from workbench.app.serve import root_settings
from workbench.store.workspace import Workspace, mark


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a dataset elsewhere, a manifest elsewhere, a root, and a secret beside them."""
    for name in ("mine/datasets", "mine/collections", "faces", "lists", "videos", "private"):
        (tmp_path / name).mkdir(parents=True)
    mark(tmp_path / "mine")
    for name in ("mine/own.mp4", "faces/a.mp4", "lists/b.mp4", "lists/clips.csv", "videos/c.mp4", "private/secret.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "mine/datasets/faces").symlink_to(tmp_path / "faces")
    (tmp_path / "mine/datasets/list").symlink_to(tmp_path / "lists/clips.csv")
    (tmp_path / "mine/datasets/gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "videos/way-out.mp4").symlink_to(tmp_path / "private/secret.mp4")
    (tmp_path / "videos/folder").mkdir()
    (tmp_path / "videos/folder/1.png").symlink_to(tmp_path / "private/secret.mp4")
    (tmp_path / "videos/circle.mp4").symlink_to(tmp_path / "videos/circle.mp4")
    monkeypatch.setenv("IFDD_ROOTS", root_settings([tmp_path / "videos"])["IFDD_ROOTS"])
    return tmp_path


def test_what_lies_below_is_opened(place: Path) -> None:
    roots = roots_of(Workspace(place / "mine"))
    assert set(roots) == {(place / name).resolve() for name in ("mine", "faces", "videos")}
    for name in ("mine/own.mp4", "faces/a.mp4", "videos/c.mp4", "mine/datasets/faces/a.mp4", "videos/../videos/c.mp4"):
        assert within(str(place / name), roots) == (place / name).resolve()
    assert within("own.mp4", roots) == place / "mine" / "own.mp4"
    assert within("c.mp4", roots) == place / "videos" / "c.mp4"


@pytest.mark.parametrize(
    "name",
    [
        "{}/private/secret.mp4",
        "{}/private/nothing.mp4",  # whether it is there is not told
        "{}/videos/way-out.mp4",
        "{}/videos/../private/secret.mp4",
        "../private/secret.mp4",
        "{}/mine/datasets/../../private/secret.mp4",
        "{}/lists/b.mp4",
        "{}/videos/circle.mp4",
        "/etc/passwd",
        "~/secret.mp4",
        "/proc/self/environ",
        "/" + "a" * 5000,
    ],
)
def test_what_lies_elsewhere_is_not(place: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"not below what this app may open.*--root") as told:
        within(name.format(place), roots_of(Workspace(place / "mine")))
    assert "secret.mp4 is there" not in str(told.value)


def test_a_folder_of_frames_may_not_lead_out(place: Path) -> None:
    with pytest.raises(InputError, match=r"1\.png is a link to elsewhere"):
        within(str(place / "videos/folder"), roots_of(Workspace(place / "mine")))


@pytest.mark.parametrize(("name", "match"), [("videos/nothing.mp4", "is not there"), ("videos/\0.mp4", "NUL")])
def test_what_is_not_there(place: Path, name: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        within(str(place / name), roots_of(Workspace(place / "mine")))


def test_a_root_is_a_folder(place: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        root_settings([place / "videos" / "c.mp4"])
    assert root_settings([place / "videos", place / "faces"])["IFDD_ROOTS"].split(os.pathsep) == [
        str(place / "videos"),
        str(place / "faces"),
    ]
