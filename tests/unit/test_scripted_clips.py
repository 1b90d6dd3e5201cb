"""Rendered clips and suites: same bytes, truth that fits the pixels, whole folders or none."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ifdd.data.manifest import read_manifest
from ifdd.data.scripted import (
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
from ifdd.data.scripted.script import Curve
from ifdd.errors import InputError

TIMES = np.linspace(0.0, 1.9, 5)


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
    base = replace(sample_script(9, "happy", 21), talk=(), irrelevant=(), blinks=(), resting=(), curve=Curve(-2, -1, 5, 6, 1.0))
    still = {name: replace(getattr(base, name), offset=0.0, drift=0.0, parts=()) for name in ("yaw", "pitch", "roll")}
    rows = {}
    for unit in ("AU02", "AU12"):
        mask = render_clip(replace(base, units=((unit, 1.0),), **still), 64, np.array([1.0])).truth.mask[0]
        assert 0.005 < mask.mean() < 0.4
        rows[unit] = np.flatnonzero(mask.any(1))
    assert rows["AU02"].max() < rows["AU12"].min()  # brows above, mouth below


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
    with pytest.raises(InputError, match="exists already"):
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
