"""The scene stream of a clip: the same person, smaller, in what is around; of the face, what `hide` leaves."""

from dataclasses import replace

import cv2
import numpy as np

from ifdd.data.faces.hiding import hide
from ifdd.errors import InputError
from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.raster import to_linear
from ifdd.scripted.render.backdrop import paint_background
from ifdd.scripted.render.clips import Stage, default_model
from ifdd.scripted.script.elements import Appearance, Background, Scene, vector
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.times import render_times

_BEHIND = {"party": "balloons", "night": "room", "wall": "gradient", "office": "room"}
"""Kind of a scene → kind of the background that it is made of; the others are open air."""
SCENE_VERSION = 1
"""Raised with every change that alters the pixels of a scene."""
FACE_SIDE = 1.3
"""Side of the square that hides a face, in sides of its frame: hair and chin are in it whatever the pose."""


def paint_scene(scene: Scene, size: int) -> np.ndarray:
    """Linear picture (size, size, 3) float32 of what is around the person."""
    rng = np.random.default_rng([scene.seed, 17])
    y, x = np.mgrid[0:size, 0:size] / size
    if scene.kind in _BEHIND:
        image = paint_background(Background(_BEHIND[scene.kind], scene.colours, 0.01, scene.seed), size)
    else:
        image = _open_air(to_linear(np.array(scene.colours)), y, rng.uniform(0.5, 0.7))
    if scene.kind == "meadow":
        sun = np.exp(-(((x - rng.uniform(0.05, 0.95)) ** 2 + (y - rng.uniform(0.05, 0.25)) ** 2) / 0.03))
        image = image + sun[..., None] * (np.array([1.0, 0.95, 0.7]) - image)
    if scene.kind == "rain":
        drops = (rng.random((size, size)) > 0.985).astype(np.float32)
        image = image + 0.5 * cv2.filter2D(drops, -1, _slant(max(size // 8, 3)))[..., None]
    grain = cv2.GaussianBlur(rng.normal(size=(size, size)).astype(np.float32), (0, 0), max(size / 112, 0.5))
    image = image * (1 + 3 * scene.grain * grain[..., None])
    image = scene.light * (image + scene.haze * (image.mean((0, 1)) - image))
    return np.clip(image, 0, 1).astype(np.float32)


def _open_air(colours: np.ndarray, y: np.ndarray, horizon: float) -> np.ndarray:
    """Sky of two colours over ground of two colours."""
    sky, ground = np.clip(y / horizon, 0, 1)[..., None], np.clip((y - horizon) / (1 - horizon), 0, 1)[..., None]
    above, below = colours[0] + sky * (colours[1] - colours[0]), colours[2] + ground * (colours[3] - colours[2])
    edge = np.clip((y - horizon) / 0.02 + 0.5, 0, 1)[..., None]
    return above + edge * (below - above)


def _slant(length: int) -> np.ndarray:
    """A filter that draws points out to slanted lines."""
    line = np.zeros((length, length), np.float32)
    for i in range(length):
        line[i, (length - 1 - i) // 3 + length // 3] = 1 / length
    return line


def _body(image: np.ndarray, scene: Scene, appearance: Appearance) -> np.ndarray:
    """The picture with shoulders where the head's neck ends."""
    size = len(image)
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    inside = np.hypot((x - scene.x) / (1.05 * scene.side), (y - scene.y - 1.55 * scene.side) / (1.05 * scene.side)) - 1
    cloth = to_linear(np.array(appearance.clothes)) * scene.light * (0.75 + 0.25 * np.clip(-3 * inside, 0, 1))[..., None]
    alpha = np.clip(0.5 - inside * scene.side * size, 0, 1)[..., None]
    return (image + alpha * (cloth - image)).astype(np.float32)


def _smaller(script: Script, scene: Scene) -> Script:
    """The script as the camera of its scene sees it."""
    side = scene.side
    patches = tuple(
        replace(
            patch,
            x=scene.x + side * (patch.x - 0.5),
            y=scene.y + side * (patch.y - 0.5),
            dx=side * patch.dx,
            dy=side * patch.dy,
            width=side * patch.width,
            height=side * patch.height,
        )
        for patch in script.occluders
    )
    return replace(script, camera=replace(script.camera, zoom=side * script.camera.zoom), occluders=patches)


def render_scene(
    script: Script,
    size: int = 112,
    times: np.ndarray | None = None,
    model: FaceModel | None = None,
    indices: np.ndarray | None = None,
    face: str = "kept",
) -> np.ndarray:
    """Frames (n, size, size, 3) uint8 of the scene around a clip, at the times (n,) of its frames; arguments as `render_clip`.

    A masked face is drawn at rest before the mask covers it: no pixel depends on the emotion but through the scene's polarity.

    Raises: InputError for a script without a scene around it.
    """
    scene = script.around
    if scene is None:
        raise InputError("scene: this script has none around the person; give the suite a rho")
    seconds = render_times(32, script.duration) if times is None else np.asarray(times, np.float64)
    tracks = script.at(seconds)
    shift = np.array([scene.x - 0.5, scene.y - 0.5]) + scene.side * tracks.shift
    placed = replace(tracks, shift=shift)
    stage = Stage(
        _smaller(script, scene), size, model or default_model(), _body(paint_scene(scene, size), scene, script.appearance)
    )
    units = np.tile(vector(script.resting), (len(seconds), 1)) if face == "masked" else tracks.units
    frames = np.empty((len(seconds), size, size, 3), np.uint8)
    for i in range(len(seconds)):
        middle = size * (0.5 + shift[i])
        half = 0.5 * FACE_SIDE * scene.side * size
        shown = hide(stage.draw(placed, i, units[i]), [np.concatenate([middle - half, middle + half])], face)
        frames[i] = stage.spoil(shown, i if indices is None else int(indices[i]))
    return frames
