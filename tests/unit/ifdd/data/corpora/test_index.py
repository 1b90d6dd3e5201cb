"""Corpora indexed from small trees in their real layouts: the protocol comes out, what disagrees is listed or refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from corpus_trees import classes_of, dfew_lists, dfew_tree, ferv_tree, fold_of, frames, mafw_tree, put

from ifdd.data.corpora import CORPORA, read_report, write_indexed
from ifdd.data.corpora.measuring import Measured, measure
from ifdd.data.manifest import clip_path, read_manifest
from ifdd.data.video import image_files
from ifdd.data.video.images import image_size, read_image
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


def rows_of(report: dict[str, Any], kind: str) -> dict[str, str]:
    """Clip → reason, of what is listed as one kind."""
    assert report["rows"][kind]["count"] == len(report["rows"][kind]["clips"])
    return {row["clip_id"]: row["reason"] for row in report["rows"][kind]["clips"]}


def test_dfew_as_it_is_handed_out(tmp_path: Path) -> None:
    label = dfew_tree(tmp_path)
    indexed = CORPORA["dfew"].index(tmp_path)
    frame = indexed.frame
    assert dict(zip(frame["clip_id"], frame["label_name"], strict=True)) == {f"{n:05d}": name for n, name in label.items()}
    assert frame["label"].tolist() == [EMOTIONS.index(name) for name in label.values()]
    assert frame["fold"].tolist() == [fold_of(number, 2) for number in label]
    assert frame["n_frames"].tolist() == [16 + number % 3 for number in label]
    assert set(frame["path"]) == {f"Clip/clip_224x224/{number:05d}" for number in label}
    assert (set(frame["width"]), set(frame["height"]), set(frame["kind"])) == ({12}, {10}, {"frames"})
    assert rows_of(indexed.report, "surplus") == {"00029": "Clip/clip_224x224/00029 is in no list"}
    assert not indexed.report["official"]  # 28 clips are not 11,697
    assert indexed.report["labels"]["order"] == "dfew"
    assert indexed.report["labels"]["first_number"] == 1
    assert {fold: (row["lists"]["train"], row["lists"]["test"]) for fold, row in indexed.report["folds"].items()} == {
        "1": (14, 14),
        "2": (14, 14),
    }
    assert indexed.report["folds"]["1"]["lists"] == indexed.report["folds"]["1"]["manifest"]


VARIANTS = {
    "a folder above": lambda root: None,
    "S2D's names, from 0": lambda root: (
        shutil.rmtree(root / "EmoLabel_DataSplit"),
        dfew_lists(root, classes_of(28), 2, first=0),
        [
            file.rename(file.parent / f"{file.parent.name.partition('(')[0]}_{file.name}")
            for file in sorted(root.glob("EmoLabel_DataSplit/*/set_*.csv"))
        ],
    ),
    "IFDD's folders": lambda root: [
        (root / f"EmoLabel_DataSplit/{part}(single-labeled)").rename(root / f"EmoLabel_DataSplit/{part}_single-labeled")
        for part in ("train", "test")
    ],
    "no zeros in front": lambda root: dfew_lists(root, classes_of(28), 2, name="{}"),
    "jiangxingxun's": lambda root: (
        [
            put(
                root / f"label/single_{file.parent.name[: file.parent.name.index('(')]}set_{file.stem[-1]}.csv",
                [file.read_text()[:-1]],
            )
            for file in sorted(root.glob("EmoLabel_DataSplit/*/*.csv"))
        ],
        shutil.rmtree(root / "EmoLabel_DataSplit"),
        (root / "Clip/clip_224x224").rename(root / "data"),
        [
            file.rename(file.with_name(f"{file.parent.name}_{int(file.stem):05d}.jpg"))
            for file in sorted(root.glob("data/*/*.jpg"))
        ],
    ),
    "DFER-CLIP's lists": lambda root: (
        [
            put(
                root / f"annotation/DFEW_set_{file.stem[-1]}_{file.parent.name.partition('(')[0]}.txt",
                [
                    f"/data/EECS/datasets/DFEW/DFEW_Frame_Face/{row.partition(',')[0]} 999 {int(row.partition(',')[2]) - 1}"
                    for row in file.read_text().split()[1:]
                ],
            )
            for file in sorted(root.glob("EmoLabel_DataSplit/*/*.csv"))
        ],
        shutil.rmtree(root / "EmoLabel_DataSplit"),
    ),
    "MAE-DFER's lists": lambda root: (
        [
            put(
                root / f"saved/split0{file.stem[-1]}/{'train' if file.parent.name.startswith('train') else 'val'}.csv",
                [
                    f"/mnt/x/DFEW/Clip/jpg_256/{row.partition(',')[0]} {int(row.partition(',')[2]) - 1}"
                    for row in file.read_text().split()[1:]
                ],
            )
            for file in sorted(root.glob("EmoLabel_DataSplit/*/*.csv"))
        ],
        shutil.rmtree(root / "EmoLabel_DataSplit"),
    ),
    "PNG": lambda root: [file.rename(file.with_suffix(".PNG")) for file in sorted(root.glob("Clip/*/*/*.jpg"))],
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_layout_of_dfew_gives_the_same_manifest(variant: str, tmp_path: Path) -> None:
    root = tmp_path / "somewhere/DFEW-part2"
    label = dfew_tree(root)
    VARIANTS[variant](root)
    frame = CORPORA["dfew"].index(tmp_path / "somewhere" if variant == "a folder above" else root).frame
    assert dict(zip(frame["clip_id"], frame["label_name"], strict=True)) == {f"{n:05d}": name for n, name in label.items()}
    assert frame["fold"].tolist() == [fold_of(number, 2) for number in label]
    assert frame["n_frames"].tolist() == [16 + number % 3 for number in label]


def test_frames_that_lists_claim_are_compared_with_the_disk(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    VARIANTS["DFER-CLIP's lists"](tmp_path)  # each of 999 frames
    indexed = CORPORA["dfew"].index(tmp_path)
    assert rows_of(indexed.report, "other count")["00001"] == "17 frames, the lists say 999"
    assert indexed.report["rows"]["other count"]["count"] == len(indexed.frame) == 28


def test_one_fold_alone_has_its_own_parts(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    for file in tmp_path.glob("EmoLabel_DataSplit/*/set_2.csv"):
        file.unlink()
    indexed = CORPORA["dfew"].index(tmp_path)
    assert [(fold, split) for fold, split in zip(indexed.frame["fold"], indexed.frame["split"], strict=True)] == [
        (1, "test") if fold_of(number, 2) == 1 else (0, "train") for number in range(1, 29)
    ]
    assert any("lists of fold 1 alone" in note for note in indexed.notes)


def test_the_official_full_frames_are_taken_and_others_on_request(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    for number in range(1, 29):
        frames(tmp_path / f"Clip/clip_224x224_16f/{number:05d}", 4, (8, 8))
    indexed = CORPORA["dfew"].index(tmp_path)
    assert indexed.report["clips"]["folder"] == "Clip/clip_224x224"
    assert indexed.report["clips"]["other_folders"] == {"Clip/clip_224x224_16f": 28}
    assert any("also Clip/clip_224x224_16f (28)" in note for note in indexed.notes)
    short = CORPORA["dfew"].index(tmp_path, frames="clip_224x224_16f")
    assert set(short.frame["n_frames"]) == {4}
    assert short.report["rows"]["short"]["count"] == 28
    with pytest.raises(InputError, match=r"--frames jpg_256: no folder is called so; there are Clip/clip_224x224 \(29 clips\)"):
        CORPORA["dfew"].index(tmp_path, frames="jpg_256")
    with pytest.raises(InputError, match=r"no clip is left of 28"):
        CORPORA["dfew"].index(tmp_path, frames="clip_224x224_16f", min_frames=16)


def test_votes_and_labels_of_the_annotation(tmp_path: Path) -> None:
    label = dfew_tree(tmp_path)
    header = "1happy,2sad,3neutral,4angry,5surprise,6disgust,7fear,order,label"
    rows = [
        ",".join(str(10 * (name == emotion)) for emotion in EMOTIONS) + f",{n},{EMOTIONS.index(name) + 1}"
        for n, name in label.items()
    ]
    file = put(tmp_path / "Annotation/annotation.csv", [header, *rows, "2,2,2,2,1,1,0,29,0"])
    indexed = CORPORA["dfew"].index(tmp_path)
    assert [name for name in indexed.frame if name.startswith("votes_")] == [f"votes_{name}" for name in EMOTIONS]
    assert (indexed.frame[[f"votes_{name}" for name in EMOTIONS]].to_numpy().argmax(1) == indexed.frame["label"]).all()
    put(file, [header, rows[0].rpartition(",")[0] + ",7", *rows[1:]])
    with pytest.raises(InputError, match=r"annotation\.csv: clip 00001 is fear, lists .* say happy \(1 clips differ\)"):
        CORPORA["dfew"].index(tmp_path)
    shutil.rmtree(tmp_path / "EmoLabel_DataSplit")
    put(file, [header, *rows])
    alone = CORPORA["dfew"].index(tmp_path)
    assert set(alone.frame["fold"]) == {0}
    assert any("no lists of parts" in note for note in alone.notes)
    put(file, ["happy,order,label", "3,1,1"])
    with pytest.raises(InputError, match=r"DFEW's annotation.csv has 1happy"):
        CORPORA["dfew"].index(tmp_path)


def spoil(root: Path) -> None:
    """A tree with one clip of each kind of trouble."""
    clips = root / "Clip/clip_224x224"
    shutil.rmtree(clips / "00001")
    (clips / "00002/7.jpg").write_bytes(b"")
    (clips / "00003/7.jpg").unlink()
    (clips / "00004/1.jpg").write_bytes(b"no picture")
    for file in image_files(clips / "00005"):
        file.unlink()
    for file in image_files(clips / "00006")[3:]:
        file.unlink()


def test_a_bad_clip_is_a_listed_row(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    spoil(tmp_path)
    indexed = CORPORA["dfew"].index(tmp_path)
    assert indexed.frame["clip_id"].tolist() == [f"{number:05d}" for number in range(6, 29)]
    assert rows_of(indexed.report, "missing") == {"00001": "not in Clip/clip_224x224"}
    unreadable = rows_of(indexed.report, "unreadable")
    assert unreadable["00002"] == "7.jpg: an empty file, 0 bytes (fetch the clip anew)"
    assert unreadable["00004"].startswith("1.jpg: not an image that can be read")
    assert unreadable["00005"].startswith("the folder holds no image")
    assert rows_of(indexed.report, "holes") == {"00003": "no frame 7 of 1–16"}
    assert rows_of(indexed.report, "short") == {"00006": "3 frames, fewer than 16"}
    assert indexed.report["rows"]["missing"]["clips"][0] == {
        **{"clip_id": "00001", "label_name": "happy", "fold": 1, "left_out": True},
        "reason": "not in Clip/clip_224x224",
    }
    assert indexed.report["folds"]["1"]["manifest"]["test"] == 14 - 5
    kept = CORPORA["dfew"].index(tmp_path, holes="keep", min_frames=4)
    assert "00003" in set(kept.frame["clip_id"])
    assert rows_of(kept.report, "too short") == {"00006": "3 frames, fewer than 4"}
    with pytest.raises(InputError, match=r"--strict: 1 missing, 3 unreadable, 1 holes: 00001: missing, not in Clip"):
        CORPORA["dfew"].index(tmp_path, strict=True)


def test_a_damaged_picture_is_seen_where_every_one_is_read(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    file = tmp_path / "Clip/clip_224x224/00001/9.jpg"
    file.write_bytes(file.read_bytes()[:-30])
    assert len(CORPORA["dfew"].index(tmp_path).frame) == 28
    deep = CORPORA["dfew"].index(tmp_path, deep=True)
    assert deep.frame["clip_id"].tolist() == [f"{number:05d}" for number in range(2, 29)]
    assert rows_of(deep.report, "unreadable")["00001"].startswith("9.jpg: damaged: ")


def test_parts_of_one_folder_links_and_names_that_are_there_twice(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    clips = tmp_path / "Clip/clip_224x224"
    for number in range(1, 15):
        (tmp_path / "Clip/original/part_1").mkdir(parents=True, exist_ok=True)
        (clips / f"{number:05d}").rename(tmp_path / f"Clip/original/part_1/{number}")
    (tmp_path / "Clip/original/part_2").mkdir()
    for folder in sorted(clips.iterdir()):
        folder.rename(tmp_path / "Clip/original/part_2" / folder.name)
    clips.rmdir()
    (tmp_path / "Clip/again").symlink_to(tmp_path / "Clip")  # in a circle
    frames(tmp_path / "Clip/original/part_2/1", 4)
    indexed = CORPORA["dfew"].index(tmp_path)
    assert (len(indexed.frame), indexed.report["clips"]["folder"]) == (28, "Clip/original")
    assert rows_of(indexed.report, "twice") == {"00001": "Clip/original/part_2/1 is left out beside Clip/original/part_1/1"}


def test_frames_that_a_detector_left_out_everywhere_are_not_left_out_in_silence(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    for number in range(1, 10):
        (tmp_path / f"Clip/clip_224x224/{number:05d}/5.jpg").unlink()
    with pytest.raises(
        InputError, match=r"holes in 9 of 28 clips \(e\.g\. 00001: no frame 5 of 1–17\), more than 20%.*--holes keep"
    ):
        CORPORA["dfew"].index(tmp_path)
    assert len(CORPORA["dfew"].index(tmp_path, holes="keep").frame) == 28


def change(root: Path, name: str, old: str, new: str) -> None:
    file = root / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


SET = "EmoLabel_DataSplit/{}(single-labeled)/set_{}.csv"
WRONG = {
    "folds that overlap": (
        lambda root: change(root, SET.format("test", 2), "label\n", "label\n00001,1\n"),
        r"test\(single-labeled\)/set_2\.csv: clip 00001 is in train and test of fold 2",
    ),
    "overlap without training lists": (
        lambda root: (
            change(root, SET.format("test", 2), "label\n", "label\n00001,1\n"),
            shutil.rmtree(root / "EmoLabel_DataSplit/train(single-labeled)"),
        ),
        "clip 00001 is in the test part of fold 1 and of fold 2; folds must not overlap",
    ),
    "a training list that is cut": (
        lambda root: change(root, SET.format("train", 1), "00008,1\n", ""),
        r"train\(single-labeled\)/set_1\.csv: clip 00008 is in other lists, and in none of fold 1 \(1 such clips\)",
    ),
    "two classes": (
        lambda root: change(root, SET.format("test", 1), "00001,1\n", "00001,2\n"),
        "clip 00001 is sad, and happy elsewhere; give it one class",
    ),
    "a label outside": (
        lambda root: [
            change(root, SET.format(part, fold), "00001,1\n", "00001,9\n") for part, fold in (("test", 1), ("train", 2))
        ],
        r"labels are 1 to 9, DFEW has 7 classes",
    ),
    "no clip's name": (
        lambda root: change(root, SET.format("test", 1), "00001,1\n", "x,1\n"),
        "'x' names no clip of DFEW; mend or remove this row",
    ),
    "names beside numbers": (
        lambda root: change(root, SET.format("test", 1), "00001,1\n", "00001,happy\n"),
        r"label 1 is a number, and 'happy' is none; write numbers for all clips, or names",
    ),
    "no labels": (lambda root: shutil.rmtree(root / "EmoLabel_DataSplit"), "no lists of DFEW there; looked for .*set_1.csv"),
    "no clips": (lambda root: shutil.rmtree(root / "Clip"), "no clips of DFEW there, only 4 lists; looked for .*00001"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_lists_that_contradict_each_other_are_refused(wrong: str, tmp_path: Path) -> None:
    spoiled, message = WRONG[wrong]
    dfew_tree(tmp_path)
    spoiled(tmp_path)
    with pytest.raises(InputError, match=message):
        CORPORA["dfew"].index(tmp_path)


def test_a_clip_that_a_list_holds_twice_counts_once(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    change(tmp_path, SET.format("test", 1), "label\n", "label\n00001,1\n")
    indexed = CORPORA["dfew"].index(tmp_path)
    assert indexed.frame["clip_id"].is_unique
    assert rows_of(indexed.report, "twice") == {"00001": "a list holds it twice"}


def test_numbers_that_begin_nowhere_need_a_word(tmp_path: Path) -> None:
    for number, emotion in classes_of(6, EMOTIONS[:6]).items():
        frames(tmp_path / f"Clip/jpg_224/{number:05d}", 2)
        put(
            tmp_path / "set_1/train.csv",
            ["video_name,label", *(f"{n},{EMOTIONS.index(e) + 1}" for n, e in classes_of(6, EMOTIONS[:6]).items())],
        )
        assert emotion
    with pytest.raises(
        InputError, match=r"labels are numbers, 1 to 6, and nothing tells their order.*--order dfew or --order dfew:1"
    ):
        CORPORA["dfew"].index(tmp_path)
    assert CORPORA["dfew"].index(tmp_path, order="dfew:1").frame["label_name"].tolist() == list(EMOTIONS[:6])
    assert CORPORA["dfew"].index(tmp_path, order="dfew").frame["label_name"].tolist() == list(EMOTIONS[1:])
    with pytest.raises(InputError, match=r"--order mafw: no such order; known are dfew, alphabetical-7"):
        CORPORA["dfew"].index(tmp_path, order="mafw")


def test_ferv39k_has_its_split_and_scenes(tmp_path: Path) -> None:
    ids = ferv_tree(tmp_path / "FERV39k")
    indexed = CORPORA["ferv39k"].index(tmp_path)
    frame = indexed.frame.set_index("clip_id")
    assert set(frame.index) == set(ids)
    assert all(row["split"] == ("test" if clip.endswith("1") else "train") for clip, row in frame.iterrows())
    assert all(clip.split("/")[0] == row["scene"] for clip, row in frame.iterrows())
    assert frame.loc["War/Angry/0001", ["label_name", "n_frames", "fold"]].tolist() == ["angry", 17, 0]
    assert indexed.report["folds"]["0"]["lists"]["train"] == indexed.report["folds"]["0"]["manifest"]["train"] == 14
    scenes = tmp_path / "FERV39k/3_ClipsforScenImages"
    shutil.copytree(tmp_path / "FERV39k/2_ClipsforFaceCrop", scenes)
    assert CORPORA["ferv39k"].index(tmp_path).report["clips"]["folder"] == "FERV39k/2_ClipsforFaceCrop"
    whole = CORPORA["ferv39k"].index(tmp_path, frames="3_ClipsforScenImages")
    assert whole.frame["path"].str.startswith("FERV39k/3_ClipsforScenImages/").all()


@pytest.mark.parametrize(("order", "first"), [("dfew", 0), ("alphabetical-7", 0), ("alphabetical-7", 1)])
def test_ferv39k_numbers_are_named_by_the_path(order: str, first: int, tmp_path: Path) -> None:
    """Lists that differ in every number give one manifest; a number that its own path contradicts is refused."""
    from ifdd.data.corpora import ORDERS

    ids = ferv_tree(tmp_path)
    (tmp_path / "4_setups").rename(tmp_path / ".gone")
    for part in ("train", "test"):
        lines = [
            f"/x/2_ClipsforFaceCrop/{clip} 30 {ORDERS[order].index(clip.split('/')[1].lower()) + first}"
            for clip in ids
            if clip.endswith("1") == (part == "test")
        ]
        put(tmp_path / f"annotation/FERV39K_{part}.txt", lines)
    indexed = CORPORA["ferv39k"].index(tmp_path)
    assert (indexed.report["labels"]["order"], indexed.report["labels"]["first_number"]) == (order, first)
    assert all(
        clip.split("/")[1].lower() == name
        for clip, name in zip(indexed.frame["clip_id"], indexed.frame["label_name"], strict=True)
    )
    change(tmp_path, "annotation/FERV39K_test.txt", lines[3], lines[3][:-1] + str((int(lines[3][-1]) + 1) % 7))
    with pytest.raises(
        InputError, match=r"FERV39K_test\.txt: clip Action/Angry/0001 has label \d.* and is angry by the class in each clip"
    ):
        CORPORA["ferv39k"].index(tmp_path)


def test_mafw_by_names_and_by_any_numbers(tmp_path: Path) -> None:
    from ifdd.data.corpora import ORDERS

    label = mafw_tree(tmp_path)
    frame = CORPORA["mafw"].index(tmp_path).frame
    assert dict(zip(frame["clip_id"], frame["label_name"], strict=True)) == {f"{n:05d}": name for n, name in label.items()}
    assert set(frame["label"]) == set(range(11))
    numbers = {order: tmp_path / "numbers" / order for order in ("mafw-paper", "mafw-dfer-clip", "mafw-alphabetical")}
    for order, folder in numbers.items():
        for part in ("train", "test"):
            names = [(n, name) for n, name in label.items() if (fold_of(n, 2, 11) == 1) == (part == "test")]
            put(
                folder / f"set_1/{part}.csv",
                ["video_name,labels", *(f"{n:05d},{ORDERS[order].index(name)}" for n, name in names)],
            )
        with pytest.raises(InputError, match=r"nothing tells their order; say which it is: --order mafw-paper or"):
            CORPORA["mafw"].index(tmp_path, lists=folder)
        told = CORPORA["mafw"].index(tmp_path, lists=folder, order=order)
        assert told.frame["label_name"].tolist() == frame["label_name"].tolist()
    put(
        numbers["mafw-alphabetical"] / "id_to_calss.txt",
        [f"{i}: '{name.title()}'," for i, name in enumerate(ORDERS["mafw-alphabetical"])],
    )
    told = CORPORA["mafw"].index(tmp_path, lists=numbers["mafw-alphabetical"])
    assert told.report["labels"]["source"] == "id_to_calss.txt beside the list"
    assert told.frame["label_name"].tolist() == frame["label_name"].tolist()
    for order in ("mafw-paper", "mafw-dfer-clip"):  # beside lists with names, numbers are named by the clips they share
        shutil.copytree(numbers[order], tmp_path / f"split_{order}")
    both = CORPORA["mafw"].index(tmp_path)
    assert both.report["lists"]["read"][0].endswith(".txt")


def test_lists_of_another_corpus_are_not_taken_for_its_own(tmp_path: Path) -> None:
    dfew_tree(tmp_path / "DFEW")
    mafw_tree(tmp_path / "MAFW", clips=7)
    assert len(CORPORA["dfew"].index(tmp_path, frames="clip_224x224").frame) == 28
    with pytest.raises(InputError, match="by its name it is of mafw, not of dfew"):
        CORPORA["dfew"].index(tmp_path / "DFEW", lists=tmp_path / "MAFW")


def test_mafw_compounds_are_refused_and_left_aside_beside_single_labels(tmp_path: Path) -> None:
    mafw_tree(tmp_path)
    multi = put(tmp_path / "multi/no_caption/set_1/train.txt", ["00001.mp4 anger_disgust", "00002.mp4 fear_sadness"])
    assert len(CORPORA["mafw"].index(tmp_path).frame) == 44
    (tmp_path / "other/set_1").mkdir(parents=True)
    shutil.copy(multi, tmp_path / "other/set_1/train.txt")
    with pytest.raises(InputError, match="anger_disgust is a compound of several emotions; one class for each clip is read"):
        CORPORA["mafw"].index(tmp_path, lists=tmp_path / "other")


def test_classes_may_be_mapped_and_left_out(tmp_path: Path) -> None:
    mafw_tree(tmp_path)
    names = {"contempt": "disgust", "anxiety": "fear", "helplessness": "", "disappointment": ""}
    indexed = CORPORA["mafw"].index(tmp_path, names=names)
    frame = indexed.frame
    assert indexed.report["folds"]["1"]["lists"]["test_classes"] == dict.fromkeys(EMOTIONS, 2) | {"disgust": 4, "fear": 4}
    assert indexed.report["folds"]["1"]["manifest"] == indexed.report["folds"]["1"]["lists"]
    assert set(frame["label_name"]) == set(EMOTIONS)
    assert frame["label"].tolist() == [EMOTIONS.index(name) for name in frame["label_name"]]
    assert frame["label_name"].value_counts()["fear"] == 8
    with pytest.raises(InputError, match="--map contempt=boredom: boredom is no class"):
        CORPORA["mafw"].index(tmp_path, names={"contempt": "boredom"})
    with pytest.raises(InputError, match="fear is mapped to another class itself"):
        CORPORA["mafw"].index(tmp_path, names={"anxiety": "fear", "fear": "sad"})


def test_crema_d_names_tell_everything(tmp_path: Path) -> None:
    for name in ("1001_DFA_HAP_XX", "1001_IEO_ANG_HI", "1002_IEO_FEA_LO", "1002_TAI_NEU_XX"):
        frames(tmp_path / "face_aligned" / name, 16)
    put(tmp_path / "VideoDemographics.csv", ['"ActorID","Age","Sex"', '1001,51,"Male"', '1002,21,"Female"'])
    head = '"","A","D","F","H","N","S","fileName","numResponses"'
    votes = [
        '"100002",9,9,9,9,9,9,"1001_IEO_ANG_HI",10',
        '"200002",7,1,0,0,2,0,"1001_IEO_ANG_HI",10',
        '"300002",8,8,8,8,8,8,"1001_IEO_ANG_HI",10',
    ]
    put(tmp_path / "processedResults/tabulatedVotes.csv", [head, *votes])
    frame = CORPORA["crema-d"].index(tmp_path).frame.set_index("clip_id")
    assert frame.loc["1001_IEO_ANG_HI", ["label_name", "subject", "sentence", "intensity", "age", "sex"]].tolist() == [
        *("angry", "1001", "IEO", "high", 51, "Male"),
    ]
    assert frame.loc["1001_IEO_ANG_HI", [f"votes_{name}" for name in ("angry", "disgust", "neutral")]].tolist() == [7, 1, 2]
    assert frame["votes_angry"].isna().sum() == 3
    assert frame["label_name"].tolist() == ["happy", "angry", "fear", "neutral"]
    assert frame["label"].max() < 6
    for fold in (1, 2):  # lists of others make folds that are not official
        for part in ("train", "test"):
            own = [name for name in frame.index if (name[3] == str(fold)) == (part == "test")]
            put(
                tmp_path / f"split0{fold}/{part}.csv",
                [
                    f"/mnt/x/CREMA-D/face_aligned/{name} {['ANG', 'DIS', 'FEA', 'HAP', 'NEU', 'SAD'].index(name[9:12])}"
                    for name in own
                ],
            )
    folds = CORPORA["crema-d"].index(tmp_path)
    assert folds.frame["fold"].tolist() == [1, 1, 2, 2]
    assert folds.report["labels"]["order"] == "alphabetical-6"
    assert not folds.report["official"]


def test_ravdess_names_tell_everything_and_a_take_counts_once(tmp_path: Path) -> None:
    for name in ("02-01-02-01-02-01-12", "01-01-02-01-02-01-12", "01-02-06-02-01-02-11"):
        frames(tmp_path / f"Video_Speech_Actor_{name[-2:]}/Actor_{name[-2:]}" / name, 16)
    indexed = CORPORA["ravdess"].index(tmp_path)
    frame = indexed.frame.set_index("clip_id")
    assert frame.loc[
        "02-01-02-01-02-01-12", ["label_name", "subject", "modality", "channel", "intensity", "sentence", "repetition", "sex"]
    ].tolist() == [
        *("calm", "12", "video", "speech", "normal", "dogs", 1, "female"),
    ]
    assert frame.loc["01-02-06-02-01-02-11", "label_name"] == "fear"
    assert rows_of(indexed.report, "twice") == {"01-01-02-01-02-01-12": "02-01-02-01-02-01-12 shows the same"}
    calm = CORPORA["ravdess"].index(tmp_path, names={"calm": "neutral"}).frame
    assert calm["label_name"].tolist() == ["fear", "neutral"]
    assert calm["label"].tolist() == [EMOTIONS.index("fear"), EMOTIONS.index("neutral")]


def test_the_six_clips_of_crema_d(shared: Path) -> None:
    indexed = CORPORA["crema-d"].index(shared / "data/clips/crema_d_actor1001")
    frame = indexed.frame
    told = pd.read_csv(shared / "data/clips/crema_d_actor1001/labels.csv", dtype=str)
    emotions = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
    expected = {file[:15]: emotions.get(name, name) for file, name in zip(told["file"], told["emotion"], strict=True)}
    assert dict(zip(frame["clip_id"], frame["label_name"], strict=True)) == expected
    assert set(zip(frame["kind"], frame["width"], frame["crop"], frame["subject"], frame["age"], strict=True)) == {
        ("video", 480, "face", "1001", 51)
    }
    assert (frame["n_frames"] > 50).all()


def test_manifest_and_report_are_written_and_read(tmp_path: Path) -> None:
    dfew_tree(tmp_path / "corpora/DFEW")
    spoil(tmp_path / "corpora/DFEW")
    indexed = CORPORA["dfew"].index(tmp_path / "corpora/DFEW")
    file = write_indexed(indexed, tmp_path / "data/dfew.parquet")
    frame = read_manifest(file)
    assert frame["path"].iloc[0] == "../corpora/DFEW/Clip/clip_224x224/00006"
    assert all(clip_path(frame, row).is_dir() for row in frame.to_dict("records"))
    report = read_report(file)
    assert report is not None
    assert report == json.loads((tmp_path / "data/dfew.report.json").read_text())
    assert report["rows"]["unreadable"]["count"] == 3
    assert report == {"manifest": "dfew.parquet", **json.loads(json.dumps(indexed.report))}
    assert sum("left_out" in line for line in (tmp_path / "data/dfew.report.json").read_text().splitlines()) == 7  # a line each
    assert read_report(tmp_path / "other.parquet") is None
    (tmp_path / "data/dfew.report.json").write_text("[]")
    with pytest.raises(InputError, match="not the report of an index"):
        read_report(file)


def test_files_of_a_clip_are_found_from_wherever_its_list_lies(tmp_path: Path) -> None:
    dfew_tree(tmp_path / "corpora/DFEW")
    indexed = CORPORA["dfew"].index(tmp_path / "corpora/DFEW")
    kept = {"truth": "truth/a.npz", "landmarks": "tracks/a.npz", "scene_path": "scenes/a"}
    file = write_indexed(replace(indexed, frame=indexed.frame.assign(**kept)), tmp_path / "data/dfew.parquet")
    root = indexed.frame.attrs["root"]
    for column, name in kept.items():
        assert {(file.parent / found).resolve() for found in read_manifest(file)[column]} == {(Path(root) / name).resolve()}


NAMES = {
    "counted": [f"{i}.jpg" for i in range(1, 13)],
    "padded": [f"{i:04d}.jpg" for i in range(12)],
    "with the clip's name": [f"00001_{i:05d}.jpg" for i in range(1, 13)],
    "every fifth": [f"f{i}.png" for i in range(0, 60, 5)],
    "seconds": [f"{i / 20:.2f}.jpg" for i in range(12)],
    "without numbers": ["a.jpg"],
    "minus": ["-1.jpg", "0.jpg", "1.jpg"],
    "a preview beside": ["1.jpg", "2.jpg", "preview.gif"],
    "hidden files": ["1.jpg", "2.jpg", "._1.jpg", ".DS_Store"],
    "other files": ["1.jpg", "2.jpg", "Thumbs.db", "notes.txt"],
}


@pytest.mark.parametrize("names", NAMES)
def test_frames_are_counted_as_they_are_read(names: str, tmp_path: Path) -> None:
    """The quick way and `image_files`, which decoding goes by, agree."""
    from PIL import Image

    for name in NAMES[names]:
        if name.endswith((".jpg", ".png", ".gif")):
            Image.new("RGB", (6, 4)).save(tmp_path / name)
        else:
            (tmp_path / name).write_text("x")
    found = measure(tmp_path)
    assert isinstance(found, Measured)
    assert found.n_frames == len(image_files(tmp_path))
    assert (found.width, found.height, found.holes) == (6, 4, "")


BROKEN = {
    "the same number twice": (["1.jpg", "01.jpg"], "are the same frame twice"),
    "two kinds": (["img_1.jpg", "img_2.jpg", "depth_1.jpg"], "no number tells whether"),
    "a kind that is not read": (["1.tif", "2.tif"], "holds no image"),
    "nothing": ([], "holds no image"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_folders_that_cannot_be_read_are_told_as_elsewhere(broken: str, tmp_path: Path) -> None:
    from PIL import Image

    names, message = BROKEN[broken]
    for name in names:
        Image.new("RGB", (6, 4)).save(tmp_path / name)
    found = measure(tmp_path)
    assert isinstance(found, str)
    assert message in found
    assert str(tmp_path) not in found


def test_holes_are_told_in_words(tmp_path: Path) -> None:
    for i in (3, 4, 6, 7, 9):
        frames(tmp_path / f"x{i}", 1, name="{}.jpg", first=i)
        (tmp_path / f"x{i}/{i}.jpg").rename(tmp_path / f"{i}.jpg")
    found = measure(tmp_path)
    assert isinstance(found, Measured)
    assert found.holes == "no frame 5, 2 in all of 3–9"


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_header_tells_the_size_as_it_is_seen(turn: int, tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert image_size(tmp_path / "a.jpg") == read_image(tmp_path / "a.jpg")[:2]
