"""What happens in a clip, without a face and without pixels: typed, frozen, evaluated at any time, JSON both ways."""

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted.script.elements import (
    RGB,
    Appearance,
    Background,
    Camera,
    Curve,
    Cut,
    Light,
    Occluder,
    Scene,
    Stretch,
    Talk,
    Wave,
    Weights,
    speech,
    vector,
)
from ifdd.scripted.script.units import INDEX, UNITS

SCENES = ("positive", "negative", "neutral")
"""What a background, or the scene around a person, may tell."""

OCCLUDERS = ("hand", "scarf", "bar")


@dataclass(frozen=True, eq=False)
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
    zoom: np.ndarray  # (n,) factor of the camera's
    shot: np.ndarray  # (n,) int: 0 before, 1 after the cut
    occluders: np.ndarray  # (n, O) how far each patch has come to its place, in [0, 1]

    @property
    def units(self) -> np.ndarray:
        """All units together (n, A): 1 - (1 - emotion)(1 - nuisance)."""
        return 1 - (1 - self.emotion) * (1 - self.nuisance)


@dataclass(frozen=True)
class Script:
    """One clip. Everything that its pixels depend on, but the face model.

    `onsets` are the seconds by which units of the emotion start later than `curve`; `compression` is the quality (1 to 100) of
    the JPEG that every frame went through, None for no such; `scene` is what the background tells, one of `SCENES`, or '' for a
    background that tells nothing. `around` is a scene in a stream of its own, whose polarity `scene` then is: of the clip's own
    pixels it changes none.
    """

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
    # fields with a default are left out of the JSON where they have it, so that scripts without them keep their digest
    onsets: tuple[tuple[str, float], ...] = ()
    occluders: tuple[Occluder, ...] = ()
    cut: Cut | None = None
    compression: int | None = None
    scene: str = ""
    around: Scene | None = None

    def __post_init__(self) -> None:
        if self.emotion not in EMOTIONS:
            raise InputError(f"script: emotion {self.emotion!r} is not one of {', '.join(EMOTIONS)}")
        named = [*self.units, *self.resting, *(u for s in self.irrelevant for u in s.units)]
        for unit, weight in named:
            _check_unit(unit)
            if not 0 <= weight <= 1:
                raise InputError(f"script: weight {weight} of {unit} is outside [0, 1]")
        if not self.duration > 0:
            raise InputError(f"script: duration {self.duration} s must be above 0")
        _check_times(self)
        for unit, delay in self.onsets:
            _check_unit(unit)
            if not delay >= 0:
                raise InputError(f"script: onset {delay} s of {unit} is negative; 0 starts it with the emotion")
        for patch in self.occluders:
            if patch.kind not in OCCLUDERS:
                raise InputError(f"script: occluder {patch.kind!r} is not one of {', '.join(OCCLUDERS)}")
            if not (patch.width > 0 and patch.height > 0):
                raise InputError(f"script: occluder of {patch.width} × {patch.height}; both sides must be above 0")
        if self.compression is not None and not 1 <= self.compression <= 100:
            raise InputError(
                f"script: compression {self.compression} is no JPEG quality; use 1 to 100, or None for no compression"
            )
        if self.scene not in ("", *SCENES):
            raise InputError(f"script: scene {self.scene!r} is not one of {', '.join(SCENES)}; '' is a scene that tells nothing")
        if self.around is not None and self.around.polarity != self.scene:
            raise InputError(f"script: scene {self.scene!r} with {self.around.polarity!r} around the person; give both the same")

    def emotion_at(self, times: np.ndarray) -> np.ndarray:
        """Units (n, A) of the clip's emotion at times (n,), each from its own onset on."""
        out = self.curve.at(times)[:, None] * vector(self.units)
        late, curve = dict(self.onsets), self.curve
        for unit, weight in self.units:
            if delay := late.get(unit, 0.0):
                start, apex = min(curve.start + delay, curve.release), min(curve.apex + delay, curve.release)
                out[:, INDEX[unit]] = weight * Curve(start, apex, curve.release, curve.end, curve.peak).at(times)
        return out

    def lids_at(self, times: np.ndarray) -> np.ndarray:
        """How far (n,) blinks have closed the lids at times (n,), in [0, 1]."""
        lids = np.zeros(len(times))
        for blink in self.blinks:
            lids = np.maximum(lids, Curve(blink, blink + 0.09, blink + 0.12, blink + 0.3).at(times))
        return lids

    def at(self, times: np.ndarray) -> Tracks:
        """Evaluates every track at times (n,), seconds."""
        t = np.asarray(times, np.float64)
        still = np.ones((len(t), len(UNITS)))
        still *= 1 - vector(self.resting)
        for stretch in self.irrelevant:
            still *= 1 - stretch.curve.at(t)[:, None] * vector(stretch.units)
        for talk in self.talk:
            still *= 1 - speech(talk, t)
        still[:, INDEX["AU45"]] *= 1 - self.lids_at(t)
        flicker = 1 + self.light.flicker * np.sin(2 * np.pi * 1.3 * t + self.seed % 7)
        shift, zoom, shot = np.stack([self.camera.x.at(t), self.camera.y.at(t)], -1), np.ones(len(t)), np.zeros(len(t), int)
        if self.cut is not None:
            shot = (t >= self.cut.at).astype(int)
            shift = shift + shot[:, None] * np.array([self.cut.x, self.cut.y])
            zoom = np.where(shot == 1, self.cut.zoom, 1.0)
        return Tracks(
            seconds=t,
            intensity=self.curve.at(t),
            emotion=self.emotion_at(t),
            nuisance=1 - still,
            pose=np.stack([self.yaw.at(t), self.pitch.at(t), self.roll.at(t)], -1),
            gaze=np.stack([self.gaze_x.at(t), self.gaze_y.at(t)], -1),
            shift=shift,
            light=flicker,
            zoom=zoom,
            shot=shot,
            occluders=np.stack([o.curve.at(t) for o in self.occluders], -1) if self.occluders else np.zeros((len(t), 0)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; fields that have their default are left out."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.default is not MISSING}
        default = {f.name for f in fields(self) if f.name in values and values[f.name] == f.default}
        return {name: value for name, value in json.loads(json.dumps(asdict(self))).items() if name not in default}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Script":
        """The inverse of `to_dict`. Raises: InputError for a missing or unknown key."""
        return _build(Script, values)

    def digest(self) -> str:
        """SHA-256 of the JSON with sorted keys: equal scripts, equal digest, on every machine."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def _check_unit(unit: str) -> None:
    if unit not in INDEX:
        raise InputError(f"script: action unit {unit!r} is not one of {', '.join(UNITS)}")


def _check_times(script: Script) -> None:
    spans = {"curve": script.curve}
    spans |= {f"irrelevant stretch {i}": s.curve for i, s in enumerate(script.irrelevant)}
    spans |= {f"occluder {i}": o.curve for i, o in enumerate(script.occluders)}
    for name, c in spans.items():
        for first, then in (("start", "apex"), ("apex", "release"), ("release", "end")):
            if not getattr(c, then) - getattr(c, first) >= 0:
                raise InputError(
                    f"script: {name} lasts {getattr(c, then) - getattr(c, first):.4g} s from {first} to {then}; "
                    "order its times start, apex, release, end"
                )
    for i, talk in enumerate(script.talk):
        if not talk.stop - talk.start >= 0:
            raise InputError(f"script: talk {i} lasts {talk.stop - talk.start:.4g} s; put its stop after its start")


_TUPLES_OF: dict[str, type] = {"irrelevant": Stretch, "talk": Talk, "occluders": Occluder}
_PARTS: dict[str, type] = {
    "curve": Curve,
    "yaw": Wave,
    "pitch": Wave,
    "roll": Wave,
    "gaze_x": Wave,
    "gaze_y": Wave,
    "x": Wave,
    "y": Wave,
    "appearance": Appearance,
    "light": Light,
    "background": Background,
    "camera": Camera,
    "cut": Cut,
    "around": Scene,
}


def _freeze(value: Any) -> Any:
    return tuple(_freeze(v) for v in value) if isinstance(value, list | tuple) else value


def _build(kind: Any, values: dict[str, Any]) -> Any:
    names = {f.name for f in fields(kind)}
    optional = {f.name for f in fields(kind) if f.default is not MISSING} if kind is Script else set()
    if unknown := (set(values) - names) | (names - optional - set(values)):
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


__all__ = [
    "OCCLUDERS",
    "RGB",
    "SCENES",
    "Appearance",
    "Background",
    "Camera",
    "Curve",
    "Cut",
    "Light",
    "Occluder",
    "Scene",
    "Script",
    "Stretch",
    "Talk",
    "Tracks",
    "Wave",
    "Weights",
]
