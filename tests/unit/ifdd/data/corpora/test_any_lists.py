"""Lists of any maker: matched by their tails to what lies on disk, with folds and parts as their names tell, or columns."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from corpus_trees import frames, put

from ifdd.data.corpora.assembling import Options
from ifdd.data.corpora.folders import index_folders
from ifdd.data.corpora.lists import index_lists, located
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Seven clips below faces/<person>/, one of each class."""
    for i, emotion in enumerate(EMOTIONS):
        frames(tmp_path / f"corpus/faces/s{i % 2}/{emotion}_{i:02d}", 16)
    return tmp_path / "corpus"


def clips_of(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sorted(root.glob("faces/*/*"), key=lambda path: path.name[-2:])]


PREFIXES = ["", "/mnt/somebody/else/", "C:\\data\\x\\", "./", "/data/EECS/datasets/"]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("below", ["", "faces"])
def test_foreign_paths_are_matched_by_their_tails(prefix: str, below: str, root: Path) -> None:
    """Whatever stands before them, and whether the folder above or below is given as the root."""
    names = clips_of(root)
    lines = [f"{prefix}{name} 99 {name.rpartition('/')[2][:-3]}" for name in names]
    put(root.parent / "lists/train.txt", lines[:5])
    put(root.parent / "lists/test.txt", lines[5:])
    frame = index_lists(root / below, Options(lists=root.parent / "lists")).frame
    ids = [name.removeprefix(f"{below}/") if below else name for name in names]
    assert dict(zip(frame["clip_id"], frame["label_name"], strict=True)) == dict(zip(ids, EMOTIONS, strict=True))
    assert frame.set_index("clip_id").loc[ids, "split"].tolist() == ["train"] * 5 + ["test"] * 2
    assert set(frame["n_frames"]) == {16}


def test_a_clip_that_is_not_there_is_missing_and_never_another_of_the_same_name(tmp_path: Path) -> None:
    for name in ("a/happy/01", "a/happy/02", "b/happy/01"):
        frames(tmp_path / "clips" / name, 2)
    put(
        tmp_path / "list.txt",
        ["/x/clips/a/happy/01 happy", "/x/clips/a/happy/02 happy", "/x/clips/c/happy/01 sad", "/x/clips/b/happy/01 fear"],
    )
    indexed = index_lists(tmp_path, Options(lists=tmp_path / "list.txt"))
    assert indexed.frame["clip_id"].tolist() == ["clips/a/happy/01", "clips/a/happy/02", "clips/b/happy/01"]
    assert [row["clip_id"] for row in indexed.report["rows"]["missing"]["clips"]] == ["x/clips/c/happy/01"]
    assert located(tmp_path / "clips/a", ["/x/a/happy/01", "/x/a/happy/../happy/02"])["/x/a/happy/../happy/02"] is None


def test_frames_stand_for_the_video_of_their_name(tmp_path: Path) -> None:
    for name in ("00001", "00002"):
        frames(tmp_path / "faces" / name, 3)
    put(tmp_path / "train.txt", ["00001.mp4 happy", "00002.mp4 sad"])
    assert index_lists(tmp_path).frame["path"].tolist() == ["faces/00001", "faces/00002"]


def test_numbers_need_an_order(root: Path) -> None:
    file = put(root / "train.csv", ["path,label", *(f"{name},{6 - i}" for i, name in enumerate(clips_of(root)))])
    with pytest.raises(
        InputError, match=r"train\.csv: labels are numbers, and nothing tells which class they stand for; say so with --labels"
    ):
        index_lists(file)
    told = index_lists(file, labels=tuple(reversed(EMOTIONS)))
    assert dict(zip(told.frame["clip_id"], told.frame["label_name"], strict=True)) == dict(
        zip(clips_of(root), EMOTIONS, strict=True)
    )
    assert told.report["labels"]["names"] == list(reversed(EMOTIONS))
    known = index_lists(file, Options(order="alphabetical-7"))
    assert known.report["labels"]["order"] == "alphabetical-7"
    assert known.frame.set_index("clip_id").loc[clips_of(root)[0], "label_name"] == "surprise"
    with pytest.raises(InputError, match="label 2 is outside of --order happy,sad, which has 2 classes"):
        index_lists(file, labels=("happy", "sad"))


