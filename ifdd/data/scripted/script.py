"""What happens in a clip, without a face and without pixels: typed, frozen, evaluated at any time, JSON both ways."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ifdd.data.scripted.units import INDEX, UNITS
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

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
    """What is behind: kind is plain, gradient, blobs or room; two or more colours; blur in shares of the frame."""

    kind: str
    colours: tuple[RGB, ...]
    blur: float
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
class Tracks:
    """A script evaluated at n times. Units (n, A) in the order of `UNITS`, weights in [0, 1]."""

    seconds: np.ndarray
    intensity: np.ndarray  # (n,) of the clip's emotion
    emotion: np.ndarray  # (n, A) units of the clip's emotion
    nuisance: np.ndarray  # (n, A) all others: rest, irrelevant stretches, speech, blinks
    pose: np.ndarray  # (n, 3) yaw, pitch, roll in degrees
    gaze: np.ndarray  # (n, 2) yaw, pitch in degrees, relative to the head
    shift: np.ndarray  # (n, 2) shares of the frame
    light: np.ndarray  # (n,) factor

    @property
    def units(self) -> np.ndarray:
        """All units together (n, A): 1 - (1 - emotion)(1 - nuisance)."""
        return 1 - (1 - self.emotion) * (1 - self.nuisance)


@dataclass(frozen=True)
class Script:
    """One clip. Everything that its pixels depend on, but the face model."""

    seed: int
    emotion: str
    identity: int
    duration: float
    units: Weights
    curve: Curve
    resting: Weights
    irrelevant: tuple[Stretch, ...]
    talk: tuple[Talk, ...]
    blinks: tuple[float, ...]
    yaw: Wave
    pitch: Wave
    roll: Wave
    gaze_x: Wave
    gaze_y: Wave
    appearance: Appearance
    light: Light
    background: Background
    camera: Camera

    def __post_init__(self) -> None:
        if self.emotion not in EMOTIONS:
            raise InputError(f"script: emotion {self.emotion!r} is not one of {', '.join(EMOTIONS)}")
        named = [*self.units, *self.resting, *(u for s in self.irrelevant for u in s.units)]
        for unit, weight in named:
            if unit not in INDEX:
                raise InputError(f"script: action unit {unit!r} is not one of {', '.join(UNITS)}")
            if not 0 <= weight <= 1:
                raise InputError(f"script: weight {weight} of {unit} is outside [0, 1]")
        if not self.duration > 0:
            raise InputError(f"script: duration {self.duration} s must be above 0")

    def at(self, times: np.ndarray) -> Tracks:
        """Evaluates every track at times (n,), seconds."""
        t = np.asarray(times, np.float64)
        intensity = self.curve.at(t)
        still = np.ones((len(t), len(UNITS)))
        still *= 1 - _vector(self.resting)
        for stretch in self.irrelevant:
            still *= 1 - stretch.curve.at(t)[:, None] * _vector(stretch.units)
        for talk in self.talk:
            still *= 1 - _speech(talk, t)
        lids = np.zeros(len(t))
        for blink in self.blinks:
            lids = np.maximum(lids, Curve(blink, blink + 0.09, blink + 0.12, blink + 0.3).at(t))
        still[:, INDEX["AU45"]] *= 1 - lids
        flicker = 1 + self.light.flicker * np.sin(2 * np.pi * 1.3 * t + self.seed % 7)
        return Tracks(
            seconds=t,
            intensity=intensity,
            emotion=intensity[:, None] * _vector(self.units),
            nuisance=1 - still,
            pose=np.stack([self.yaw.at(t), self.pitch.at(t), self.roll.at(t)], -1),
            gaze=np.stack([self.gaze_x.at(t), self.gaze_y.at(t)], -1),
            shift=np.stack([self.camera.x.at(t), self.camera.y.at(t)], -1),
            light=flicker,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return json.loads(json.dumps(asdict(self)))

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Script":
        """The inverse of `to_dict`. Raises: InputError for a missing or unknown key."""
        return _build(Script, values)

    def digest(self) -> str:
        """SHA-256 of the JSON with sorted keys: equal scripts, equal digest, on every machine."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def _vector(weights: Weights) -> np.ndarray:
    out = np.zeros(len(UNITS))
    for unit, weight in weights:
        out[INDEX[unit]] = weight
    return out


def _speech(talk: Talk, t: np.ndarray) -> np.ndarray:
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


_TUPLES_OF: dict[str, type] = {"irrelevant": Stretch, "talk": Talk}
_PARTS: dict[str, type] = {
    "curve": Curve, "yaw": Wave, "pitch": Wave, "roll": Wave, "gaze_x": Wave, "gaze_y": Wave, "x": Wave, "y": Wave,
    "appearance": Appearance, "light": Light, "background": Background, "camera": Camera,
}  # fmt: skip


def _freeze(value: Any) -> Any:
    return tuple(_freeze(v) for v in value) if isinstance(value, list | tuple) else value


def _build(kind: Any, values: dict[str, Any]) -> Any:
    names = {f.name for f in fields(kind)}
    if unknown := set(values) ^ names:
        raise InputError(f"script: {kind.__name__} has missing or unknown keys: {', '.join(sorted(unknown))}")
    built = {}
    for name, value in values.items():
        if name in _TUPLES_OF:
            built[name] = tuple(_build(_TUPLES_OF[name], v) for v in value)
        elif name in _PARTS and isinstance(value, dict):
            built[name] = _build(_PARTS[name], value)
        else:
            built[name] = _freeze(value)
    return kind(**built)
