"""ICT-FaceKit Light as a face model: units move their region, lids close, faces are found as faces, bad files are refused."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ifdd.errors import InputError
from ifdd.scripted import UNITS, RenderedClip, Script, render_clip, sample_script
from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.head.ict import ICTHead
from ifdd.scripted.head.ict_mesh import FILE
from ifdd.scripted.head.regions import REGIONS
from ifdd.scripted.models import face_model
from ifdd.scripted.script.elements import Curve, Wave

UPPER, LOWER = {"AU01", "AU02", "AU04", "AU05", "AU45"}, {"AU12", "AU15", "AU17", "AU18", "AU20", "AU24", "AU25", "AU26", "AU27"}

MATERIALS = ("M_Face", "M_BackHead", "M_GumsTongue", "M_Teeth", "M_ScleraLeft", "M_ScleraRight")
PAIRS = "browInnerUp browOuterUp browDown eyeWide cheekSquint cheekRaiser eyeSquint noseSneer mouthUpperUp mouthSmile mouthDimple"
PAIRS += " mouthFrown mouthLowerDown mouthStretch mouthPress eyeBlink"
SINGLE = "mouthShrugLower mouthShrugUpper mouthPucker mouthFunnel mouthRollUpper mouthRollLower jawOpen"
NAMES = [f"{name}{side}" for name in PAIRS.split() for side in ("_L", "_R")] + SINGLE.split()


@pytest.fixture(scope="session")
def model(shared: Path) -> FaceModel:
    return face_model(str(shared / "data/ict_facekit_light"))


def still(identity: int, units: dict[str, float], gaze: float = 0.0) -> Script:
    """A frontal, evenly lit clip that shows `units` at full intensity all the time."""
    script = sample_script(identity, "happy", identity, "easy")
    rest = Wave()
    return replace(
        script,
        units=tuple(units.items()),
        curve=Curve(-2.0, -1.0, 5.0, 6.0),
        resting=(),
        irrelevant=(),
        talk=(),
        blinks=(),
        yaw=rest,
        pitch=rest,
        roll=rest,
        gaze_x=Wave(gaze),
        gaze_y=rest,
        light=replace(script.light, azimuth=0.0, elevation=20.0, flicker=0.0),
        camera=replace(script.camera, x=rest, y=rest, zoom=1.0, blur=0.0, noise=0.0),
    )


def draw(model: FaceModel, script: Script, size: int = 112) -> RenderedClip:
    return render_clip(script, size, np.array([1.0]), model)


@pytest.mark.parametrize("unit", UNITS)
def test_unit_moves_its_region(model: FaceModel, unit: str) -> None:
    moved = draw(model, still(3, {unit: 1.0})).truth.mask[0].sum(1)
    assert moved.sum() > 50
    top, bottom = np.searchsorted(np.cumsum(moved) / moved.sum(), [0.03, 0.97])  # rows; the mouth is at about 80
    if unit in UPPER:
        assert bottom < 70
    if unit in LOWER:
        assert top > 50


def test_regions_lie_where_the_units_act(model: FaceModel) -> None:
    for unit, region in (("AU02", "brows"), ("AU05", "eyes"), ("AU25", "mouth")):
        truth = render_clip(still(4, {unit: 1.0}), 112, np.array([1.0]), model, full=True).truth
        assert REGIONS[np.bincount(truth.regions[0][truth.mask[0]], minlength=7).argmax()] == region


def test_every_unit_is_there(model: FaceModel) -> None:
    assert model.units == UNITS
    person = model.person(2, sample_script(2, "happy", 2).appearance)
    assert (np.linalg.norm(person.displacements, axis=2).max(1) > 0.15).all()
    assert person.triangles.max() < len(person.vertices)


@pytest.mark.parametrize("identity", [0, 5, 11])
def test_blink_covers_the_iris(model: FaceModel, identity: int) -> None:
    """An iris of a colour that occurs nowhere else shows with open lids and is gone with closed ones."""

    def green(units: dict[str, float]) -> int:
        script = still(identity, units)
        script = replace(script, appearance=replace(script.appearance, iris=(0.0, 1.0, 0.0), clothes=(0.1, 0.1, 0.1)))
        script = replace(script, background=replace(script.background, kind="plain", colours=((0.5, 0.5, 0.5),) * 2))
        frame = draw(model, script, 224).frames[0].astype(int)
        return int((frame[..., 1] > frame[..., 0] + 40).sum())

    assert green({}) > 60
    assert green({"AU45": 1.0}) == 0


def test_eyes_follow_the_gaze(model: FaceModel) -> None:
    ahead, aside = (draw(model, still(4, {}, gaze)).frames[0].astype(int) for gaze in (0.0, 20.0))
    rows = np.flatnonzero(np.abs(ahead - aside).max(-1).max(1) > 20)
    assert len(rows)
    assert rows.max() - rows.min() < 20  # a band at the eyes, nothing else


def test_same_identity_same_bytes(model: FaceModel, shared: Path) -> None:
    again = ICTHead(shared / "data/ict_facekit_light" / FILE)
    script = sample_script(4, "fear", 8)
    times = np.array([0.4, 1.0])
    first, second = render_clip(script, 64, times, model), render_clip(script, 64, times, again)
    np.testing.assert_array_equal(first.frames, second.frames)
    np.testing.assert_array_equal(first.truth.mask, second.truth.mask)
    assert (render_clip(replace(script, identity=9), 64, times, model).frames != first.frames).any()


def test_neutral_has_an_empty_mask(model: FaceModel) -> None:
    assert not render_clip(sample_script(2, "neutral", 3), 64, np.array([0.2, 1.0]), model).truth.mask.any()


@pytest.mark.parametrize("identity", [0, 1, 2, 3])
def test_opencv_finds_the_face(model: FaceModel, identity: int) -> None:
    script = still(identity, {})
    script = replace(script, camera=replace(script.camera, zoom=0.7))
    gray = cv2.cvtColor(draw(model, script, 224).frames[0], cv2.COLOR_RGB2GRAY)
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"))
    boxes = cascade.detectMultiScale(gray, 1.1, minNeighbors=5, minSize=(60, 60))
    assert len(boxes)
    x, y, side, _ = max(boxes, key=lambda box: box[2])
    # with the margin of 15 % on each side the box is the frame at zoom 1
    assert 0.85 < 1.3 * side / (0.7 * 224) < 1.2
    assert abs(x + side / 2 - 112) < 12
    assert abs(y + side / 2 - 112) < 12


def test_built_in_is_a_name_and_models_are_cached(model: FaceModel, shared: Path) -> None:
    assert face_model("built-in") is face_model("built-in")
    assert face_model(str(shared / "data/ict_facekit_light")) is model


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such face model.*built-in"):
        face_model(str(tmp_path / "none.npz"))
    with pytest.raises(InputError, match=FILE):
        face_model(str(tmp_path))
    text = tmp_path / "text é.npz"
    text.write_text("no archive")
    with pytest.raises(InputError, match=r"text é\.npz: not a readable npz"):
        face_model(str(text))
    array = tmp_path / "array.npy"
    np.save(array, np.zeros(3))
    with pytest.raises(InputError, match=r"array\.npy: not a readable npz"):
        face_model(str(array))
    cut = tmp_path / "cut.npz"
    np.savez_compressed(cut, **_arrays())
    cut.write_bytes(cut.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"cut\.npz: not a readable npz"):
        face_model(str(cut))
    few = tmp_path / "few.npz"
    np.savez(few, neutral=np.zeros((26719, 3), np.float32))
    with pytest.raises(InputError, match=r"few\.npz: face model without faces, face_material, .*built-in"):
        face_model(str(few))


def _arrays(vertices: int = 26719) -> dict[str, np.ndarray]:
    zero = np.zeros((1, 1, 1), np.uint8)
    return {
        "neutral": np.zeros((vertices, 3), np.float32),
        "faces": np.zeros((26384, 4), np.int32),
        "face_material": np.zeros(26384, np.uint8),
        "identity_deltas": np.broadcast_to(zero, (100, vertices, 3)),
        "expression_deltas": np.broadcast_to(zero, (57, vertices, 3)),
        "expression_names": np.array([*NAMES, *["other"] * (57 - len(NAMES))]),
        "material_names": np.array([*MATERIALS, *["other"] * (12 - len(MATERIALS))]),
    }


def test_other_meshes_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    np.savez_compressed(other, **_arrays(20000))
    with pytest.raises(InputError, match=r"other\.npz: neutral has shape \(20000, 3\) where the face model has \(26719, 3\)"):
        face_model(str(other))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("expression_names", np.array(["other"] * 57), "expression_names lacks browDown, .*"),
        ("material_names", np.array(["other"] * 12), "material_names lacks M_BackHead, .*"),
        ("faces", np.full((26384, 4), 26719, np.int32), r"faces names vertices outside 0 to 26718 \(highest 26719\)"),
    ],
)
def test_other_values_are_refused(tmp_path: Path, name: str, value: np.ndarray, message: str) -> None:
    path = tmp_path / "changed.npz"
    np.savez_compressed(path, **{**_arrays(), name: value})
    with pytest.raises(InputError, match=rf"changed\.npz: {message}; give"):
        face_model(str(path))
