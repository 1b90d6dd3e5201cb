"""Draws a script with a face model: frames and their truth."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from ifdd.errors import InputError
from ifdd.scripted.head.face import FaceModel, Person
from ifdd.scripted.head.head import ParametricHead
from ifdd.scripted.head.regions import REGIONS, region_map
from ifdd.scripted.raster import SRGB, SUPERSAMPLING, deform, keep_outside, rasterise, shade, vertex_normals
from ifdd.scripted.render.backdrop import cover, occluder_alpha, paint_background
from ifdd.scripted.script.elements import Light, vector
from ifdd.scripted.script.script import Script, Tracks
from ifdd.scripted.script.times import render_times
from ifdd.scripted.script.truth import Truth, emotion_motion, irrelevant_share, nuisance_values

MASK_THRESHOLD = 8
"""A pixel is moved by the emotion when a channel differs by more than this (of 255) from the picture without its units."""


@dataclass(frozen=True, eq=False)
class RenderedClip:
    """Frames (n, H, W, 3) uint8 RGB, their times (n,) in seconds, and the truth."""

    frames: np.ndarray
    seconds: np.ndarray
    truth: Truth


@cache
def default_model() -> ParametricHead:
    """The face model that is used where none is named."""
    return ParametricHead()


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


def recompress(image: np.ndarray, quality: int) -> np.ndarray:
    """The picture (H, W, 3) uint8 RGB after JPEG of a quality, 1 to 100."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    if again is None:
        raise InputError(f"compression: a frame could not be encoded as JPEG of quality {quality}")
    return cv2.cvtColor(again, cv2.COLOR_BGR2RGB)


class Stage:
    """One script on one face model, ready to draw single frames. Buffers are reused: one stage, one thread."""

    def __init__(self, script: Script, size: int, model: FaceModel, behind: np.ndarray | None = None) -> None:
        """`behind`: linear picture (size, size, 3) float32 of all shots, by default the script's backgrounds."""
        self.script, self.size = script, size
        self.person: Person = model.person(script.identity, script.appearance)
        v, fine = len(self.person.vertices), size * SUPERSAMPLING
        self._points = np.empty((v, 3), np.float32)
        self._normals = np.empty((v, 3), np.float32)
        self._depth = np.empty((fine, fine), np.float32)
        self._face = np.empty((fine, fine), np.int32)
        self._bary = np.empty((fine, fine, 2), np.float32)
        shots = (script.background,) if script.cut is None else (script.background, script.cut.background)
        painted = [paint_background(shot, size) if behind is None else behind for shot in shots]
        self._backgrounds = [picture * np.float32(script.camera.exposure) for picture in painted]
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
        scale = fine / person.frame_side * camera.zoom * float(tracks.zoom[i])
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
            self._face,
            self._bary,
            person.triangles,
            self._normals,
            person.colour,
            person.uv,
            person.gloss,
            person.texture,
            person.creases,
            (person.crease_mix @ units).astype(np.float32),
            lights,
            ambient,
            self._backgrounds[tracks.shot[i]],
            SRGB,
            out,
        )
        for patch, value in zip(self.script.occluders, tracks.occluders[i], strict=True):
            if value > 0:
                out = cover(out, patch, float(value))
        return out

    def regions(self, tracks: Tracks, i: int) -> np.ndarray:
        """Region map (size, size) uint8 of the picture that was drawn last, which is time i of the tracks."""
        person = self.person
        if person.regions is None:
            raise InputError("regions: this face model names no regions; render without region maps")
        out = region_map(self._face, self._bary, person.triangles, person.regions, SUPERSAMPLING)
        for patch, value in zip(self.script.occluders, tracks.occluders[i], strict=True):
            if value > 0:
                out[occluder_alpha(patch, float(value), self.size)[0] > 0.5] = REGIONS.index("occluder")
        return out

    def spoil(self, image: np.ndarray, i: int) -> np.ndarray:
        """Adds the camera's blur, noise and compression to a clean picture; i seeds the noise of that frame."""
        camera, size = self.script.camera, self.size
        blur = camera.blur * size / 112
        if blur > 0.2:
            image = cv2.GaussianBlur(image, (0, 0), blur)
        room = self._noise.shape[0] - size
        x, y = (i * 7 + 3) % (room + 1), (i * 11 + 5) % (room + 1)
        noisy = image + camera.noise * self._noise[y : y + size, x : x + size]
        spoilt = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
        return spoilt if self.script.compression is None else recompress(spoilt, self.script.compression)


def render_clip(
    script: Script,
    size: int = 112,
    times: np.ndarray | None = None,
    model: FaceModel | None = None,
    masks: bool = True,
    indices: np.ndarray | None = None,
    full: bool = False,
) -> RenderedClip:
    """Draws a clip and its truth.

    times (n,): seconds; default `render_times(32, script.duration)`. indices (n,): frame numbers, which seed the noise; default
    0…n−1, given when `times` are some frames of a longer clip. The mask of a frame compares two clean pictures (no blur,
    no noise), with and without the emotion's units; `masks=False` leaves out masks and the nuisances (n = 0 on their first axis)
    and halves the time. `full=True` adds region maps, if the face model names regions, and masks of what nuisance units move
    beyond the resting face.
    """
    model = model or default_model()
    seconds = render_times(32, script.duration) if times is None else np.asarray(times, np.float64)
    tracks = script.at(seconds)
    stage = Stage(script, size, model)
    n, named = len(seconds), stage.person.regions is not None
    frames = np.empty((n, size, size, 3), np.uint8)
    mask = np.zeros((n if masks or full else 0, size, size), bool)
    moved = np.zeros((n if full else 0, size, size), bool)
    regions = np.zeros((n if full and named else 0, size, size), np.uint8)
    units, resting = tracks.units, vector(script.resting)
    for i in range(n):
        clean = stage.draw(tracks, i, units[i])
        frames[i] = stage.spoil(clean, i if indices is None else int(indices[i]))
        if len(regions):
            regions[i] = stage.regions(tracks, i)
        if len(mask) and tracks.emotion[i].any():
            mask[i] = _differ(clean, stage.draw(tracks, i, tracks.nuisance[i]))
        if full and np.abs(tracks.nuisance[i] - resting).max() > 1e-9:
            moved[i] = _differ(clean, stage.draw(tracks, i, 1 - (1 - tracks.emotion[i]) * (1 - resting)))
    value, energy = nuisance_values(script, seconds[: len(mask)])
    truth = Truth(
        intensity=tracks.intensity.astype(np.float32),
        action_units=units.astype(np.float32),
        emotion_units=tracks.emotion.astype(np.float32),
        unit_names=model.units,
        mask=mask,
        pose=tracks.pose.astype(np.float32),
        emotion_motion=emotion_motion(script, seconds),
        nuisance=value,
        nuisance_energy=energy,
        regions=regions,
        nuisance_mask=moved,
        irrelevant_share=irrelevant_share(script, seconds),
        scene=script.scene,
    )
    return RenderedClip(frames, seconds, truth)


def _differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return cv2.absdiff(first, second).max(-1) > MASK_THRESHOLD


__all__ = [
    "MASK_THRESHOLD",
    "RenderedClip",
    "Stage",
    "Truth",
    "default_model",
    "recompress",
    "render_clip",
]
