"""Rendered clips and suites: same bytes, truth that fits the pixels, whole folders or none."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.scripted import (
    Script,
    SuiteConfig,
    read_mask,
    render_clip,
    render_suite,
    render_times,
    sample_script,
    segment_centres,
    suite,
    suite_scripts,
    training_arrays,
)
from ifdd.scripted.head.face import FaceModel, Person
from ifdd.scripted.head.regions import REGIONS, region_map
from ifdd.scripted.render.backdrop import occluder_alpha
from ifdd.scripted.render.clips import default_model, recompress
from ifdd.scripted.script.elements import Appearance, Curve, Occluder, Stretch, Wave
from ifdd.scripted.script.extras import SCENE_OF, cut, occluder, scene_background
from ifdd.scripted.script.truth import NUISANCES, nuisance_values
from ifdd.scripted.script.units import UNITS

TIMES = np.linspace(0.0, 1.9, 5)
NOTHING = {
    "talk": (),
    "irrelevant": (),
    "blinks": (),
    "resting": (),
    "yaw": Wave(),
    "pitch": Wave(),
    "roll": Wave(),
    "gaze_x": Wave(),
    "gaze_y": Wave(),
}
"""Changes that leave a script nothing but its emotion, seen from the front."""


def still(seed: int = 9, emotion: str = "happy", **changes: object) -> Script:
    """A script in full apex all the time, with nothing else, but for `changes`."""
    script = sample_script(seed, emotion, 21)
    calm = {"curve": Curve(-2, -1, 5, 6, 1.0), "camera": replace(script.camera, x=Wave(), y=Wave())}
    return replace(script, **{**NOTHING, **calm, **changes})  # type: ignore[arg-type]


PIXELS_BEFORE = {
    ("easy", "happy"): [
        52.47,
        46.83,
        53.75,
        111.29,
        80.02,
        59.65,
        54.85,
        50.37,
        63.17,
        85.54,
        66.48,
        64.25,
        146.3,
        99.52,
        70.8,
        73.72,
        62.4,
        69.49,
        45.88,
        46.85,
        63.7,
        135.93,
        89.4,
        62.55,
        41.36,
        49.3,
        79.52,
    ],
    ("standard", "fear"): [
        37.45,
        69.85,
        35.33,
        91.59,
        68.54,
        53.64,
        79.59,
        96.74,
        91.39,
        64.46,
        85.25,
        46.87,
        156.56,
        106.99,
        76.98,
        83.82,
        90.74,
        77.58,
        97.29,
        134.88,
        114.39,
        143.41,
        94.53,
        66.0,
        105.09,
        128.5,
        121.94,
    ],
    ("hard", "disgust"): [
        52.04,
        72.46,
        48.61,
        100.6,
        75.08,
        58.68,
        63.97,
        87.93,
        79.7,
        85.77,
        100.18,
        68.58,
        146.41,
        100.59,
        72.71,
        85.88,
        92.68,
        65.45,
        70.74,
        114.07,
        75.57,
        142.94,
        95.66,
        67.25,
        74.56,
        102.38,
        77.81,
    ],
}
"""Mean of each ninth of a frame, each channel, drawn by generator version 2, which checkpoints were trained on."""


@pytest.mark.parametrize(("difficulty", "emotion"), PIXELS_BEFORE)
def test_pixels_of_trained_checkpoints_stay(difficulty: str, emotion: str) -> None:
    frame = render_clip(sample_script(11, emotion, 77, difficulty), 48, np.array([0.9])).frames[0].astype(float)
    # single pixels may be off by one where a processor rounds otherwise
    np.testing.assert_allclose(frame.reshape(3, 16, 3, 16, 3).mean((1, 3)).ravel(), PIXELS_BEFORE[difficulty, emotion], atol=0.05)


def test_times_and_segment_centres() -> None:
    np.testing.assert_allclose(render_times(4, 2.0), [0.25, 0.75, 1.25, 1.75])
    np.testing.assert_array_equal(segment_centres(32, 16), np.arange(1, 32, 2))
    np.testing.assert_array_equal(segment_centres(5, 5), np.arange(5))


def test_same_script_same_bytes() -> None:
    script = sample_script(4, "fear", 8)
    first, second = render_clip(script, 64, TIMES), render_clip(Script.from_dict(script.to_dict()), 64, TIMES)
    np.testing.assert_array_equal(first.frames, second.frames)
    np.testing.assert_array_equal(first.truth.mask, second.truth.mask)
    assert (render_clip(replace(script, seed=5), 64, TIMES).frames != first.frames).any()


def test_mask_is_empty_without_emotion() -> None:
    script = replace(sample_script(2, "surprise", 3), curve=Curve(0.6, 1.0, 1.2, 1.5, 1.0))
    truth = render_clip(script, 64, np.array([0.0, 0.5, 1.1, 1.5, 1.9])).truth
    moved = truth.mask.any((1, 2))
    np.testing.assert_array_equal(truth.intensity > 0, [False, False, True, False, False])
    np.testing.assert_array_equal(moved, truth.intensity > 0)
    neutral = render_clip(sample_script(2, "neutral", 3), 64, TIMES).truth
    assert not neutral.mask.any()
    assert not neutral.intensity.any()
    assert not neutral.emotion_units.any()


def test_mask_lies_where_the_units_act() -> None:
    rows = {}
    for unit in ("AU02", "AU12"):
        mask = render_clip(still(units=((unit, 1.0),)), 64, np.array([1.0])).truth.mask[0]
        assert 0.005 < mask.mean() < 0.4
        rows[unit] = np.flatnonzero(mask.any(1))
    assert rows["AU02"].max() < rows["AU12"].min()  # brows above, mouth below


@pytest.mark.parametrize("seed", range(6))
def test_patch_hides_what_is_behind_it(seed: int) -> None:
    patch = replace(occluder(np.random.default_rng(seed), 2.0), curve=Curve(0.5, 1.0, 1.2, 1.7))
    times = np.array([0.3, 1.1])
    bare, hidden = render_clip(still(), 64, times), render_clip(still(occluders=(patch,)), 64, times)
    np.testing.assert_array_equal(hidden.frames[0], bare.frames[0])  # not yet there
    alpha, _ = occluder_alpha(patch, 1.0, 64)
    assert 0.02 < (alpha > 0.5).mean() < 0.6
    assert not hidden.truth.mask[1][alpha == 1].any()
    np.testing.assert_array_equal(hidden.truth.mask[1][alpha == 0], bare.truth.mask[1][alpha == 0])
    assert (hidden.frames[1] != bare.frames[1]).any(-1)[alpha == 1].mean() > 0.9
    assert (occluder_alpha(patch, 0.0, 64)[0] == 0).all()  # comes from out of sight


def test_cut_changes_place_and_framing() -> None:
    jump = replace(cut(np.random.default_rng(1), 2.0, scene_background(np.random.default_rng(2), "positive")), at=1.0, zoom=1.2)
    before, after = np.array([0.2, 0.9]), np.array([1.0, 1.9])
    whole, with_cut = still(), still(cut=jump)
    np.testing.assert_array_equal(render_clip(with_cut, 48, before).frames, render_clip(whole, 48, before).frames)
    shown = render_clip(with_cut, 48, after, full=True)
    assert np.abs(shown.frames.astype(int) - render_clip(whole, 48, after).frames)[:, :8, :8].mean() > 5  # another background
    faces = [(render_clip(s, 48, after, full=True).truth.regions > 0).mean() for s in (whole, with_cut)]
    assert faces[1] > 1.1 * faces[0]


def test_compression_loses_more_at_lower_quality() -> None:
    plain = render_clip(still(), 64, np.array([1.0])).frames[0]
    lost = [
        np.abs(plain.astype(float) - render_clip(still(compression=q), 64, np.array([1.0])).frames[0]).mean()
        for q in (95, 50, 10)
    ]
    assert 0 < lost[0] < lost[1] < lost[2]
    grey = np.full((16, 16, 3), (200, 90, 30), np.uint8)
    assert np.abs(recompress(grey, 95).astype(int) - grey).max() <= 3  # red stays red


def test_scenes_differ_in_light_and_warmth() -> None:
    corners = {}
    for scene in SCENE_OF.values():
        script = still(background=scene_background(np.random.default_rng(3), scene), scene=scene)
        corners[scene] = render_clip(script, 48, np.array([1.0]), masks=False).frames[0, :, :4].reshape(-1, 3).mean(0)
    assert corners["positive"].mean() > corners["neutral"].mean() > corners["negative"].mean() + 20
    assert corners["positive"][0] > corners["positive"][2] + 20  # warm
    assert corners["negative"][2] > corners["negative"][0]  # cold
    assert np.ptp(corners["neutral"]) < 4


def test_region_map_by_hand() -> None:
    # two triangles of two regions over 2 x 1 pixels of 2 x 2 samples; the second pixel is half empty
    triangles, regions = np.array([[0, 1, 2], [3, 4, 5]], np.int32), np.array([1, 2, 3, 4, 4, 4], np.uint8)
    face = np.array([[0, 0, 1, -1], [0, 0, 1, -1]], np.int32)
    bary = np.full((2, 4, 2), np.nan, np.float32)  # empty samples hold whatever was there
    bary[:, :2], bary[:, 2] = (0.2, 0.7), (0.1, 0.1)
    bary[0, 0] = (0.1, 0.1)
    np.testing.assert_array_equal(region_map(face, bary, triangles, regions, 2), [[3, 0]])
    face[0, 3], bary[0, 3] = 1, 0.3
    np.testing.assert_array_equal(region_map(face, bary, triangles, regions, 2), [[3, 4]])


def test_regions_lie_as_in_a_face() -> None:
    regions = render_clip(still(emotion="neutral"), 64, np.array([1.0]), full=True).truth.regions[0]
    y, x = np.mgrid[0:64, 0:64]
    rows = {name: y[regions == i].mean() for i, name in enumerate(REGIONS[:-1])}
    assert rows["brows"] < rows["eyes"] < rows["nose"] < rows["mouth"]
    for name in ("nose", "mouth"):
        assert x[regions == REGIONS.index(name)].mean() == pytest.approx(32, abs=2.5)
    shares = np.bincount(regions.ravel(), minlength=7) / regions.size
    assert (shares[:6] > 0.01).all()
    assert shares[6] == 0
    bar = Occluder("bar", 0.5, 0.5, 2.0, 0.0, 0.2, 3.0, 0.0, (0.0, 0.0, 0.0), Curve(-2, -1, 5, 6))
    crossed = render_clip(still(emotion="neutral", occluders=(bar,)), 64, np.array([1.0]), full=True).truth.regions[0]
    assert (crossed[:, 27:37] == REGIONS.index("occluder")).all()
    np.testing.assert_array_equal(crossed[:, :25], regions[:, :25])


def test_units_move_their_regions_most() -> None:
    for unit, region in (("AU02", "brows"), ("AU05", "eyes"), ("AU25", "mouth")):
        truth = render_clip(still(units=((unit, 1.0),)), 64, np.array([1.0]), full=True).truth
        moved = np.bincount(truth.regions[0][truth.mask[0]], minlength=7)
        moved[REGIONS.index("face")] = 0  # skin between
        assert REGIONS[moved.argmax()] == region


def test_nuisance_mask_is_of_nuisances() -> None:
    blink = still(units=(("AU12", 1.0),), blinks=(0.4,), resting=(("AU04", 0.5),))
    truth = render_clip(blink, 64, np.array([0.3, 0.505]), full=True).truth
    assert truth.mask.any((1, 2)).all()
    np.testing.assert_array_equal(truth.nuisance_mask.any((1, 2)), [False, True])  # a resting face is no nuisance
    eyes = truth.regions[1] == REGIONS.index("eyes")
    assert eyes[truth.nuisance_mask[1]].mean() > 0.8


def test_full_truth_leaves_frames_and_masks_alone() -> None:
    script = sample_script(4, "fear", 8)
    some, full, none = (render_clip(script, 48, TIMES, **how) for how in ({}, {"full": True}, {"masks": False}))  # type: ignore[arg-type]
    for other in (full, none):
        np.testing.assert_array_equal(other.frames, some.frames)
    np.testing.assert_array_equal(full.truth.mask, some.truth.mask)
    np.testing.assert_array_equal(full.truth.nuisance, some.truth.nuisance)
    assert [len(t.truth.regions) for t in (some, full, none)] == [0, 5, 0]
    assert [len(t.truth.nuisance) for t in (some, full, none)] == [5, 5, 0]


def test_face_without_regions_has_no_map() -> None:
    class Plain:
        units = UNITS

        def person(self, identity: int, appearance: Appearance) -> Person:
            return replace(default_model().person(identity, appearance), regions=None)

    model: FaceModel = Plain()
    truth = render_clip(still(), 32, TIMES, model, full=True).truth
    assert truth.regions.shape == (0, 32, 32)
    assert truth.nuisance_mask.shape == (5, 32, 32)


def test_values_and_energies_of_nuisances() -> None:
    def of(script: Script, at: float) -> dict[str, tuple[float, float]]:
        value, energy = nuisance_values(script, np.array([at]))
        return dict(zip(NUISANCES, zip(value[0].tolist(), energy[0].tolist(), strict=True), strict=True))

    calm = still(light=replace(still().light, flicker=0.0))
    assert all(pair == (0, 0) for pair in of(calm, 1.0).values())
    ramp = Stretch(Curve(0.5, 1.5, 2.0, 2.5, 0.8), (("AU14", 0.5),))
    turning = replace(calm, irrelevant=(ramp,), yaw=Wave(drift=12.0), pitch=Wave(offset=5.0))
    got = of(turning, 1.0)
    assert got["pose"] == pytest.approx((13.0, 12.0))
    assert got["irrelevant"] == pytest.approx((0.2, 0.4 * np.sin(np.pi / 32) * 16), rel=1e-5)
    assert got["talking"] == got["blink"] == got["camera"] == got["light"] == got["occluder"] == got["gaze"] == (0, 0)
    jump = replace(cut(np.random.default_rng(0), 2.0, calm.background), at=1.0, zoom=1.0, x=0.03, y=-0.04)
    speeds = nuisance_values(replace(calm, cut=jump), render_times(32))[1][:, list(NUISANCES).index("camera")]
    # one of the two frames beside the cut, or both, see all of it
    assert speeds.max() == pytest.approx(0.05 * 16, rel=1e-5)
    assert (speeds > 0).sum() in (1, 2)


def test_emotion_motion_is_the_slope_of_intensity() -> None:
    script = replace(sample_script(3, "angry", 5), curve=Curve(0.2, 0.8, 1.2, 1.6, 0.9))
    times = render_times(64)
    truth = render_clip(script, 16, times, masks=False).truth
    by_hand = (
        np.where(times < 0.8, np.sin(np.pi * (times - 0.2) / 0.6) / 0.6, np.sin(np.pi * (1.6 - times) / 0.4) / 0.4)
        * 0.45
        * np.pi
        * ((times > 0.2) & (times < 0.8) | (times > 1.2) & (times < 1.6))
    )
    np.testing.assert_allclose(truth.emotion_motion, by_hand, atol=0.2)
    assert truth.emotion_motion[(times > 0.9) & (times < 1.1)].max() == 0


def test_suite_folder(tmp_path: Path) -> None:
    cfg = SuiteConfig("tiny", 5, 8, 3, "test")
    manifest = render_suite(cfg, tmp_path / "suite é", frames=4, fps=2.0, size=32, workers=1, progress=False)
    table = read_manifest(manifest)
    assert list(table.label_name[:7]) == [s.emotion for s in suite_scripts(cfg)][:7]
    assert (table.split == "test").all()
    assert (table.kind == "frames").all()
    scripts = [json.loads(line) for line in (manifest.parent / "scripts.jsonl").read_text(encoding="utf-8").splitlines()]
    for row, values in zip(table.itertuples(), scripts, strict=True):
        assert values.pop("clip_id") == row.clip_id
        clip = render_clip(Script.from_dict(values), 32, render_times(4, 2.0))
        files = sorted((manifest.parent / str(row.path)).iterdir())
        pixels = np.stack([cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in files])
        np.testing.assert_array_equal(pixels, clip.frames)
        np.testing.assert_array_equal(read_mask(manifest.parent / str(row.truth)), clip.truth.mask)
    assert [p.name for p in tmp_path.iterdir()] == ["suite é"]
    with pytest.raises(InputError, match="exists; choose another folder"):
        render_suite(cfg, tmp_path / "suite é", progress=False)


def test_half_a_suite_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(suite, "write_clip", full)
    with pytest.raises(InputError, match="out: cannot be written: No space left"):
        render_suite(SuiteConfig("x", 0, 2, 1), tmp_path / "out", frames=1, size=16, workers=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_training_arrays_equal_the_suite(tmp_path: Path) -> None:
    cfg = SuiteConfig("tiny", 6, 3, 2)
    arrays = training_arrays(cfg, size=24, cache_dir=tmp_path, workers=1, progress=False)
    assert arrays.clips.shape == (3, 16, 24, 24, 3)
    assert arrays.labels.tolist() == [0, 1, 2]
    whole = render_clip(suite_scripts(cfg)[1], 24)
    np.testing.assert_array_equal(arrays.clips[1], whole.frames[1::2])
    np.testing.assert_allclose(arrays.intensity[1], whole.truth.intensity[1::2])
    (folder,) = tmp_path.iterdir()
    before = (folder / "clips.npy").stat().st_mtime_ns
    again = training_arrays(cfg, size=24, cache_dir=tmp_path, workers=1, progress=False)
    np.testing.assert_array_equal(again.clips, arrays.clips)
    assert (folder / "clips.npy").stat().st_mtime_ns == before
