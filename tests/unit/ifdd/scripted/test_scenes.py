"""Scenes around scripted clips: their correlation with the emotion, and that neither stream tells the other."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.row_clips import load_row_inputs
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import (
    Script,
    SuiteConfig,
    render_clip,
    render_scene,
    render_suite,
    sample_script,
    suite_scripts,
    training_arrays,
)
from ifdd.scripted.script.elements import Curve
from ifdd.scripted.script.extras import POLARITY, SCENE_OF
from ifdd.scripted.script.scenes import KINDS, follows, sample_scene, scene_polarity, with_scene

RHOS = st.floats(-1, 1)
NUMBER = {scene: value for value, scene in SCENE_OF.items()}
BASE = SuiteConfig("x", 1, 70, 20, "test", "standard-v2")


def joint(rho: float) -> dict[tuple[int, int], float]:
    """Probability of (valence of the emotion, of the scene), counted from the definition."""
    share = Counter(POLARITY[emotion] for emotion in EMOTIONS)
    k, sign = follows(rho), 1 if rho > 0 else -1
    found: dict[tuple[int, int], float] = Counter()
    for p, many in share.items():
        found[p, sign * p] += many / 7 * k
        for q, others in share.items():
            for flip in (1, -1):
                found[p, flip * q] += many / 7 * (1 - k) * others / 7 / 2
    return found


def moments(table: dict[tuple[int, int], float]) -> tuple[float, float]:
    """Correlation, and the standard deviation of its influence: that of n clips is this over √n."""
    chance = np.array(list(table.values()))
    pairs = np.array(list(table), float)
    assert chance.sum() == pytest.approx(1)
    centred = pairs - chance @ pairs
    x, y = (centred / np.sqrt(chance @ centred**2)).T
    rho = float(chance @ (x * y))
    influence = x * y - rho * (x**2 + y**2) / 2
    return rho, math.sqrt(max(float(chance @ influence**2), 0.0))


@given(RHOS)
def test_rho_is_the_correlation_to_the_last_digit(rho: float) -> None:
    assert moments(joint(rho))[0] == pytest.approx(rho, abs=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(RHOS, st.integers(0, 2**31))
def test_what_comes_out_lies_in_its_sampling_interval(rho: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    emotions = EMOTIONS * 300
    scenes = [NUMBER[scene_polarity(rng, emotion, rho)] for emotion in emotions]
    realised = np.corrcoef([POLARITY[emotion] for emotion in emotions], scenes)[0, 1]
    assert abs(realised - rho) <= 4.5 * moments(joint(rho))[1] / math.sqrt(len(emotions)) + 1e-9


def test_scenes_of_no_correlation_know_nothing_of_the_emotion() -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros((7, 3))
    for _ in range(600):
        for i, emotion in enumerate(EMOTIONS):
            counts[i, NUMBER[scene_polarity(rng, emotion, 0.0)] + 1] += 1
    assert chi2_contingency(counts).pvalue > 0.01
    assert (counts.sum(0) / counts.sum()).tolist() == pytest.approx([5 / 14, 4 / 14, 5 / 14], abs=0.03)


@given(RHOS)
def test_scenes_are_alike_for_rho_and_its_opposite(rho: float) -> None:
    ours, theirs = joint(rho), joint(-rho)
    for (emotion, scene), chance in ours.items():
        assert theirs[emotion, -scene] == pytest.approx(chance)


def test_neutral_clips_have_neutral_scenes_where_rho_is_1() -> None:
    for script in suite_scripts(replace(BASE, rho=1.0)):
        assert NUMBER[script.scene] == POLARITY[script.emotion]
    for script in suite_scripts(replace(BASE, rho=-1.0)):
        assert NUMBER[script.scene] == -POLARITY[script.emotion]


def alone(script: Script) -> Script:
    return replace(script, scene="", around=None)


def test_only_the_scene_changes_with_rho() -> None:
    without = suite_scripts(BASE)
    seen: dict[tuple[int, str], object] = {}
    for rho in (-0.9, -0.3, 0.0, 0.5, 0.9):
        scripts = suite_scripts(replace(BASE, rho=rho))
        assert scripts == suite_scripts(replace(BASE, rho=rho))
        assert [alone(script) for script in scripts] == without
        for script in scripts:
            assert seen.setdefault((script.seed, script.scene), script.around) == script.around  # a clip has three scenes in all
            assert Script.from_dict(script.to_dict()) == script
    assert {scene for _, scene in seen} == set(KINDS)


def expressive(emotion: str) -> Script:
    script = sample_script(3, emotion, 7, "easy")
    return with_scene(replace(script, curve=Curve(-1, -0.5, 5, 6), irrelevant=(), talk=(), blinks=()), 0.0)


def test_no_stream_shows_the_other() -> None:
    times = np.array([0.5, 1.0])
    happy = expressive("happy")
    angry = replace(happy, emotion="angry", units=expressive("angry").units)
    scenes = {polarity: sample_scene(happy.seed, polarity) for polarity in KINDS}
    faces = [
        render_clip(replace(happy, scene=name, around=scene), 48, times, masks=False).frames for name, scene in scenes.items()
    ]
    assert np.array_equal(faces[0], faces[1])
    assert np.array_equal(faces[0], faces[2])
    assert np.array_equal(faces[0], render_clip(alone(happy), 48, times, masks=False).frames)

    def around(script: Script, polarity: str, face: str) -> np.ndarray:
        return render_scene(replace(script, scene=polarity, around=scenes[polarity]), 64, times, face=face)

    assert np.array_equal(around(happy, "positive", "masked"), around(angry, "positive", "masked"))
    assert not np.array_equal(around(happy, "positive", "kept"), around(angry, "positive", "kept"))
    assert not np.array_equal(around(happy, "positive", "masked"), around(happy, "negative", "masked"))


def test_scenes_differ_in_light_and_colour() -> None:
    script = sample_script(1, "sad", 1, "easy")
    means: dict[str, list[np.ndarray]] = {polarity: [] for polarity in KINDS}
    for seed in range(12):
        for polarity in KINDS:
            shown = replace(script, scene=polarity, around=sample_scene(seed, polarity))
            means[polarity].append(render_scene(shown, 32, np.array([1.0]), face="masked")[0, :, :6].reshape(-1, 3).mean(0))
    light = {polarity: np.mean(found) for polarity, found in means.items()}
    assert light["positive"] > light["neutral"] + 20 > light["negative"] + 40
    warm = {polarity: np.mean([colour[0] - colour[2] for colour in found]) for polarity, found in means.items()}
    assert warm["positive"] > warm["neutral"] > warm["negative"]


@pytest.mark.parametrize("rho", [-1.1, 2.0, float("nan")])
def test_impossible_correlation(rho: float) -> None:
    with pytest.raises(InputError, match=f"rho {rho} is outside"):
        follows(rho)
    with pytest.raises(InputError, match=f"suite x: rho {rho} is outside"):
        replace(BASE, rho=rho)


def test_two_scenes_are_refused() -> None:
    with pytest.raises(InputError, match=r"scene-shift has a scene behind the face; give rho to another one"):
        replace(BASE, difficulty="scene-shift", rho=0.5)
    behind = suite_scripts(replace(BASE, difficulty="scene-shift"))[0]
    with pytest.raises(InputError, match=r"tells a .* scene already"):
        with_scene(behind, 0.5)
    with pytest.raises(InputError, match=r"'gloomy' is not one of positive, negative, neutral"):
        sample_scene(0, "gloomy")
    with pytest.raises(InputError, match="this script has none around the person"):
        render_scene(sample_script(0, "sad", 0))
    with pytest.raises(InputError, match="give both the same"):
        replace(with_scene(sample_script(0, "sad", 0), 0.0), scene="")


TINY = SuiteConfig("tiny", 5, 4, 2, "test", "easy")


def test_suites_of_other_rho_share_their_clips(tmp_path: Path) -> None:
    without = training_arrays(TINY, 4, 32, tmp_path, workers=1, progress=False)
    for rho in (-0.9, 0.9):
        found = training_arrays(replace(TINY, rho=rho), 4, 32, tmp_path, workers=1, progress=False)
        assert np.array_equal(found.clips, without.clips)
    assert len(list(tmp_path.iterdir())) == 1
    scenes = [training_arrays(replace(TINY, rho=rho), 4, 32, tmp_path, 1, False, scene="masked") for rho in (-1.0, 1.0)]
    assert not np.array_equal(scenes[0].clips, scenes[1].clips)
    assert np.array_equal(scenes[0].intensity, without.intensity)
    with pytest.raises(InputError, match=r"easy has no scenes around its clips; give it a rho"):
        training_arrays(TINY, 4, 32, tmp_path, 1, False, scene="masked")


def test_a_suite_on_disk_has_both_streams(tmp_path: Path) -> None:
    suite = replace(TINY, clips=2, rho=0.5)
    manifest = render_suite(suite, tmp_path / "out", size=48, workers=1, progress=False, scene_face="masked")
    frame = read_manifest(manifest)
    scripts = suite_scripts(suite)
    assert frame["scene"].tolist() == [script.scene for script in scripts]
    assert set(frame["scene_face"]) == {"masked"}
    fits = {"positive": {"happy"}, "negative": {"sad", "angry", "disgust", "fear"}, "neutral": {"neutral", "surprise"}}
    assert frame["scene_fits"].tolist() == [
        emotion in fits[s] for s, emotion in zip(frame["scene"], frame["label_name"], strict=True)
    ]
    inputs = {
        "face": Preprocessing(8, (48, 48), "face"),
        "scene": Preprocessing(8, (48, 48), "none", stream="scene", face="masked"),
    }
    arrays = {
        name: training_arrays(suite, 8, 48, tmp_path, 1, False, scene=scene)
        for name, scene in (("face", ""), ("scene", "masked"))
    }
    for i, row in enumerate(frame.to_dict("records")):
        found = load_row_inputs(frame, row, inputs)
        for name in inputs:
            np.testing.assert_array_equal(found[name].pixels, arrays[name].clips[i])
    plain = render_suite(replace(suite, rho=None), tmp_path / "plain", size=48, workers=1, progress=False)
    assert not {"scene_path", "scene_fits"} & set(read_manifest(plain))
    for file in sorted((tmp_path / "plain/clips").rglob("*.png")):
        assert file.read_bytes() == (tmp_path / "out" / file.relative_to(tmp_path / "plain")).read_bytes()
    with pytest.raises(InputError, match="scene_face 'hidden' is not one of kept, blurred, masked"):
        render_suite(suite, tmp_path / "no", scene_face="hidden")
