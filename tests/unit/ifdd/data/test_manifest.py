import errno
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import gray_images, write_video

from ifdd.data import manifest
from ifdd.data.manifest import (
    NO_LABEL,
    REQUIRED,
    clip_path,
    columns,
    data_hash,
    files_hash,
    has_labels,
    index_folder,
    index_list,
    index_unlabelled,
    need_labels,
    read_manifest,
    write_manifest,
)
from ifdd.data.manifest.columns import numbers, plain
from ifdd.data.manifest.table import complete
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


@pytest.fixture
def table() -> pd.DataFrame:
    columns = {
        "clip_id": ["a", "b", "c"],
        "path": ["x/a.mp4", "x/b.mp4", "é/c"],
        "kind": ["video", "video", "frames"],
        "n_frames": [16, 20, 16],
        "fps": [25.0, 30.0, 25.0],
        "width": 112,
        "height": 112,
        "label": [0, 1, 0],
        "label_name": ["happy", "sad", "happy"],
        "fold": [1, 1, 2],
        "subject": ["s1", "s2", "s1"],
        "light": [0.1, 0.2, 0.3],
    }
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
    "column": (lambda t: t.drop(columns=["path", "label", "label_name"]), "column path is missing; a manifest needs path"),
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
    "no names": (lambda t: t.drop(columns="label_name"), "nothing says which class they stand for; .*ifdd data index .*--labels"),
    "no label": (lambda t: t.assign(label=[0, None, 0]), r"label is empty in row 1 \(1 of 3\); all clips have a label or none"),
    "no name of a label": (lambda t: t.assign(label_name=["happy", "sad", ""]), "label_name is empty in row 2"),
    "half label": (lambda t: t.assign(label=[0, 0.5, 0]), "whole numbers from 0"),
    "infinite label": (lambda t: t.assign(label=[0, np.inf, 0]), "whole numbers from 0"),
    "text in numbers": (
        lambda t: t.assign(n_frames=["16", "many", "16"]),
        "n_frames is 'many' in row 1; write whole numbers from 1",
    ),
    "text as rate": (lambda t: t.assign(fps=["25 fps", "25", "25"]), "fps is '25 fps' in row 0; write numbers from 0"),
    "infinite rate": (lambda t: t.assign(fps=np.inf), "fps is inf in row 0"),
    "no frames": (lambda t: t.assign(n_frames=0), "n_frames is 0 in row 0; write whole numbers from 1"),
    "half a pixel": (lambda t: t.assign(width=0.5), "width is 0.5 in row 0"),
    "votes": (lambda t: t.assign(votes_sad=["1", "two", "3"]), "votes_sad is 'two' in row 1"),
    "fewer votes": (lambda t: t.assign(votes_sad=-1), "votes_sad is -1"),
    "crop": (lambda t: t.assign(crop=["face", "head", "none"]), "crop 'head' is unknown; use face, center or none"),
    "NUL": (lambda t: t.assign(path=["a\0", "b", "c"]), r"path is 'a\\x00' in row 0, which is not plain text"),
    "lines": (lambda t: t.assign(clip_id=["a\nb", "b", "c"]), r"clip_id is 'a\\nb' in row 0"),
    "list": (lambda t: t.assign(subject=[["s1"], ["s2"], ["s1"]]), "subject is a (list|ndarray) in row 0; write one name"),
    "way up": (lambda t: t.assign(clip_id=["../../a", "b", "c"]), r"clip_id '../../a' leads out of its folder"),
    "nested path": (lambda t: t.assign(path=[{"a": 1}] * 3), "path is a dict in row 0"),
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


