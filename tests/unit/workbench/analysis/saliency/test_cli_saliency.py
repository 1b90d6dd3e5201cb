"""`workbench saliency` and `workbench faithfulness`, from the words typed to the files."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from media import gray_images, write_video

from ifdd.checkpoints import load_checkpoint
from ifdd.data.cropping.tracks import Track, write_track
from ifdd.data.faces.alignment import CANONICAL
from ifdd.data.manifest import clip_path, read_manifest, write_manifest
from ifdd.errors import InputError
from ifdd.scripted import REGIONS
from workbench.analysis.faithfulness.task import FaithfulnessRequest, write
from workbench.analysis.faithfulness.task import run as run_tests
from workbench.analysis.saliency.requests import Request
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.saliency.shown import from_manifest, regions_of
from workbench.analysis.saliency.verdicts import read_verdicts, verdicts_on
from workbench.store.truth import has_regions, true_regions


def test_saliency_of_a_manifest(run, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--data", clips_manifest, "--clips", 2, "--checkpoint", tiny_bundle_dir, "--method", "hirescam", "--out", out]
    code, told, err = run("saliency", *options, "--target", "sad", "--against", "happy", "--frames")
    assert code == 0, err
    assert "HiResCAM for sad rather than happy" in told
    folders = sorted(path for path in out.iterdir() if path.is_dir())
    assert len(folders) == 2
    for name in ("film_strip.png", "difference.png", "frames.png", "maps/ladm.Y_D.npy"):
        assert (folders[0] / name).is_file(), name
    for name in ("regions.png", "regions.json", "pooling.png"):
        assert (out / name).is_file(), name
    about = json.loads((folders[0] / "saliency.json").read_text(encoding="utf-8"))
    dynamic = about["maps"]["D"]
    assert abs(dynamic["residue"]) < 1e-4 * max(1, abs(dynamic["score"]))
    assert dynamic["sum"] == pytest.approx(float(np.load(folders[0] / dynamic["file"]).sum()), rel=1e-4, abs=1e-6)
    assert about["maps"]["S"]["residue"] is None
    assert "context that the predictor subtracts" in about["maps"]["S"]["reading"]
    assert {how: found["against"] for how, found in about["frames"].items()} == {"occlude": [0], "freeze": [0]}  # happy
    again = run("saliency", *options)
    assert again[0] == 1
    assert "exists; choose another folder" in again[2]


def test_a_summary_has_no_folder_for_each_clip(run, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    words = ["--data", clips_manifest, "--clips", 2, "--checkpoint", tiny_bundle_dir, "--summary"]
    code, told, err = run("saliency", *words, "--out", tmp_path / "out")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"regions.png", "regions.json", "pooling.png"}
    assert "Grad-CAM for " in told
    assert "->" not in told
    code, _, err = run("saliency", *words, "--frames", "--out", tmp_path / "other")
    assert code == 1
    assert "--summary leaves those out" in err


def test_saliency_of_a_video_against_another_checkpoint(
    run, tiny_bundle_dir: Path, baseline_bundle_dir: Path, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "clip.mp4", gray_images(range(0, 250, 10)))
    out = tmp_path / "out"
    code, _, err = run(
        "saliency", video, "--checkpoint", tiny_bundle_dir, "--versus", baseline_bundle_dir, "--crop", "none", "--out", out
    )
    assert code == 0, err
    assert (out / "clip" / "difference_D.png").is_file()
    about = json.loads((out / "clip" / "saliency.json").read_text(encoding="utf-8"))
    assert about["versus"]["checkpoint"] == "tiny-baseline"
    assert 0 <= about["versus"]["difference"]["D"]["overlap"] <= 1


def test_a_clip_that_cannot_be_compared_leaves_no_folder(
    run, tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path
) -> None:
    words = ["--data", clips_manifest, "--clips", 1, "--checkpoint", tiny_bundle_dir, "--out", tmp_path / "out"]
    code, _, err = run("saliency", *words, "--versus", baseline_bundle_dir, "--activation", "ladm.Y_D")
    assert code == 1
    assert "ladm.Y_D" in err
    assert not (tmp_path / "out").exists()
    code, told, err = run("saliency", *words, "--normalise", "frame")  # the same --out again
    assert code == 0, err
    assert "regions: left out" in told
    assert not (tmp_path / "out" / "regions.json").exists()


def test_clips_are_named(tiny_bundle_dir: Path, clips_manifest: Path) -> None:
    last = read_manifest(clips_manifest)["clip_id"].iloc[-1]
    rows, shown = from_manifest(load_checkpoint(tiny_bundle_dir), clips_manifest, 7, clip_ids=[last])
    assert list(rows["clip_id"]) == [clip.name for clip in shown] == [last]


def test_a_verdict_is_of_the_weights_that_were_tested() -> None:
    verdict = Verdict("gradcam", "ladm.Y_D", True, (), ())
    zeros = np.zeros((1, 1, 1, 1), np.float32)
    maps = {
        weights: SaliencyResult("ladm.Y_D", np.zeros(1), weights, "clip", zeros, zeros, np.ones((1, 1), bool))
        for weights in ("global", "per-step", "position")
    }
    assert verdicts_on({("gradcam", "ladm.Y_D"): verdict}, maps) == {"global": verdict, "position": verdict}
    assert verdicts_on({("gradcam", "ladm.Y_D"): verdict}, maps, "package:gradcam") == {}


@pytest.mark.parametrize("method", ["saliency", "package:fem"])
def test_other_methods(run, method: str, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    words = ["--data", clips_manifest, "--clips", 1, "--checkpoint", tiny_bundle_dir, "--method", method, "--out", tmp_path / "o"]
    code, _, err = run("saliency", *words)
    assert code == 0, err
    folder = next(path for path in (tmp_path / "o").iterdir() if path.is_dir())
    about = json.loads((folder / "saliency.json").read_text(encoding="utf-8"))
    assert set(about["maps"]) == ({"input"} if method == "saliency" else {"D", "S"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give either videos or --data"),
        (["--data", "DATA", "--method", "scorecam"], "method 'scorecam' is unknown; choose one of gradcam"),
        (["--data", "DATA", "--method", "package:scorecam"], "not right for clips: it upsamples"),
        (["--data", "DATA", "--target", "joy"], "unknown class 'joy'"),
        (["--data", "DATA", "--target", "sad", "--against", "sad"], "against 1 is the target"),
        (["--data", "DATA", "--activation", "ladm.Y_X"], "unknown activation 'ladm.Y_X'"),
        (["--data", "DATA", "--activation", "head.logits"], "head.logits has no places"),
        (["--data", "DATA", "--method", "occlusion", "--activation", "pyramid.X"], "is a map of the clip itself"),
        (["--data", "DATA", "--method", "saliency", "--weights", "per-step"], "means nothing to saliency, only to gradcam,"),
        (["--data", "DATA", "--method", "package:gradcam", "--weights", "per-step"], "means nothing to package:gradcam"),
        (["--data", "DATA", "--method", "hirescam", "--weights", "per-step"], "means nothing to hirescam"),
        (["--data", "DATA", "--clip", "nobody"], "unknown clip 'nobody'"),
        (["--data", "DATA", "--crop", "face"], "--crop face is for videos"),
        (["--data", "DATA", "--verdicts", "nowhere"], "make it with workbench faithfulness"),
    ],
)
def test_bad_words_are_one_line(
    run, words: list[str], message: str, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path
) -> None:
    words = [str(clips_manifest) if word == "DATA" else word for word in words]
    code, _, err = run("saliency", *words, "--checkpoint", tiny_bundle_dir, "--out", tmp_path / "out")
    assert code == 1
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert message in lines[0]


def test_faithfulness_and_the_badge_that_it_leaves(run, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "faith"
    words = ["--data", clips_manifest, "--clips", 3, "--steps", 3, "--methods", "hirescam", "--no-independent", "--out", out]
    code, told, err = run("faithfulness", tiny_bundle_dir, *words)
    assert code == 0, err
    assert "| HiResCAM | ladm.Y_D |" in told
    pictures = {"curves.png", "channels.png", "randomisation.png"}
    assert {path.name for path in out.iterdir()} == {"faithfulness.json", "faithfulness.md"} | pictures
    found = json.loads((out / "faithfulness.json").read_text(encoding="utf-8"))
    assert found["clips"] == 3
    assert set(found["channels"]) == {"D", "S"}
    assert (
        "faithfulness.md is a file; give a folder"
        in run("faithfulness", tiny_bundle_dir, *words[:-1], out / "faithfulness.md")[2]
    )
    bundle = load_checkpoint(tiny_bundle_dir)
    verdicts = read_verdicts(out, bundle)
    assert set(verdicts) == {("hirescam", "ladm.Y_D"), ("hirescam", "ladm.Y_S")}
    assert all(isinstance(verdict, Verdict) for verdict in verdicts.values())
    shown = tmp_path / "shown"
    options = ["--data", clips_manifest, "--clips", 1, "--method", "hirescam", "--verdicts", out, "--out", shown]
    code, _, err = run("saliency", "--checkpoint", tiny_bundle_dir, *options)
    assert code == 0, err
    about = json.loads(next(shown.glob("*/saliency.json")).read_text(encoding="utf-8"))
    assert about["maps"]["D"]["verdict"]["passes"] == verdicts["hirescam", "ladm.Y_D"].passes
    tested = shutil.copytree(tiny_bundle_dir, tmp_path / "tested")  # with its report beside the card nobody needs to name it
    shutil.copy(out / "faithfulness.json", tested)
    options = ["--data", clips_manifest, "--clips", 1, "--method", "hirescam", "--out", tmp_path / "again"]
    code, _, err = run("saliency", "--checkpoint", tested, *options)
    assert code == 0, err
    again = json.loads(next((tmp_path / "again").glob("*/saliency.json")).read_text(encoding="utf-8"))
    assert again["maps"]["D"]["verdict"] == about["maps"]["D"]["verdict"]


def test_reports_of_others_are_refused(
    tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path
) -> None:
    tiny, baseline = load_checkpoint(tiny_bundle_dir), load_checkpoint(baseline_bundle_dir)
    regular = load_checkpoint(baseline_bundle_dir)  # dropout is no part of the architecture
    regular.model.config = regular.model.config.model_copy(update={"dropout": 0.3})
    request = FaithfulnessRequest(("gradcam",), clips=2, steps=2, independent=False)
    report = run_tests(baseline, clips_manifest, request, shuffled=regular)
    assert "shuffled labels" in report.verdicts[0].failed  # its own maps: nothing differs
    assert set(write(report, tmp_path / "r")) == set((tmp_path / "r").iterdir())
    with pytest.raises(InputError, match="of other weights"):
        read_verdicts(tmp_path / "r", tiny)
    (tmp_path / "r" / "faithfulness.json").write_text("{}")
    with pytest.raises(InputError, match="checkpoint is missing; make it again with workbench faithfulness"):
        read_verdicts(tmp_path / "r", baseline)
    with pytest.raises(InputError, match="another architecture"):
        run_tests(tiny, clips_manifest, shuffled=baseline)
    with pytest.raises(InputError, match="leave nothing to test"):
        run_tests(tiny, clips_manifest, FaithfulnessRequest(methods=()))


def test_regions_follow_landmarks_where_they_are_known_of_all_clips(tiny_bundle_dir: Path) -> None:
    bundle = load_checkpoint(tiny_bundle_dir)
    left, right = (np.tile((CANONICAL * 0.5 + shift) * 64, (16, 1, 1)) for shift in ((0, 0.25), (0.5, 0.25)))
    regions, names, source = regions_of(bundle, None, [left, right], 0.15)
    assert source == "landmarks of a detector, in each frame"
    assert regions.shape == (2, 16, 64, 64)
    for clip, points in zip(regions, (left, right), strict=True):
        x, y = points[0].astype(int).T
        assert [names[value] for value in clip[0, y, x]] == ["eyes", "eyes", "nose", "mouth", "mouth"]
    _, _, source = regions_of(bundle, None, [left, None], 0.15)
    assert source == "rectangles of an aligned face crop, no landmarks of 1 of 2 clips"


def test_a_video_has_the_regions_of_its_landmarks(run, tiny_bundle_dir: Path, shared: Path, tmp_path: Path) -> None:
    video = shared / "data/clips/intel/head-pose-face-detection-female.gif"
    weights = shared / "data/models/yunet/face_detection_yunet_2026may.onnx"
    options = ["--checkpoint", tiny_bundle_dir, "--method", "hirescam", "--crop", "face", "--out", tmp_path / "out"]
    code, _, err = run("saliency", video, *options, "--detector", "yunet", "--detector-weights", weights)
    assert code == 0, err
    budgets = json.loads((tmp_path / "out/regions.json").read_text(encoding="utf-8"))
    assert {budget["source"] for budget in budgets.values()} == {"landmarks of a detector, in each frame"}
    code, _, err = run("saliency", "--data", tmp_path, *options[:2], "--out", tmp_path / "again", "--detector", "yunet")
    assert code == 1
    assert "--detector yunet is for videos" in err


def test_a_list_names_tracks_whose_landmarks_place_the_regions(
    tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path
) -> None:
    """Crops of 100 pixels of a face that moves to the right, read by a model of 64."""
    bundle, table = load_checkpoint(tiny_bundle_dir), read_manifest(clips_manifest)
    rows = table.iloc[:1].assign(landmarks="track.npz", path=[str(clip_path(table, table.iloc[0]).resolve())])
    row = rows.to_dict("records")[0]
    count, side = int(row["n_frames"]), int(row["width"])
    places = CANONICAL[None] * side + np.stack([np.arange(count) * 0.1, np.zeros(count)], 1)[:, None]
    empty = {name: np.zeros((count, *shape)) for name, shape in (("box", (4,)), ("transform", (2, 3)), ("landmarks", (5, 2)))}
    flags = {name: np.zeros(count) for name in ("video_index", "seconds", "score", "found", "held")}
    track = Track(**empty, **flags, crop_landmarks=places, faces=1, size=side, fps=25.0)
    write_track(track, tmp_path / "track.npz")
    write_manifest(rows, tmp_path / "clips.parquet")
    _, (clip,) = from_manifest(bundle, tmp_path / "clips.parquet", 1)
    scale = 64 / side
    np.testing.assert_allclose(clip.landmarks[0, :, 1], CANONICAL[:, 1] * 64, rtol=1e-6)
    moved = clip.landmarks[:, 0, 0] - CANONICAL[0, 0] * 64
    assert moved[0] >= 0
    assert np.all(np.diff(moved) >= 0)
    assert moved[-1] == pytest.approx(0.1 * (count - 1) * scale, abs=0.2 * scale)
    short = replace(track, **{name: getattr(track, name)[:2] for name in ("crop_landmarks", *empty, *flags)})
    write_track(short, tmp_path / "track.npz")
    with pytest.raises(InputError, match=r"track\.npz: has 2 frames, .* more; crop the clip again"):
        from_manifest(bundle, tmp_path / "clips.parquet", 1)


def test_regions_come_from_the_truth_where_it_tells_them(tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    bundle = load_checkpoint(tiny_bundle_dir)
    plain = read_manifest(clips_manifest)
    regions, names, source = regions_of(bundle, plain, [None] * len(plain), 0.0)
    assert regions.shape == (5, 16, 64, 64)
    assert "rectangles" in source
    drawn = np.zeros((32, 32, 32), np.uint8)
    drawn[16:, :16] = REGIONS.index("mouth")
    np.savez(tmp_path / "truth.npz", regions=drawn)
    table = pd.DataFrame({"truth": ["truth.npz"]})
    table.attrs["root"] = str(tmp_path)
    assert has_regions(table)
    assert not has_regions(plain)
    regions, names, source = regions_of(bundle, table, [None], 0.0)
    assert names == REGIONS
    assert source == "truth of scripted clips"
    assert (regions[0, 8:, :32] == REGIONS.index("mouth")).all()
    assert not regions[0, :8].any()
    assert not regions[0, :, 32:].any()
    np.savez(tmp_path / "truth.npz", mask=drawn)
    assert not has_regions(table)
    with pytest.raises(InputError, match="render the suite again"):
        true_regions(table, 16, (64, 64))


def test_a_request_is_checked_before_minutes_are_spent(tiny_bundle_dir: Path) -> None:
    with pytest.raises(InputError, match="method 'magic'"):
        Request("magic").check(load_checkpoint(tiny_bundle_dir))
