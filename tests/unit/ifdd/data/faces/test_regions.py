"""Parts of a face from landmarks, against the truth of scripted heads."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.data.faces.alignment import CANONICAL
from ifdd.data.faces.regions import PARTS, landmark_regions
from ifdd.data.faces.yunet import YuNet
from ifdd.scripted import REGIONS, SuiteConfig, render_clip, render_times, suite_scripts
from workbench.analysis.saliency import region_budget


def overlap(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Mean intersection over union of each part."""
    told = {}
    for i, name in enumerate(PARTS):
        pairs = [(a, b) for a, b in zip(found == i, truth == i, strict=True) if b.any()]
        told[name] = float(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs]))
    return told


@pytest.fixture(scope="module")
def heads(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks that YuNet finds on rendered heads, and their true regions (n, 128, 128)."""
    yunet = YuNet(shared / "data/models/yunet/face_detection_yunet_2026may.onnx")
    suite = SuiteConfig(name="regions", seed=9, clips=4, identities=4, split="test", difficulty="standard")
    landmarks, regions = [], []
    for script in suite_scripts(suite):
        clip = render_clip(script, 128, render_times(3), full=True)
        for frame, truth in zip(clip.frames[1:], clip.truth.regions[1:], strict=True):
            (face,) = yunet.detect(frame)
            landmarks.append(face.landmarks)
            regions.append(truth)
    return np.stack(landmarks), np.stack(regions)


def test_parts_are_those_of_the_truth() -> None:
    assert REGIONS[: len(PARTS)] == PARTS


def test_parts_lie_where_the_truth_has_them(heads: tuple[np.ndarray, np.ndarray]) -> None:
    landmarks, truth = heads
    found = overlap(landmark_regions(landmarks, (128, 128)), truth)
    for part in ("brows", "eyes", "nose", "mouth"):
        assert found[part] > 0.5, found


def test_shuffled_landmarks_find_no_part(heads: tuple[np.ndarray, np.ndarray]) -> None:
    landmarks, truth = heads
    rng = np.random.default_rng(0)
    shuffled = np.stack([points[rng.permutation(5)] for points in landmarks])
    found = overlap(landmark_regions(shuffled, (128, 128)), truth)
    for part in ("brows", "eyes", "mouth"):
        assert found[part] < 0.25, found


def test_a_map_that_knows_nothing_has_the_ratio_one(heads: tuple[np.ndarray, np.ndarray]) -> None:
    landmarks, _ = heads
    regions = landmark_regions(landmarks / 4, (32, 32)).reshape(4, 2, 32, 32)
    budget = region_budget(np.ones(regions.shape), regions, PARTS, source="landmarks")
    for row in budget.regions:
        assert row.ratio.value == pytest.approx(1.0)
    eyes = region_budget((regions == PARTS.index("eyes")).astype(float), regions, PARTS, source="landmarks")
    assert eyes.region("eyes").share.value == pytest.approx(1.0)


@given(st.floats(20, 200), st.floats(-3.1, 3.1), st.floats(-50, 250))
def test_parts_turn_and_grow_with_the_face(side: float, roll: float, shift: float) -> None:
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    landmarks = (CANONICAL - 0.5) @ turn * side + 100 + shift
    for at, part in ((0, "eyes"), (1, "eyes"), (2, "nose"), (3, "mouth"), (4, "mouth")):
        x, y = np.floor(landmarks[at]).astype(int)
        centred = landmarks - landmarks[at] + (x + 0.5, y + 0.5)  # a pixel is where its centre is: of a small face a part beside
        if 0 <= x < 200 and 0 <= y < 200:
            assert PARTS[landmark_regions(centred[None], (200, 200))[0, y, x]] == part


def test_a_profile_whose_landmarks_are_one_line_has_parts_still() -> None:
    landmarks = (CANONICAL * (0.0, 1.0) + (0.5, 0.0)) * 64
    regions = landmark_regions(landmarks[None], (64, 64))
    assert set(np.unique(regions)) == set(range(6))
