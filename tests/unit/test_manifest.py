import errno
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from media import gray_images, write_video

from ifdd.data import manifest
from ifdd.data.manifest import REQUIRED, clip_path, data_hash, files_hash, index_folder, read_manifest, write_manifest
from ifdd.errors import InputError


@pytest.fixture
def table() -> pd.DataFrame:
    columns = {
        "clip_id": ["a", "b", "c"], "path": ["x/a.mp4", "x/b.mp4", "é/c"], "kind": ["video", "video", "frames"],
        "n_frames": [16, 20, 16], "fps": [25.0, 30.0, 25.0], "width": 112, "height": 112,
        "label": [0, 1, 0], "label_name": ["happy", "sad", "happy"], "fold": [1, 1, 2], "subject": ["s1", "s2", "s1"],
        "light": [0.1, 0.2, 0.3],
    }  # fmt: skip
    return pd.DataFrame(columns)


def test_round_trip(table: pd.DataFrame, tmp_path: Path) -> None:
    write_manifest(table, tmp_path / "new folder")
    for path in (tmp_path / "new folder", tmp_path / "new folder/clips.parquet"):
        again = read_manifest(path)
        pd.testing.assert_frame_equal(again, table)
        assert again.attrs["root"] == str(tmp_path / "new folder")
    expected = tmp_path / "new folder/é/c"
    assert clip_path(again, again.iloc[2]) == expected
    assert clip_path(tmp_path / "new folder", {"path": "é/c"}) == expected
    assert [clip_path(again, row) for row in again.itertuples()][2] == expected


CHANGES: dict[str, tuple[Callable[[pd.DataFrame], object], str]] = {
    "column": (lambda t: t.drop(columns=["fold", "fps"]), "column fps, fold is missing"),
    "rows": (lambda t: t.iloc[:0], "lists no clip"),
    "twice": (lambda t: t.assign(clip_id=["a", "b", "a"]), "clip_id 'a' is there twice"),
    "name": (lambda t: t.assign(label_name=["happy", "sad", "fear"]), "label 0 goes with label_name happy and fear"),
    "label": (lambda t: t.assign(label=[0, 1, 2]), "label_name happy goes with label 0 and 2"),
    "negative": (lambda t: t.assign(label=[-1, 1, -1]), "whole numbers from 0"),
    "text": (lambda t: t.assign(label=["0", "1", "0"]), "whole numbers from 0"),
    "fold": (lambda t: t.assign(fold=["a", "b", "c"]), "folds must be whole numbers"),
    "no fold": (lambda t: t.assign(fold=[0, None, 1]), "folds must be whole numbers"),
    "kind": (lambda t: t.assign(kind=["video", "gif", "frames"]), "kind 'gif' is unknown"),
    "empty": (lambda t: t.assign(path=["a", None, "b"]), "path is empty in row 1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_wrong_is_named_on_reading_and_writing(table: pd.DataFrame, tmp_path: Path, change: str) -> None:
    alter, message = CHANGES[change]
    bad = alter(table)
    with pytest.raises(InputError, match=message):
        write_manifest(bad, tmp_path)
    assert list(tmp_path.iterdir()) == []
    bad.to_parquet(tmp_path / "clips.parquet")
    with pytest.raises(InputError, match=message) as caught:
        read_manifest(tmp_path)
    assert str(tmp_path / "clips.parquet") in str(caught.value)


def test_files_that_are_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such manifest"):
        read_manifest(tmp_path)
    (tmp_path / "clips.parquet").write_text("text")
    with pytest.raises(InputError, match="not a parquet table"):
        read_manifest(tmp_path)


def test_a_full_disk_leaves_the_old_manifest(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(table, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(InputError, match="No space left"):
        write_manifest(table.iloc[:1], tmp_path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == [manifest.FILE_NAME]
    pd.testing.assert_frame_equal(read_manifest(tmp_path), table)


def test_data_hash_depends_on_clips_and_labels_in_order(table: pd.DataFrame) -> None:
    same = data_hash(table.assign(light=0, fold=9).convert_dtypes())
    assert data_hash(table) == same
    changed = [
        table.iloc[::-1],
        table.assign(label=[0, 1, 1]),
        table.assign(path=["x", "y", "z"]),
        table.assign(clip_id=list("xyz")),
    ]
    assert len({same, *(data_hash(other) for other in changed)}) == 5


def test_files_hash_sees_a_frame_that_is_written_again(table: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "é/c").mkdir(parents=True)
    for name in ("x/a.mp4", "x/b.mp4", "é/c/1.png"):
        (tmp_path / name).write_text("12")
    table.attrs["root"] = str(tmp_path)
    before = files_hash(table)
    assert files_hash(table) == before
    (tmp_path / "é/c/1.png").write_text("1")
    after = files_hash(table)
    assert after != before
    (tmp_path / "x/b.mp4").unlink()
    with pytest.raises(InputError, match=r"x/b\.mp4: No such file"):
        files_hash(table)


def test_index_folder(tmp_path: Path) -> None:
    for name in ("sad", "happy", ".hidden"):
        (tmp_path / name).mkdir()
    write_video(tmp_path / "sad/10.mp4", gray_images(range(12)))
    write_video(tmp_path / "sad/2 é.mp4", gray_images(range(7)))
    (tmp_path / "happy/frames").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"happy/frames/{index}.png"), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "happy/.DS_Store").write_text("left out")
    table = index_folder(tmp_path, ("happy", "sad", "fear"))
    assert tuple(table.columns) == (*REQUIRED, "crop")
    assert table["crop"].tolist() == ["none", "face", "face"]
    assert index_folder(tmp_path, ("happy", "sad", "fear"), "center")["crop"].tolist() == ["center"] * 3
    assert table["path"].tolist() == ["happy/frames", "sad/2 é.mp4", "sad/10.mp4"]
    assert table[["kind", "n_frames", "width", "height", "label"]].to_numpy().tolist() == [
        ["frames", 3, 30, 20, 0],
        ["video", 7, 64, 48, 1],
        ["video", 12, 64, 48, 1],
    ]
    write_manifest(table, tmp_path)
    assert clip_path(read_manifest(tmp_path), table.iloc[1]).is_file()
    (tmp_path / "sad/notes.txt").write_text("no video")
    with pytest.raises(InputError, match=r"notes\.txt"):
        index_folder(tmp_path, ("happy", "sad"))
    with pytest.raises(InputError, match="folder sad is no class"):
        index_folder(tmp_path, ("happy",))
    with pytest.raises(InputError, match="no such folder"):
        index_folder(tmp_path / "nowhere", ("happy",))
    with pytest.raises(InputError, match="no clips"):
        index_folder(tmp_path / "happy/frames", ("happy",))
