import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from media import write_video

import ifdd
from ifdd.checkpoints import Bundle
from ifdd.data.clips import load_clip
from ifdd.errors import InputError
from tests.stored import faithfulness_report
from workbench.analysis.saliency.results import Verdict
from workbench.explain import files as explain_files
from workbench.explain.files import split_dict
from workbench.explain.results import Explanation
from workbench.explain.task import Options, run, write
from workbench.store.sources import output_names

PLAIN = Options(crop="none")


def written(explanation: Explanation, folder: Path) -> Path:
    files = write(explanation, folder, film_format="gif")
    assert set(files) == set(folder.iterdir())
    return folder


@pytest.fixture(scope="session")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return ifdd.load_checkpoint(tiny_bundle_dir)


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 coarse random frames with uneven time stamps: 25 per second, then half as fast."""
    images = np.random.default_rng(0).integers(0, 256, (48, 4, 6, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    times = np.cumsum([0, *[40] * 23, *[80] * 24])
    return write_video(tmp_path_factory.mktemp("é ü") / "a clip.mp4", list(images), milliseconds=times.tolist())


@pytest.fixture(scope="session")
def explanation(bundle: Bundle, video: Path) -> Explanation:
    return run(bundle, video, PLAIN)


def test_maps_are_those_that_were_asked_for(bundle: Bundle, video: Path, explanation: Explanation) -> None:
    found = run(bundle, video, replace(PLAIN, method="hirescam", activations=("pyramid.X", "ladm.Y_S")))
    assert {key: (item.method, item.activation) for key, item in found.saliency.items()} == {
        "pyramid.X": ("hirescam", "pyramid.X"),
        "S": ("hirescam", "ladm.Y_S"),
    }
    assert not np.allclose(found.saliency["S"].raw, explanation.saliency["S"].raw)
    pixels = run(bundle, video, replace(PLAIN, method="saliency"))
    assert pixels.saliency["input"].raw.shape[1] == bundle.model.frames
    with pytest.raises(InputError, match="'gradcamel' is unknown"):
        run(bundle, Path("not read"), replace(PLAIN, method="gradcamel"))


def test_maps_that_passed_their_tests_come_first(bundle: Bundle, video: Path, tmp_path: Path) -> None:
    assert {item.method for item in run(bundle, video, replace(PLAIN, method="tested")).saliency.values()} == {"hirescam"}
    folder = tmp_path / bundle.path.name
    shutil.copytree(bundle.path, folder)
    tested = ifdd.load_checkpoint(folder)
    passing = [Verdict("hirescam", "ladm.Y_D", False, (), ("deletion",)), Verdict("gradcam", "ladm.Y_D", True, (), ())]
    report = faithfulness_report(tested.name, tested.card.sha256, *passing, manifest_hash="of the list")
    (folder / "faithfulness.json").write_text(json.dumps(report))
    found = run(tested, video, replace(PLAIN, method="tested", weights="per-step"))
    maps = [(item.method, item.activation, item.weights) for item in found.saliency.values()]
    assert maps == [("gradcam", "ladm.Y_D", "global")]  # those by step were not tested
    here = run(tested, video, replace(PLAIN, method="tested", listed="of the list")).verdicts["D"]
    there = run(tested, video, replace(PLAIN, method="tested")).verdicts["D"]
    assert (here.elsewhere, there.elsewhere) == (False, True)


def test_explanation_is_that_of_the_models_own_clip(bundle: Bundle, video: Path, explanation: Explanation) -> None:
    clips = load_clip(video, replace(bundle.preprocessing, crop="none")).tensor()[None]
    np.testing.assert_allclose(explanation.probabilities, bundle.predict(clips)[0].numpy(), atol=1e-5)
    assert explanation.target == explanation.predicted == explanation.probabilities.argmax()
    assert set(explanation.saliency) == {"D", "S"}
    assert explanation.split is not None
    with torch.no_grad():
        _, cache = bundle.model.run_with_cache(clips, names="issm.sample_D")
    np.testing.assert_allclose(explanation.split.sample_D, cache["issm.sample_D"].numpy(), atol=1e-4)


def test_files(explanation: Explanation, tmp_path: Path) -> None:
    folder = written(explanation, tmp_path / "out" / "a clip")
    assert {path.name for path in folder.iterdir()} == {"overlay.gif", "film_strip.png", "film_strip.svg", "explain.json"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a clip"]
    told = json.loads((folder / "explain.json").read_text(encoding="utf-8"))
    assert {"video", "sha256", "checkpoint", "labels", "probabilities", "target", "faces", "frames", "split", "saliency"} <= set(
        told
    )
    assert told["labels"][int(np.argmax(told["probabilities"]))] == told["target"]
    assert sum(told["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert told["saliency"]["activation"] == {"D": "ladm.Y_D", "S": "ladm.Y_S"}
    assert (told["saliency"]["weights"], told["saliency"]["normalise"]) == ("global", "clip")
    assert all((folder / name).is_file() for name in told["saliency"]["files"].values())
    assert len(told["frames"]["seconds"]) == len(told["frames"]["video_index"]) == len(told["faces"]["boxes"]) == 16


def test_maps_that_failed_their_tests_say_so(bundle: Bundle, video: Path, tmp_path: Path) -> None:
    place = tmp_path / "tested"
    shutil.copytree(bundle.path, place)
    row = Verdict("gradcam", "ladm.Y_D", False, ("why",), ("parameter randomisation",))
    report = faithfulness_report(bundle.name, bundle.card.sha256, row, manifest="mine")
    (place / "faithfulness.json").write_text(json.dumps(report))
    tested = run(ifdd.load_checkpoint(place), video, PLAIN)
    assert {branch: verdict.badge for branch, verdict in tested.verdicts.items()} == {
        "D": "fails: parameter randomisation (other clips)"
    }
    folder = written(tested, tmp_path / "out")
    assert json.loads((folder / "explain.json").read_text())["saliency"]["verdicts"]["D"]["passes"] is False
    drawn = (folder / "film_strip.svg").read_text()
    assert "fails: parameter randomisation (other clips)" in drawn
    assert "Badges: tested on 28 clips of mine, not on what is shown here." in drawn
    plain = written(run(ifdd.load_checkpoint(place), video, replace(PLAIN, badges=False)), tmp_path / "2")
    assert json.loads((plain / "explain.json").read_text())["saliency"]["verdicts"] == {}
    assert "parameter randomisation" not in (plain / "film_strip.svg").read_text()
    steps = run(ifdd.load_checkpoint(place), video, replace(PLAIN, weights="per-step"))
    assert steps.verdicts == {}  # what was tested are maps by global weights
    (place / "faithfulness.json").write_text(json.dumps(report | {"sha256": "0" * 64}))
    with pytest.raises(InputError, match="is of other weights"):
        run(ifdd.load_checkpoint(place), video, PLAIN)


def test_notes_on_maps_are_told_whole(bundle: Bundle, video: Path, explanation: Explanation) -> None:
    """A film has one clip, whose number says nothing; what else stands before a colon does."""
    found = run(bundle, video, replace(PLAIN, method="package:fem", activations=("pyramid.X",)))
    assert "X: fem does not look at the class: the map is the same for every target" in found.warnings
    flat = replace(explanation.saliency["D"], notes=("clip 0: no positive evidence in any frame; its map is left at zero",))
    told = replace(explanation, saliency={"D": flat}).warnings
    assert told[-1] == "Y_D: no positive evidence in any frame; its map is left at zero"


def test_seconds_come_from_the_time_stamps(explanation: Explanation) -> None:
    assert explanation.split is not None
    fixed = replace(explanation.split, sample_D=np.array([[0.0, 1.25, 4.0, 7.0]]))
    told = split_dict(fixed, explanation.clip.seconds)["D"]
    assert told["sample_input"] == [0.0, 2.5, 8.0, 14.0]  # T = 16: clip frame = 2 · feature frame
    # frame n is at 0.04 n s up to 23, then 0.08 s apart; 2.92 s are cut into 16 segments of 0.1825 s, each shows what is on
    # at its centre
    stamps = [0.04 * n if n <= 23 else 0.92 + 0.08 * (n - 23) for n in range(48)]
    at = [max(stamp for stamp in stamps if stamp <= 0.1825 * (i + 0.5)) for i in range(16)]
    expected = [at[0], (at[2] + at[3]) / 2, at[8], at[14]]
    np.testing.assert_allclose(told["sample_seconds"], expected, atol=1e-6)
    for group in ("S", "D"):
        values = {name: np.array(value) for name, value in split_dict(explanation.split, explanation.clip.seconds)[group].items()}
        np.testing.assert_allclose(values["position"], values["initial"] + values["offset"], atol=1e-5)
        np.testing.assert_allclose(values["sample_feature"], values["position"].clip(0, 7), atol=1e-5)


def test_a_baseline_has_no_split(baseline_bundle_dir: Path, video: Path, tmp_path: Path) -> None:
    found = run(ifdd.load_checkpoint(baseline_bundle_dir), video, PLAIN)
    folder = written(found, tmp_path / "x")
    told = json.loads((folder / "explain.json").read_text())
    assert told["split"] is None
    assert told["saliency"]["activation"] == {"X": "pyramid.X"}


def test_target(bundle: Bundle, video: Path) -> None:
    found = run(bundle, video, replace(PLAIN, target="fear"))
    assert found.target == 6
    assert found.saliency["D"].target.tolist() == [6]
    with pytest.raises(InputError, match="unknown class 'joy'; this checkpoint knows happy, sad"):
        run(bundle, video, Options(target="joy"))


def test_windows(bundle: Bundle, video: Path, tmp_path: Path) -> None:
    found = run(bundle, video, replace(PLAIN, target="sad", window=0.8, stride=0.4))
    line = found.timeline
    assert line is not None
    np.testing.assert_allclose(line.start, np.arange(len(line.start)) * 0.4)
    assert len(line.start) == 6  # 2.88 s: the last whole window begins at 2.0 s
    sad = line.probabilities[:, 1]
    assert line.chosen == sad.argmax()
    assert found.clip.start == pytest.approx(line.start[line.chosen])
    np.testing.assert_allclose(found.probabilities, line.probabilities[line.chosen], atol=1e-5)
    single = run(bundle, video, replace(PLAIN, start=0.4, end=1.2))
    np.testing.assert_allclose(line.probabilities[1], single.probabilities, atol=1e-5)
    folder = written(found, tmp_path / "windows")
    told = json.loads((folder / "explain.json").read_text())
    assert [entry["explained"] for entry in told["windows"]].index(True) == line.chosen
    assert {"timeline.png", "timeline.svg"} <= {path.name for path in folder.iterdir()}


def test_without_a_target_windows_explain_the_class_of_the_highest_mean(bundle: Bundle, video: Path) -> None:
    found = run(bundle, video, replace(PLAIN, window=0.8))
    assert found.timeline is not None
    assert found.target == found.timeline.probabilities.mean(0).argmax()


def test_names_that_clash() -> None:
    assert list(output_names(["a/one.mp4", "b/two.v2.mov"]).values()) == ["one", "two.v2"]
    with pytest.raises(InputError, match=r"a/one.mp4 and b/one.avi would both be written to one"):
        output_names(["a/one.mp4", "c/three.mp4", "b/one.avi"])


def test_a_folder_of_frames_keeps_its_whole_name(tmp_path: Path) -> None:
    (tmp_path / "take.1").mkdir()
    assert list(output_names([tmp_path / "take.1"]).values()) == ["take.1"]


def test_a_full_disk_leaves_nothing(explanation: Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, film: np.ndarray) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(explain_files, "write_film", full)
    with pytest.raises(InputError, match="x: cannot be written: No space left on device; free the disk"):
        written(explanation, tmp_path / "out" / "x")
    assert list(tmp_path.iterdir()) == []


def test_options_that_do_not_fit(bundle: Bundle, video: Path) -> None:
    with pytest.raises(InputError, match="needs windows"):
        run(bundle, video, replace(PLAIN, stride=1.0))
    with pytest.raises(InputError, match="needs --crop face"):
        run(bundle, video, replace(PLAIN, face=2))
    with pytest.raises(InputError, match="no face found"):
        run(bundle, video, Options(crop="face"))