def test_columns_are_mapped(root: Path) -> None:
    rows = [f"{name},{EMOTIONS[i]},p{i % 2},{i % 3 + 1},{i / 10}" for i, name in enumerate(clips_of(root))]
    file = put(root / "all.csv", ["where,what,who,part,light", *rows])
    columns = {"path": "where", "label": "what", "subject": "who", "fold": "part", "light": "light"}
    frame = index_lists(file, columns=columns).frame.set_index("clip_id").loc[clips_of(root)]
    assert frame["subject"].tolist() == [f"p{i % 2}" for i in range(7)]
    assert frame["fold"].tolist() == [i % 3 + 1 for i in range(7)]
    assert frame["light"].tolist() == [i / 10 for i in range(7)]
    with pytest.raises(InputError, match="--columns n_frames=…: n_frames is measured"):
        index_lists(file, columns={"n_frames": "light"})


def test_what_cannot_be_meant_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no lists \(.csv, .tsv, .txt\) there; name one with --lists FILE"):
        index_lists(root)
    put(root / "a.txt", ["x/1 happy"])
    put(root / "b.txt", ["x/1 happy"])
    with pytest.raises(InputError, match=r"2 files that may be lists, a\.txt, b\.txt; name one"):
        index_lists(root)
    with pytest.raises(
        InputError, match=r"a\.txt: none of its 1 clips lies below .*, e\.g\. x/1; give the folder that holds them"
    ):
        index_lists(root, Options(lists=root / "a.txt"))
    name = clips_of(root)[0]
    twice = put(root / "c.txt", [f"/x/{name} happy", f"/x/{name}.mp4 happy"])
    with pytest.raises(InputError, match=rf"c\.txt: /x/{name} and /x/{name}.mp4 both mean {name}"):
        index_lists(root, Options(lists=twice))


def test_folders_named_after_classes_have_a_report(tmp_path: Path) -> None:
    for name in ("happy/1", "Sadness/2"):
        frames(tmp_path / name, 2)
    indexed = index_folders(tmp_path)
    assert indexed.frame["label_name"].tolist() == ["happy", "sad"]
    assert indexed.report["counts"]["classes"]["sad"] == 1
    assert indexed.notes == ("Sadness is read as sad",)


def _listed(folder: Path, labels: Sequence[str], more: str = "", cells: Sequence[str] = ()) -> Path:
    rows = []
    for i, label in enumerate(labels):
        frames(folder / f"{i}", 2)
        rows.append(f"{i},{label}{f',{cells[i]}' if cells else ''}")
    (folder / "list.csv").write_text("\n".join([f"path,label{more}", *rows]))
    return folder / "list.csv"


def test_one_class_in_two_spellings_is_one(tmp_path: Path) -> None:
    found = index_lists(_listed(tmp_path, ["HAPPY", "sad", "happy"])).frame
    assert found["label_name"].tolist() == ["happy", "sad", "happy"]


def test_two_words_for_one_class_are_asked_about(tmp_path: Path) -> None:
    file = _listed(tmp_path, ["joy", "sad", "happy"])
    with pytest.raises(InputError, match="happy and joy may be one class; if they are, say so with --map joy=happy"):
        index_lists(file)
    assert index_lists(file, Options(names={"joy": "happy"})).frame["label_name"].tolist() == ["happy", "sad", "happy"]


def test_parts_and_folds_may_be_written_otherwise(tmp_path: Path) -> None:
    file = _listed(tmp_path, ["happy", "sad", "happy"], ",part,fold", ["Training,1.0", "VALIDATION,2", "test,0"])
    found = index_lists(file, columns={"split": "part", "fold": "fold"}).frame
    assert (found["split"].tolist(), found["fold"].tolist()) == (["train", "val", "test"], [1, 2, 0])
