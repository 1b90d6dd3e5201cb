"""Draws a script with a face model: frames and their truth."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from ifdd.data.scripted.face import FaceModel, Person
from ifdd.data.scripted.head import ParametricHead
from ifdd.data.scripted.raster import SRGB, SUPERSAMPLING, deform, keep_outside, rasterise, shade, to_linear, vertex_normals
from ifdd.data.scripted.script import Background, Light, Script, Tracks

GENERATOR_VERSION = 2
"""Raised with every change that alters pixels or truth; part of every cache key."""

MASK_THRESHOLD = 8
"""A pixel is moved by the emotion when a channel differs by more than this (of 255) from the picture without its units."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What the script says about every frame."""

    intensity: np.ndarray  # (n,) float32 in [0, 1]
    action_units: np.ndarray  # (n, A) float32 in [0, 1], emotion and nuisance together
    emotion_units: np.ndarray  # (n, A) float32, the emotion's share alone
    unit_names: tuple[str, ...]
    mask: np.ndarray  # (n, H, W) bool: pixels that the emotion moves
    pose: np.ndarray  # (n, 3) float32: yaw, pitch, roll in degrees


@dataclass(frozen=True, eq=False)
class RenderedClip:
    """Frames (n, H, W, 3) uint8 RGB, their times (n,) in seconds, and the truth."""

    frames: np.ndarray
    seconds: np.ndarray
    truth: Truth


def render_times(n: int, duration: float = 2.0) -> np.ndarray:
    """Centres (n,) in seconds of n equal segments of the clip."""
    return (np.arange(n) + 0.5) * duration / n


@cache
def default_model() -> ParametricHead:
    """The face model that is used where none is named."""
    return ParametricHead()


def paint_background(background: Background, size: int) -> np.ndarray:
    """Linear picture (size, size, 3) float32 of what is behind the head."""
    rng = np.random.default_rng(background.seed)
    colours = to_linear(np.array(background.colours))
    y, x = np.mgrid[0:size, 0:size] / size
    image = np.tile(colours[0], (size, size, 1))
    if background.kind == "gradient":
        turn = rng.uniform(0, 2 * np.pi)
        u = np.clip(0.5 + (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn), 0, 1)[..., None]
        image = colours[0] + u * (colours[1] - colours[0])
    elif background.kind == "blobs":
        for colour in np.concatenate([colours, colours[::-1]]):
            cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.3)
            weight = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / r**2))[..., None]
            image = image + weight * (colour - image)
    elif background.kind == "room":
        for colour in np.concatenate([colours[1:], colours[1:]]):
            x0, y0, w, h = rng.uniform(-0.1, 0.9), rng.uniform(-0.2, 0.9), rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.9)
            image[(x > x0) & (x < x0 + w) & (y > y0) & (y < y0 + h)] = colour
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), max(background.blur * size, 0.5))


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3, 3) matrix of a head turned by degrees: yaw to the image's right, pitch up, roll counter-clockwise."""
    y, p, r = np.radians([yaw, -pitch, roll])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return rz @ ry @ rx


def _lights(light: Light, exposure: float, flicker: float) -> tuple[np.ndarray, np.ndarray]:
    """Lights (2, 2, 3): key and fill, direction and colour; ambient (2, 3): from below and above."""

    def towards(azimuth: float, elevation: float) -> np.ndarray:
        a, e = np.radians([azimuth, elevation])
        return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])

    tint = np.array(light.tint)
    key = light.key * flicker * exposure
    fill = 0.25 * light.ambient * exposure
    lights = np.array(
        [[towards(light.azimuth, light.elevation), tint * key], [towards(-0.6 * light.azimuth - 20, 10), np.full(3, fill)]]
    )
    ambient = np.outer([0.3, 0.62], (2 - tint)) * light.ambient * exposure
    return lights.astype(np.float32), ambient.astype(np.float32)