def test_a_list_without_labels_has_none_in_memory_and_no_column_on_disk(table: pd.DataFrame, tmp_path: Path) -> None:
    bare = table.drop(columns=["label", "label_name"])
    write_manifest(bare, tmp_path)
    assert not {"label", "label_name"} & set(pd.read_parquet(tmp_path / "clips.parquet").columns)
    read = read_manifest(tmp_path)
    assert not has_labels(read)
    assert has_labels(table)
    assert (set(read["label"]), set(read["label_name"])) == ({NO_LABEL}, {""})
    pd.testing.assert_frame_equal(read[list(bare.columns)], bare)
    write_manifest(read, tmp_path / "again")
    assert (tmp_path / "again/clips.parquet").read_bytes() == (tmp_path / "clips.parquet").read_bytes()
    (tmp_path / "a.csv").write_text("path\nx.mp4\n")
    assert not has_labels(read_manifest(tmp_path / "a.csv"))
    need_labels(table, "list", "training")
    with pytest.raises(InputError, match=r"^list has no labels, needed for training; add a column label"):
        need_labels(read, "list", "training")


@given(st.lists(st.sampled_from(EMOTIONS), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_labels_are_read_as_they_are_written_or_not_at_all(names: list[str], numbered: bool, labelled: bool) -> None:
    """The name of each clip's class survives whatever form it is given in; without one, nothing stands in for it."""
    given_as = {"label": [EMOTIONS.index(name) for name in names], "label_name": names} if numbered else {"label": names}
    frame = pd.DataFrame({"path": [f"{i}.mp4" for i in range(len(names))]} | (given_as if labelled else {}))
    found = complete(complete(frame, Path(), "list"), Path(), "list")
    assert found["label_name"].tolist() == (names if labelled else [""] * len(names))
    assert found["label"].tolist() == ([EMOTIONS.index(name) for name in names] if labelled else [NO_LABEL] * len(names))


def test_a_folder_without_labels_is_searched_at_any_depth(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for name in ("10.mp4", "2.mp4", "s01/talk/a.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(root / name, gray_images(range(4)))
    for i in range(3):
        (root / "s02" / "frames").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "s02" / "frames" / f"{i}.png"), gray_images([i])[0])
    (root / "s01" / "notes.txt").write_text("x")
    (root / "s01" / "poster.png").write_bytes((root / "s02/frames/0.png").read_bytes())
    (root / "s01" / "loop").symlink_to(root, target_is_directory=True)
    (root / ".hidden").mkdir()
    found = index_unlabelled(root)
    assert found["path"].tolist() == ["2.mp4", "10.mp4", "s01/talk/a.mp4", "s02/frames"]
    assert found["kind"].tolist() == ["video", "video", "video", "frames"]
    assert found["n_frames"].tolist() == [4, 4, 4, 3]
    assert not has_labels(found)
    assert found.attrs["notes"] == ("left out as no clips: 1 files (.txt)",)
    with pytest.raises(InputError, match=r"frames is a folder of frames, one clip; give the folder above it, .*s02$"):
        index_unlabelled(root / "s02" / "frames")
    with pytest.raises(InputError, match="no clips; give a folder that holds videos"):
        index_unlabelled(root / ".hidden")
    with pytest.raises(InputError, match="or say --unlabelled if they have none"):
        index_folder(root / "s02", names={"frames": ""})


def test_a_list_says_that_it_has_no_labels(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", gray_images(range(4)))
    write_video(tmp_path / "b.mp4", gray_images(range(4)))
    file = tmp_path / "list.csv"
    file.write_text("path,emotion\na.mp4,happy\nb.mp4,sad\n")
    with pytest.raises(InputError, match=r"column label is missing, the columns are path, emotion; name .* or say --unlabelled"):
        index_list(file)
    found = index_list(file, unlabelled=True)
    assert not has_labels(found)
    assert found["emotion"].tolist() == ["happy", "sad"]
    file.write_text("path,label\na.mp4,happy\nb.mp4,\n")
    found = index_list(file, unlabelled=True)
    assert not has_labels(found)
    assert found.attrs["notes"] == ("the list's column label is left out",)


def test_files_that_are_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such manifest"):
        read_manifest(tmp_path)
    (tmp_path / "clips.parquet").write_text("text")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_manifest(tmp_path)
    (tmp_path / "a.csv").write_bytes("path,label\na,happy\n".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_manifest(tmp_path / "a.csv")
    for text, message in TEXTS.items():
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(InputError, match=message):
            read_manifest(tmp_path / "a.csv")


TEXTS = {
    "": "lists no clip",
    "path,label\n": "lists no clip",
    "path,label\na.mp4,happy,1\n": "row 0 has 3 cells, the header has 2",
    'path,label\n"a.mp4,happy\n': "not a table of text",
    "path,label\na\0,happy\n": "holds NUL characters",
    "path,path,label\na,b,happy\n": "column path is there twice",
    "path,,label\na,1,happy\n": "column '' has no name",
    "path,label\na.mp4,\n": "label is empty in row 0",
    "path,label\n,happy\n": "path is empty in row 0",
    "path,label,fold\na,happy,first\n": "folds must be whole numbers",
    "path,label,fps\na,happy,25 fps\n": "fps is '25 fps' in row 0",
}


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
    assert files_hash(table) not in (before, after)  # reading the clip says that it is gone


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
    for name in ("Thumbs.db", "2 é.TXT", "10.srt", "10.wav", "SHA256SUMS"):
        (tmp_path / "sad" / name).write_text("what lies beside clips")
    (tmp_path / "__MACOSX").mkdir()  # what a ZIP file of a Mac leaves
    beside = index_folder(tmp_path, ("happy", "sad"))
    assert beside["path"].tolist() == table["path"].tolist()
    assert beside.attrs["notes"] == ("left out as no clips: 5 files (.db, .srt, .txt, .wav, SHA256SUMS)",)
    (tmp_path / "sad/12.mov").write_text("no video")
    with pytest.raises(InputError, match=r"12\.mov"):
        index_folder(tmp_path, ("happy", "sad"))
    with pytest.raises(InputError, match=r"written as parquet; name it .*clips\.parquet"):
        write_manifest(table, tmp_path / "clips.csv")
    with pytest.raises(InputError, match="sad is no class; classes are happy; say what is meant with --map sad=CLASS"):
        index_folder(tmp_path, ("happy",))
    with pytest.raises(InputError, match="no such folder"):
        index_folder(tmp_path / "nowhere", ("happy",))
    with pytest.raises(InputError, match="no clips"):
        index_folder(tmp_path / "happy/frames", ("happy",))


def test_the_folder_of_one_class_sends_you_one_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANG", "Sadness"):
        (tmp_path / name).mkdir()
        write_video(tmp_path / name / "1.mp4", gray_images(range(4)))
    with pytest.raises(InputError, match=rf"ANG is the folder of one class \(angry\); give the folder above it, {tmp_path}$"):
        index_folder(tmp_path / "ANG")
    with pytest.raises(InputError, match=r"one class \(disgust\)"):
        index_folder(tmp_path / "ANG", names={"ANG": "disgust"})
    monkeypatch.chdir(tmp_path / "Sadness")
    with pytest.raises(InputError, match=r"^\. is the folder of one class \(sad\); give the folder above it, \.\.$"):
        index_folder(".")
    (tmp_path / "ANG/frames").mkdir()  # a clip that is a folder of frames
    cv2.imwrite(str(tmp_path / "ANG/frames/0.png"), np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(InputError, match=r"one class \(angry\)"):
        index_folder(tmp_path / "ANG")
    (tmp_path / "plain").mkdir()
    write_video(tmp_path / "plain/1.mp4", gray_images(range(4)))
    with pytest.raises(InputError, match=r"plain: no clips in folders named happy.*put each clip into a folder named after"):
        index_folder(tmp_path / "plain")
    (tmp_path / "happy/sad").mkdir(parents=True)  # a class's name, with folders of classes in it
    write_video(tmp_path / "happy/sad/1.mp4", gray_images(range(4)))
    write_video(tmp_path / "happy/stray.mp4", gray_images(range(4)))
    found = index_folder(tmp_path / "happy")
    assert found["path"].tolist() == ["sad/1.mp4"]
    assert found.attrs["notes"] == ("left out, as in no folder of a class: 1 file, e.g. stray.mp4",)


def test_path_and_label_are_enough(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "clips.csv").write_text("path,label\na.mp4,happy\nb,sad\n/far/../c.mp4,happy\n")
    found = read_manifest(tmp_path)
    assert tuple(found.columns[:2]) == ("path", "label")
    assert set(found.columns) == set(REQUIRED)
    assert found["clip_id"].tolist() == ["a.mp4", "b", "c.mp4"]
    assert found["kind"].tolist() == ["video", "frames", "video"]
    assert found["label"].tolist() == [0, 1, 0]
    assert found["label_name"].tolist() == ["happy", "sad", "happy"]
    assert found["subject"].tolist() == [""] * 3
    assert found["fold"].tolist() == [0] * 3
    assert found[["n_frames", "fps", "width", "height"]].isna().all(axis=None)
    assert clip_path(found, found.iloc[2]) == Path("/far/../c.mp4")
    write_manifest(found, tmp_path / "whole.parquet")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "whole.parquet"), found)


@pytest.mark.parametrize(
    ("paths", "ids"),
    [
        (["a/1.mp4", "./b/1.mp4", "c/../2.mp4"], ["a/1.mp4", "b/1.mp4", "2.mp4"]),
        (["{root}/a/1.mp4", "b/1.mp4"], ["a/1.mp4", "b/1.mp4"]),  # absolute, in the list's folder
        (["/far/x/1.mp4", "/far/y/1.mp4"], ["x/1.mp4", "y/1.mp4"]),
        (["/far/x/1.mp4", "/far/x/2.mp4"], ["1.mp4", "2.mp4"]),
        (["/far/1.mp4", "../1.mp4"], ["far/1.mp4", "{above}/1.mp4"]),  # nothing is shared but the root
        (["../x/1.mp4", "a/1.mp4"], ["1.mp4", "a/1.mp4"]),
        (["../x/1.mp4", "1.mp4"], ["x/1.mp4", "list/1.mp4"]),  # alike: seen from the folder that all share
    ],
)
def test_ids_without_a_column_are_paths_seen_from_a_folder(tmp_path: Path, paths: list[str], ids: list[str]) -> None:
    root = tmp_path / "list"
    root.mkdir()
    places = {"root": str(root), "above": str(tmp_path)[1:]}
    rows = "".join(f"{path.format(**places)},happy\n" for path in paths)
    (root / "clips.csv").write_text(f"path,label\n{rows}")
    found = read_manifest(root)["clip_id"].tolist()
    assert found == [name.format(**places) for name in ids]
    (root / "clips.csv").write_text("path,label\n" + "".join(reversed(rows.splitlines(keepends=True))))
    assert read_manifest(root)["clip_id"].tolist() == found[::-1]  # the order of the rows changes nothing


@given(st.lists(st.text("ab./", min_size=1, max_size=8), min_size=1, max_size=6))
def test_ids_are_unique_and_lead_into_a_folder(paths: list[str]) -> None:
    """Two rows have one id only where they are one path (POSIX's own reading of it)."""
    root = Path("/data/list")
    places = [os.path.normpath(str(root / path).replace("//", "/")) for path in paths]
    table = pd.DataFrame({"path": paths, "label": "happy", "kind": "video"})
    if len(set(places)) < len(places) or "/" in places:
        with pytest.raises(InputError, match=r"is there twice; list each clip once|is no clip"):
            complete(table, root, "list")
        return
    ids = complete(table, root, "list")["clip_id"].tolist()
    assert len(set(ids)) == len(ids)
    for name, place in zip(ids, places, strict=True):
        assert place.endswith(f"/{name}")
        assert ".." not in name.split("/")


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_tables_of_text(tmp_path: Path, between: str) -> None:
    rows = [
        ["path", "label", "subject", "code", "share", "dark", "note", "votes_sad"],
        ["a.mp4", "1", " 01001 ", "007", "0.5", "True", "x", "3"],
        ["b é.mp4", "0", "1002.0", "010", "NA", "false", '"quoted"', ""],
    ]
    file = tmp_path / ("clips.tsv" if between == "\t" else "clips.csv")
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(between.join(row) for row in rows).encode())
    found = read_manifest(tmp_path, ("angry", "bored"))
    assert found["label_name"].tolist() == ["bored", "angry"]
    assert found["subject"].tolist() == ["01001", "1002.0"]  # as written: persons.person_ids compares them
    assert found["code"].tolist() == ["007", "010"]
    assert found["share"].tolist()[0] == 0.5
    assert found["share"].isna().tolist() == [False, True]
    assert found["dark"].tolist() == [True, False]
    assert found["note"].tolist() == ["x", "quoted"]
    assert found["votes_sad"].tolist()[0] == 3
    with pytest.raises(InputError, match="label 1 has no name; the labels are angry"):
        read_manifest(tmp_path, ("angry",))


def test_names_without_numbers_are_numbered_by_a_stated_order(tmp_path: Path) -> None:
    def numbers(names: list[str], labels: tuple[str, ...] | None = None) -> list[int]:
        text = "\n".join(f"{i}.mp4,{name}" for i, name in enumerate(names))
        (tmp_path / "clips.csv").write_text(f"path,label\n{text}\n")
        return read_manifest(tmp_path, labels)["label"].tolist()

    assert numbers(["fear", "happy"]) == [6, 0]  # the emotions
    assert numbers(["fear", "bored"]) == [1, 0]  # the alphabet, where there are others
    assert numbers(["fear", "happy"], ("happy", "fear")) == [1, 0]


def test_every_type_of_column_comes_in_as_numbers_truth_or_text(tmp_path: Path) -> None:
    odd = {
        "bbox": [[1, 2], [3, 4], None],
        "more": [{"a": [1]}, {"a": [2]}, {"a": None}],
        "array": [np.arange(2)] * 3,
        "when": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
        "day": [date(2020, 1, 1), None, date(2021, 1, 1)],
        "price": [Decimal("1.50"), None, Decimal("2")],
        "blob": [b"\xff\x00", b"", None],
        "kind_of": pd.Categorical(["a", "b", "a"]),
        "yes": [True, None, False],
        "whole": pd.array([1, None, 3], "Int64"),
        "half": np.array([1, 2, 3], np.float16),
        "nothing": [None] * 3,
        "big": pd.array([2**53, None, 2**53 + 1], "Int64"),
        "length": pd.to_timedelta([1, 2, None], "s"),
        "ill": ["a\0b", "c", None],
    }
    base = {"path": ["a", "b", "c"], "label": ["happy", "sad", "happy"]}
    pd.DataFrame(base | odd).to_parquet(tmp_path / "clips.parquet")
    found = read_manifest(tmp_path)
    for name in odd:
        cells = [cell for cell in found[name].tolist() if not pd.isna(cell)]
        assert (
            {type(cell) for cell in cells} <= {str}
            or {type(cell) for cell in cells} <= {int, float}
            or set(cells) <= {True, False}
        )
        assert found[name].isna().tolist() == pd.Series(list(odd[name]), dtype=object).isna().tolist(), name
    assert found["bbox"].tolist()[:2] == ["[1, 2]", "[3, 4]"]
    assert found["price"].tolist()[::2] == [1.5, 2]
    assert found["big"].tolist()[::2] == [str(2**53), str(2**53 + 1)]
    assert found["ill"].tolist()[0] == "a\ufffdb"
    write_manifest(found, tmp_path / "again.parquet")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "again.parquet"), found)


