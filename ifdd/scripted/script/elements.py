"""What a script is made of: curves, waves, looks, light, camera, patches. Typed, frozen, evaluated at any time."""

from dataclasses import dataclass

import numpy as np

from ifdd.scripted.script.units import INDEX, UNITS

RGB = tuple[float, float, float]
Weights = tuple[tuple[str, float], ...]
"""Unit names with their weight at full intensity."""


@dataclass(frozen=True)
class Curve:
    """Onset, apex, offset: 0 until `start`, smooth rise to `peak` at `apex`, held until `release`, smooth fall to 0 at `end`.

    Times are seconds of the clip and may lie outside of it, which cuts the expression off.
    """

    start: float
    apex: float
    release: float
    end: float
    peak: float = 1.0

    def at(self, times: np.ndarray) -> np.ndarray:
        """Intensity in [0, peak] at times (n,), seconds. Rise and fall are half cosines: 0.5 (1 - cos pi u)."""
        t = np.asarray(times, np.float64)
        rise = np.clip((t - self.start) / max(self.apex - self.start, 1e-9), 0, 1)
        fall = np.clip((self.end - t) / max(self.end - self.release, 1e-9), 0, 1)
        return self.peak * (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


@dataclass(frozen=True)
class Stretch:
    """A stretch of expression that has nothing to do with the clip's emotion. `emotion` names another emotion, or is ''."""

    curve: Curve
    units: Weights
    emotion: str = ""


@dataclass(frozen=True)
class Talk:
    """Speech-like mouth movement between `start` and `stop` seconds."""

    start: float
    stop: float
    rate: float  # syllables per second
    strength: float
    seed: int


@dataclass(frozen=True)
class Wave:
    """A slow movement: offset + drift * t + sum of amplitude * sin(2 pi frequency t + phase). Degrees, or shares of the frame."""

    offset: float = 0.0
    drift: float = 0.0
    parts: tuple[tuple[float, float, float], ...] = ()  # amplitude, hertz, phase

    def at(self, times: np.ndarray) -> np.ndarray:
        """Value at times (n,), seconds."""
        out = self.offset + self.drift * np.asarray(times, np.float64)
        for amplitude, hertz, phase in self.parts:
            out = out + amplitude * np.sin(2 * np.pi * hertz * times + phase)
        return out


@dataclass(frozen=True)
class Appearance:
    """Colours and styles of a person. Colours are sRGB in [0, 1]; the rest are shares in [0, 1] unless said otherwise."""

    skin: float  # 0 lightest, 1 darkest
    warmth: float  # -1..1
    blush: float
    freckles: float
    oily: float
    tired: float
    beard: float
    lip_redness: float
    eye_makeup: float
    lid_fold: float  # height of the crease above the lid, relative
    iris: RGB
    hair: RGB
    hair_style: str
    hairline: float  # -1..1
    hair_gloss: float
    brow_thickness: float
    brow_arch: float
    brow_tilt: float  # -0.4..0.4
    brow_density: float
    teeth_yellow: float
    clothes: RGB


@dataclass(frozen=True)
class Light:
    """A key light and ambient light. Angles in degrees from the camera's axis; `key` and `ambient` are strengths."""

    azimuth: float
    elevation: float
    key: float
    ambient: float
    tint: RGB
    flicker: float = 0.0


@dataclass(frozen=True)
class Background:
    """What is behind: kind is one of `backdrop.KINDS`; two or more colours; blur in shares of the frame."""

    kind: str
    colours: tuple[RGB, ...]
    blur: float
    seed: int


@dataclass(frozen=True)
class Scene:
    """What is around a person, seen by a camera of its own: kind is one of `script.scenes.KINDS`, of that polarity.

    `light` is a factor of the brightness, `haze` the share of the contrast that the air takes, `grain` the strength of the
    texture; the face's middle is at (x, y), its frame takes `side` of the picture (shares, y down).
    """

    polarity: str
    kind: str
    colours: tuple[RGB, ...]
    light: float
    haze: float
    grain: float
    x: float
    y: float
    side: float
    seed: int


@dataclass(frozen=True)
class Camera:
    """Distance in cm (perspective), framing jitter and picture faults."""

    distance: float
    zoom: float  # 1 = the face box with its margin fills the frame
    x: Wave  # shares of the frame
    y: Wave
    blur: float  # pixels at 112
    noise: float  # grey levels of 255
    exposure: float


@dataclass(frozen=True)
class Occluder:
    """A patch before the face: "hand", "scarf" or "bar". Positions and sizes are shares of the frame, y down.

    At value 1 of `curve` its middle is at (x, y), at 0 it is (dx, dy) away from there, which is out of sight where it shall come
    and go.
    """

    kind: str
    x: float
    y: float
    dx: float
    dy: float
    width: float
    height: float
    angle: float  # degrees, counter-clockwise
    colour: RGB
    curve: Curve


@dataclass(frozen=True)
class Cut:
    """From `at` seconds on the clip is another shot: `zoom` times as close, moved by x and y (shares of the frame), elsewhere."""

    at: float
    zoom: float
    x: float
    y: float
    background: Background


def vector(weights: Weights) -> np.ndarray:
    """Weights (A,) in the order of `UNITS`."""
    out = np.zeros(len(UNITS))
    for unit, weight in weights:
        out[INDEX[unit]] = weight
    return out


def speech(talk: Talk, t: np.ndarray) -> np.ndarray:
    """Units (n, A) of speech: syllables open the jaw, with lips that round, spread and close in between."""
    rng = np.random.default_rng(talk.seed)
    out = np.zeros((len(t), len(UNITS)))
    inside = Curve(talk.start, talk.start + 0.15, talk.stop - 0.15, talk.stop).at(t)
    phase = rng.uniform(0, 2 * np.pi, 4)
    beat = 2 * np.pi * talk.rate * t
    opening = np.clip(0.5 + 0.5 * np.sin(beat + phase[0]) + 0.25 * np.sin(0.37 * beat + phase[1]), 0, 1)
    rounding = np.clip(np.sin(0.5 * beat + phase[2]), 0, 1)
    spread = np.clip(np.sin(0.31 * beat + phase[3]), 0, 1)
    for unit, value in (
        ("AU26", 0.55 * opening),
        ("AU25", 0.7 * opening),
        ("AU18", 0.5 * rounding),
        ("AU20", 0.3 * spread),
        ("AU24", 0.4 * (1 - opening) * rounding),
    ):
        out[:, INDEX[unit]] = np.clip(value * inside * talk.strength, 0, 1)
    return out
