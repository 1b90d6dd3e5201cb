"""The built-in head: units stay in their region, lids and lips close, faces are found as faces."""

import cv2
import numpy as np
import pytest

from ifdd.labels import EMOTIONS
from ifdd.scripted import UNITS, render_clip, sample_script
from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.head.head import canonical
from ifdd.scripted.head.templates import EYE_INNER, EYE_OUTER, MOUTH_HALF, MOUTH_Y, lid_lines, mouth_gap, template
from ifdd.scripted.render.clips import default_model

UPPER = {"AU01", "AU02", "AU04", "AU05", "AU45"}
LOWER = {"AU12", "AU14", "AU15", "AU16", "AU17", "AU18", "AU20", "AU22", "AU23", "AU24", "AU25", "AU26", "AU27"}


def reach(unit: str) -> np.ndarray:
    """How far (V,) each vertex moves, cm."""
    return np.linalg.norm(canonical()[1][UNITS.index(unit)], axis=1)


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_its_region_only(unit: str) -> None:
    y, moved = template().xy[:, 1], reach(unit)
    assert moved.max() > 0.1
    if unit in UPPER:
        assert moved[y < -2.5].max() < 0.01
    elif unit in LOWER:
        assert moved[y > -0.8].max() < 0.01
    else:  # 6, 7, 9, 10: the middle of the face
        assert moved[y < -9.0].max() < 0.01
        assert moved[y > 5.5].max() < 0.01


def test_signs_of_the_main_units() -> None:
    rest, moves = canonical()
    x, y = np.abs(template().xy[:, 0]), template().xy[:, 1]
    corner = np.hypot(x - MOUTH_HALF, y - MOUTH_Y) < 0.3
    inner_brow = np.hypot(x - 1.4, y - 2.4) < 0.6
    outer_brow = np.hypot(x - 4.2, y - 2.6) < 0.6

    def mean(unit: str, where: np.ndarray) -> np.ndarray:
        move = moves[UNITS.index(unit)][where].copy()
        move[:, 0] *= np.sign(rest[where, 0])
        return move.mean(0)

    assert mean("AU12", corner)[1] > 0.4
    assert mean("AU12", corner)[0] > 0.4
    assert mean("AU15", corner)[1] < -0.4
    assert mean("AU20", corner)[0] > 0.5
    assert mean("AU18", corner)[0] < -0.3
    assert mean("AU01", inner_brow)[1] > 3 * mean("AU01", outer_brow)[1]
    assert mean("AU02", outer_brow)[1] > 3 * mean("AU02", inner_brow)[1]
    assert mean("AU04", inner_brow)[1] < -0.3
    assert mean("AU04", inner_brow)[0] < -0.1


def test_lips_meet_and_blink_closes() -> None:
    rest, moves = canonical()
    xy = template().xy
    x, dy = np.abs(xy[:, 0]), xy[:, 1] - MOUTH_Y
    edge = (np.abs(np.abs(dy) - mouth_gap(xy[:, 0])) < 0.02) & (x < MOUTH_HALF - 0.2) & (np.abs(dy) > 0.05)
    upper, lower = rest[edge & (dy > 0)], rest[edge & (dy < 0)]
    at = np.linspace(-1.8, 1.8, 9)
    heights = [np.interp(at, *p[np.argsort(p[:, 0]), :2].T) for p in (upper, lower)]
    assert np.abs(heights[0] - heights[1]).max() < 0.06
    shut = rest + moves[UNITS.index("AU45")]
    top, bottom = lid_lines(xy[:, 0])
    inside = (x > EYE_INNER + 0.3) & (x < EYE_OUTER - 0.3) & (xy[:, 0] > 0)
    at = np.linspace(2.1, 4.1, 7)
    gap, start = [], []
    for vertices, out in ((shut, gap), (rest, start)):
        upper, lower = vertices[inside & (np.abs(xy[:, 1] - top) < 1e-3)], vertices[inside & (np.abs(xy[:, 1] - bottom) < 1e-3)]
        curves = [np.interp(at, *p[np.argsort(p[:, 0]), :2].T) for p in (upper, lower)]
        out.append(curves[0] - curves[1])
    assert np.min(start) > 0.5
    assert np.max(gap) < 0.1


def test_person_is_well_formed_and_repeatable() -> None:
    model: FaceModel = default_model()
    script = sample_script(0, "happy", 12)
    person = model.person(12, script.appearance)
    v = len(person.vertices)
    assert person.displacements.shape == (len(model.units), v, 3)
    assert person.triangles.min() >= 0
    assert person.triangles.max() < v
    for array in (person.vertices, person.displacements, person.colour, person.texture, person.creases):
        assert np.isfinite(array).all()
        assert array.dtype == np.float32
    assert ((person.follow >= 0) & (person.follow <= 1)).all()
    other = model.person(13, script.appearance)
    assert np.abs(other.vertices[:3000] - person.vertices[:3000]).max() > 0.2


def test_cascade_finds_the_faces() -> None:
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    boxes = []
    for seed in range(20):
        script = sample_script(seed, EMOTIONS[seed % 7], seed + 500)
        apex = np.clip([0.5 * (script.curve.apex + script.curve.release)], 0, script.duration)
        frame = render_clip(script, 112, apex, masks=False).frames[0]
        grey = cv2.cvtColor(cv2.copyMakeBorder(frame, 60, 60, 60, 60, cv2.BORDER_REPLICATE), cv2.COLOR_RGB2GRAY)
        found = [b for b in detector.detectMultiScale(grey, 1.1, 4) if b[2] > 50]
        boxes += [(np.array(b) - [60, 60, 0, 0]) / 112 for b in found[:1]]
    assert len(boxes) >= 16
    # a box enlarged by 15 % per side is the frame
    x, y, side, _ = np.mean(boxes, axis=0)
    assert 1.3 * side == pytest.approx(1.0, abs=0.08)
    assert x + side / 2 == pytest.approx(0.5, abs=0.05)
    assert y + side / 2 == pytest.approx(0.5, abs=0.06)