def test_a_changed_byte_of_a_manifest_is_seen_or_leaves_it_as_it_was(table: pd.DataFrame, tmp_path: Path) -> None:
    write_manifest(table, tmp_path)
    whole = (tmp_path / "clips.parquet").read_bytes()
    random = np.random.default_rng(0)
    seen = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 4)):
            damaged[at] ^= int(random.integers(1, 256))
        cut = len(whole) if random.random() < 0.8 else int(random.integers(0, len(whole)))
        (tmp_path / "clips.parquet").write_bytes(damaged[:cut])
        with suppress(InputError):
            read_manifest(tmp_path)
            seen -= 1
        seen += 1
    assert seen > 100


def test_cells_of_types_that_no_file_has() -> None:
    odd = pd.Series([3 + 4j, {1, 2}, pd.Interval(0, 1), (1, [2, {"a": np.float32(0.5)}]), np.int8(3)], dtype=object)
    assert columns.plain(odd).tolist() == ["(3+4j)", '["1", "2"]', "(0, 1]", '[1, [2, {"a": 0.5}]]', "3"]


@pytest.mark.parametrize("text", [",path,label\n0,a.mp4,happy\n1,b.mp4,sad\n", "path,label,,\na.mp4,happy,,\nb.mp4,sad,,\n"])
def test_columns_without_a_name_that_say_nothing(tmp_path: Path, text: str) -> None:
    """pandas writes the numbers of the rows, a spreadsheet commas at their ends."""
    (tmp_path / "a.csv").write_text(text)
    assert read_manifest(tmp_path / "a.csv")["path"].tolist() == ["a.mp4", "b.mp4"]
    (tmp_path / "a.csv").write_text(",path,label\n3,a.mp4,happy\n4,b.mp4,sad\n")
    with pytest.raises(InputError, match="column '' has no name"):
        read_manifest(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b c", "ü", "7", "007"],
        ["a", None, "b"],
        [None, None],
        ["a", "", " "],
        [" a", "b "],
        ["a\u00a0", "b"],
        ["a\tb", "c\n"],
        ["\u2028a", "b"],
        ["\x85", "b"],
        ["nan", "1.5", "true"],
    ],
)
def test_columns_of_text_are_read_at_once_as_cell_by_cell(cells: list[str | None]) -> None:
    """Arrow's columns take a short way, which columns of objects do not."""
    column = pd.Series(cells, dtype=str, index=range(5, 5 + len(cells)), name="its")
    for read in (lambda column: columns.text(column, "name", "list"), plain):
        found = []
        for one in (column, column.astype(object)):
            try:
                found.append(read(one))
            except InputError as error:
                found.append(str(error))
        if isinstance(found[0], str):
            assert found[0] == found[1]
        else:
            pd.testing.assert_series_equal(*found)


