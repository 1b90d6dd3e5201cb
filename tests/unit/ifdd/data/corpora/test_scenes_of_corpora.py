"""What is around the faces of a corpus: known to its importer where it is handed out."""

import shutil
from pathlib import Path

import pytest
from corpus_trees import dfew_tree, ferv_tree, mafw_tree

from ifdd.data.corpora import CORPORA, write_indexed
from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.streamed import streamed
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

INPUTS = {"face": Preprocessing(8, (16, 16)), "scene": Preprocessing(8, (16, 16), "none", stream="scene")}


def with_scenes(root: Path, faces: str, scenes: str) -> Path:
    shutil.copytree(root / faces, root / scenes)
    return root / scenes


def test_ferv39k_has_scenes_beside_its_faces(tmp_path: Path) -> None:
    root = tmp_path / "FERV39k"
    ids = ferv_tree(root)
    assert "scene_path" not in CORPORA["ferv39k"].index(tmp_path).frame
    scenes = with_scenes(root, "2_ClipsforFaceCrop", "3_ClipsforScenImages")
    indexed = CORPORA["ferv39k"].index(tmp_path, strict=True)
    file = write_indexed(indexed, tmp_path / "lists/ferv39k.parquet")
    frame = read_manifest(file)
    assert frame["scene_path"].tolist() == [f"../FERV39k/3_ClipsforScenImages/{clip}" for clip in frame["clip_id"]]
    assert len(frame) == len(ids)
    assert indexed.report["clips"]["scenes"] == "FERV39k/3_ClipsforScenImages"
    assert any("scenes around the faces are those of FERV39k/3_ClipsforScenImages" in note for note in indexed.notes)
    found = streamed(file, frame, INPUTS, EMOTIONS).read([0, 1])
    assert isinstance(found, dict)
    assert (found["face"] == found["scene"]).all()  # they were copied
    whole = CORPORA["ferv39k"].index(tmp_path, frames="3_ClipsforScenImages")
    assert "scene_path" not in whole.frame

    shutil.rmtree(scenes / "Action/Sad/0001")
    (scenes / "War/Fear/0000/003.jpg").unlink()
    indexed = CORPORA["ferv39k"].index(tmp_path)
    rows = indexed.report["rows"]
    assert [clip["clip_id"] for clip in rows["no scene"]["clips"]] == ["Action/Sad/0001"]
    assert rows["other scene"]["clips"][0]["reason"].startswith("7 frames in FERV39k/3_ClipsforScenImages/War/Fear/0000, 8 of")
    assert len(indexed.frame) == len(ids)
    assert indexed.frame.set_index("clip_id")["scene_path"].isna().sum() == 1
    with pytest.raises(InputError, match=r"--strict: 1 no scene, 1 other scene: Action/Sad/0001"):
        CORPORA["ferv39k"].index(tmp_path, strict=True)


def test_mafw_has_whole_pictures_beside_its_faces(tmp_path: Path) -> None:
    mafw_tree(tmp_path)
    held = next(folder for folder in tmp_path.rglob("*") if folder.is_dir() and folder.name in ("frames", "clips", "faces"))
    if held.name != "faces":
        held.rename(held.with_name("faces"))
    shutil.copytree(held.with_name("faces"), held.with_name("frames"))
    frame = CORPORA["mafw"].index(tmp_path).frame
    faces, scenes = (held.with_name(name).relative_to(tmp_path).as_posix() for name in ("faces", "frames"))
    assert frame["path"].str.startswith(f"{faces}/").all()
    assert frame["scene_path"].tolist() == [path.replace(faces, scenes, 1) for path in frame["path"]]


def test_dfew_has_no_scenes_and_says_so_where_they_are_read(tmp_path: Path) -> None:
    dfew_tree(tmp_path)
    file = write_indexed(CORPORA["dfew"].index(tmp_path), tmp_path / "dfew.parquet")
    frame = read_manifest(file)
    with pytest.raises(InputError, match=r"dfew.parquet: none of its \d+ clips has a scene, which scene reads.*stream=clip"):
        streamed(file, frame, INPUTS, EMOTIONS)
    alone = INPUTS | {"scene": Preprocessing(8, (16, 16))}
    assert len(streamed(file, frame, alone, EMOTIONS)) == len(frame)