class Stage:
    """One script on one face model, ready to draw single frames. Buffers are reused: one stage, one thread."""

    def __init__(self, script: Script, size: int, model: FaceModel) -> None:
        self.script, self.size = script, size
        self.person: Person = model.person(script.identity, script.appearance)
        v, fine = len(self.person.vertices), size * SUPERSAMPLING
        self._points = np.empty((v, 3), np.float32)
        self._normals = np.empty((v, 3), np.float32)
        self._depth = np.empty((fine, fine), np.float32)
        self._face = np.empty((fine, fine), np.int32)
        self._bary = np.empty((fine, fine, 2), np.float32)
        self._background = paint_background(script.background, size) * np.float32(script.camera.exposure)
        side = max(size // 16, 1)
        self._noise = (
            np.random.default_rng([script.seed, 13]).normal(size=(size + 2 * side, size + 2 * side, 3)).astype(np.float32)
        )

    def draw(self, tracks: Tracks, i: int, units: np.ndarray) -> np.ndarray:
        """Clean picture (size, size, 3) uint8 at time i of the tracks with unit weights (A,)."""
        person, camera, size = self.person, self.script.camera, self.size
        points = self._points
        deform(person.vertices, person.displacements, units.astype(np.float32), points)
        for eye in person.eyes:
            # both balls turn to one far point
            turn = rotation(tracks.gaze[i, 0], tracks.gaze[i, 1], 0.0).astype(np.float32)
            ball, centre = points[eye.vertices], eye.centre.astype(np.float32)
            points[eye.vertices] = (ball - centre) @ turn.T + centre
            keep_outside(points, eye.lids, centre, eye.radius + 0.06)
        turn = rotation(*tracks.pose[i]).astype(np.float32)
        points += person.follow[:, None] * (points @ turn.T - points)
        vertex_normals(points, person.triangles, self._normals)
        fine = size * SUPERSAMPLING
        distance = camera.distance
        scale = fine / person.frame_side * camera.zoom
        near = 1.0 / (distance - points[:, 2])
        screen = np.empty_like(points)
        focus = scale * (distance - 7.0)  # the face's plane keeps its size at any distance
        cx, cy = fine * (0.5 + tracks.shift[i, 0]), fine * (0.5 + tracks.shift[i, 1])
        screen[:, 0] = cx + focus * near * (points[:, 0] - person.frame_centre[0])
        screen[:, 1] = cy - focus * near * (points[:, 1] - person.frame_centre[1])
        screen[:, 2] = near
        rasterise(screen, person.triangles, self._depth, self._face, self._bary)
        lights, ambient = _lights(self.script.light, camera.exposure, tracks.light[i])
        out = np.empty((size, size, 3), np.uint8)
        shade(
            self._face, self._bary, person.triangles, self._normals, person.colour, person.uv, person.gloss, person.texture,
            person.creases, (person.crease_mix @ units).astype(np.float32), lights, ambient, self._background, SRGB, out,
        )  # fmt: skip
        return out

    def spoil(self, image: np.ndarray, i: int) -> np.ndarray:
        """Adds the camera's blur and noise to a clean picture; i seeds the noise of that frame."""
        camera, size = self.script.camera, self.size
        blur = camera.blur * size / 112
        if blur > 0.2:
            image = cv2.GaussianBlur(image, (0, 0), blur)
        room = self._noise.shape[0] - size
        x, y = (i * 7 + 3) % (room + 1), (i * 11 + 5) % (room + 1)
        noisy = image + camera.noise * self._noise[y : y + size, x : x + size]
        return np.clip(noisy + 0.5, 0, 255).astype(np.uint8)


def render_clip(
    script: Script,
    size: int = 112,
    times: np.ndarray | None = None,
    model: FaceModel | None = None,
    masks: bool = True,
    indices: np.ndarray | None = None,
) -> RenderedClip:
    """Draws a clip and its truth.

    times (n,): seconds; default `render_times(32, script.duration)`. indices (n,): frame numbers, which seed the noise; default
    0…n−1, given when `times` are some frames of a longer clip. The mask of a frame compares two clean pictures (no blur,
    no noise), with and without the emotion's units; `masks=False` leaves it out (n = 0 on its first axis) and halves the time.
    """
    model = model or default_model()
    seconds = render_times(32, script.duration) if times is None else np.asarray(times, np.float64)
    tracks = script.at(seconds)
    stage = Stage(script, size, model)
    frames = np.empty((len(seconds), size, size, 3), np.uint8)
    mask = np.zeros((len(seconds) if masks else 0, size, size), bool)
    units = tracks.units
    for i in range(len(seconds)):
        clean = stage.draw(tracks, i, units[i])
        frames[i] = stage.spoil(clean, i if indices is None else int(indices[i]))
        if masks and tracks.emotion[i].any():
            without = stage.draw(tracks, i, tracks.nuisance[i])
            mask[i] = cv2.absdiff(clean, without).max(-1) > MASK_THRESHOLD
    truth = Truth(
        intensity=tracks.intensity.astype(np.float32),
        action_units=units.astype(np.float32),
        emotion_units=tracks.emotion.astype(np.float32),
        unit_names=model.units,
        mask=mask,
        pose=tracks.pose.astype(np.float32),
    )
    return RenderedClip(frames, seconds, truth)


__all__ = [
    "GENERATOR_VERSION",
    "MASK_THRESHOLD",
    "RenderedClip",
    "Stage",
    "Truth",
    "default_model",
    "render_clip",
    "render_times",
]