@pytest.mark.parametrize("cells", [[1.5, np.nan, 0.0], [-1.0, 2.0], [np.inf], [-np.inf], [np.nan], [2.0, 3.0]])
@pytest.mark.parametrize("whole", [False, True])
def test_columns_of_numbers_are_read_at_once_as_cell_by_cell(cells: list[float], whole: bool) -> None:
    """As above."""
    column, found = pd.Series(cells, name="its"), []
    for one in (column, column.astype(object)):
        try:
            found.append(numbers(one, "name", "list", whole=whole))
        except InputError as error:
            found.append(str(error))
    if isinstance(found[0], str):
        assert found[0] == found[1]
    else:
        pd.testing.assert_series_equal(*found)


def test_data_hash_is_of_the_lines_that_json_writes(table: pd.DataFrame) -> None:
    """Collections on disk keep it."""
    strange = table.assign(label_name=[f'ü "{i}" \\ \u2028\x7f' for i in range(len(table))])
    for clips in (table, strange):
        rows = clips[["clip_id", "path", "label", "label_name"]].itertuples(index=False)
        lines = [json.dumps([str(row[0]), str(row[1]), int(row[2]), str(row[3])]) + "\n" for row in rows]
        assert data_hash(clips) == hashlib.sha256("".join(lines).encode()).hexdigest()
