"""Random scripts: an emotion that may lie anywhere in the clip, and everything that distracts from it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ifdd.errors import InputError
from ifdd.scripted.script.elements import Background, Camera, Curve, Light, Stretch, Talk, Wave, Weights
from ifdd.scripted.script.extras import cut, fill, occluder, onsets, place_window, scene_background, scene_of, stream
from ifdd.scripted.script.looks import resting_bias, rgb, sample_appearance
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.units import IRRELEVANT, PROTOTYPES

MOST_IRRELEVANT = 0.75
"""Largest share of a clip that irrelevant stretches may take: the emotion needs the rest."""


@dataclass(frozen=True)
class Difficulty:
    """How hard clips are. Shares are probabilities per clip, the rest scale amplitudes (1 = standard).

    From `irrelevant_share` on, the defaults change nothing: what they add is drawn from generators of their own.
    """

    peak: tuple[float, float] = (0.6, 1.0)  # intensity at the apex
    cut_off: float = 0.25  # share of clips whose curve runs over an end of the clip
    irrelevant: float = 0.6
    other_emotion: float = 0.4  # share of the irrelevant stretches that show another emotion
    talking: float = 0.35
    resting: float = 1.0  # how much one frame misleads: a face that looks sad or angry at rest
    motion: float = 1.0
    light: float = 1.0
    irrelevant_share: float | None = None  # of the clip's time, outside of the emotion's window; None: as `irrelevant` says
    window: tuple[float, float] | None = None  # seconds of the emotion's curve over the clip's; its apex lies anywhere
    onset_spread: float = 0.0  # seconds within which the emotion's units start
    occluded: float = 0.0  # share of clips with a patch before the face
    cut: float = 0.0  # share of clips that jump to another framing and background
    compression: tuple[int, int] | None = None  # JPEG quality from, to
    rho: float | None = None  # correlation of the background's polarity with the emotion's; None: it tells nothing
    independent: bool = False  # irrelevant stretches know nothing of the class: none shows another emotion

    def __post_init__(self) -> None:
        share = self.irrelevant_share
        if share is not None and not 0 <= share <= MOST_IRRELEVANT:
            raise InputError(
                f"difficulty: irrelevant_share {share} is outside [0, {MOST_IRRELEVANT}]; the emotion needs the rest"
            )
        if self.rho is not None and not -1 <= self.rho <= 1:
            raise InputError(f"difficulty: rho {self.rho} is outside [-1, 1]; 0 is a background that tells nothing")
        if self.window is not None and not 0 < self.window[0] <= self.window[1] <= 1:
            raise InputError(f"difficulty: window {self.window} is no range of shares of the clip; use 0 < from <= to <= 1")
        if share is not None and (self.window is None or self.window[1] > 1.0 - share + 1e-9):
            raise InputError(
                f"difficulty: irrelevant_share {share} with window {self.window}; give a window of {1 - share:.4g} at most"
            )
        for name in ("occluded", "cut"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"difficulty: {name} {getattr(self, name)} is outside [0, 1]; it is a share of clips")
        if not self.onset_spread >= 0:
            raise InputError(f"difficulty: onset_spread {self.onset_spread} s is negative; 0 starts all units together")
        if self.compression is not None and not 1 <= self.compression[0] <= self.compression[1] <= 100:
            raise InputError(
                f"difficulty: compression {self.compression} is no range of JPEG qualities; use 1 <= from <= to <= 100"
            )


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty((0.85, 1.0), 0.1, 0.2, 0.0, 0.1, 0.3, 0.5, 0.6),
    "standard": Difficulty(),
    "hard": Difficulty((0.35, 0.75), 0.4, 0.9, 0.6, 0.6, 1.6, 1.4, 1.3),
}


def _weights(rng: np.random.Generator, units: dict[str, float], scale: float = 1.0) -> Weights:
    return tuple((unit, round(float(np.clip(weight * scale * rng.uniform(0.8, 1.0), 0, 1)), 4)) for unit, weight in units.items())


def _curve(rng: np.random.Generator, duration: float, peak: float, cut_off: bool) -> Curve:
    rise, hold, fall = rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.9), rng.uniform(0.25, 0.7)
    length = rise + hold + fall
    factor = min(1.0, 0.95 * duration / length)
    rise, hold, fall = rise * factor, hold * factor, fall * factor
    length = rise + hold + fall
    if cut_off:  # starts before the clip or ends after it, but the apex stays inside
        most = rise + 0.5 * hold
        early = rng.uniform() < 0.5
        start = -rng.uniform(min(0.1, most), most) if early else duration - rise - rng.uniform(0.3, 0.9) * hold
    else:
        start = rng.uniform(0, duration - length)
    return Curve(float(start), float(start + rise), float(start + rise + hold), float(start + length), float(peak))


def _irrelevant(
    rng: np.random.Generator, emotion: str, main: Curve, duration: float, difficulty: Difficulty
) -> tuple[Stretch, ...]:
    stretches = []
    for _ in range(int(rng.integers(1, 3))):
        if rng.uniform() > difficulty.irrelevant:
            continue
        other = str(rng.choice([e for e in PROTOTYPES if e not in (emotion, "neutral")]))
        use_other = rng.uniform() < difficulty.other_emotion and emotion != "neutral"
        pool = PROTOTYPES[other] if use_other else IRRELEVANT
        # another emotion: weaker and shorter than the clip's own
        peak = float(rng.uniform(0.25, 0.5) * main.peak if use_other else rng.uniform(0.4, 1.0))
        longest = 0.6 * (main.end - main.start) if use_other else 0.9
        length = float(rng.uniform(0.5, 1.0) * max(longest, 0.3))
        free = [(0.0, max(main.start, 0.0)), (min(main.end, duration), duration)]
        low, high = max(free, key=lambda span: span[1] - span[0])
        if use_other and high - low > 0.3:
            length = min(length, high - low)
            start = float(rng.uniform(low, high - length))
        else:
            start = float(rng.uniform(-0.1, max(duration - 0.5 * length, 0.0)))
        rise = 0.35 * length
        curve = Curve(start, start + rise, start + length - rise, start + length, peak)
        stretches.append(Stretch(curve, _weights(rng, pool[int(rng.integers(0, len(pool)))]), other if use_other else ""))
    return tuple(stretches)


def _wave(rng: np.random.Generator, offset: float, drift: float, amplitude: float, duration: float, hertz: float = 1.0) -> Wave:
    parts = tuple(
        (float(amplitude * rng.uniform(0.2, 0.7)), float(rng.uniform(0.2, hertz)), float(rng.uniform(0, 6.283))) for _ in range(2)
    )
    slope = float(np.clip(rng.normal(), -2, 2) * drift / duration)
    return Wave(float(np.clip(rng.normal(), -2, 2) * offset) - 0.5 * slope * duration, slope, parts)


def _background(rng: np.random.Generator) -> Background:
    kind = str(rng.choice(["plain", "gradient", "blobs", "room"]))
    base = rng.uniform(0.05, 0.85, 3)
    grey = rng.uniform(0.1, 0.75)
    colours = [
        np.clip(
            (base.mean() + (base - base.mean()) * grey) + (rng.normal() * 0.18 + rng.normal(size=3) * 0.08) * (i > 0), 0.02, 0.95
        )
        for i in range(5)
    ]
    return Background(kind, tuple(rgb(c) for c in colours), float(rng.uniform(0.01, 0.06)), int(rng.integers(0, 2**31)))


def sample_script(
    seed: int, emotion: str, identity: int, difficulty: Difficulty | str = "standard", duration: float = 2.0
) -> Script:
    """A random clip of `emotion` by `identity`; equal arguments give equal scripts.

    Raises: InputError for an unknown emotion or difficulty.
    """
    if emotion not in PROTOTYPES:
        raise InputError(f"script: emotion {emotion!r} is not one of {', '.join(PROTOTYPES)}")
    if isinstance(difficulty, str):
        if difficulty not in DIFFICULTIES:
            raise InputError(f"script: difficulty {difficulty!r} is not one of {', '.join(DIFFICULTIES)}")
        difficulty = DIFFICULTIES[difficulty]
    rng = np.random.default_rng([seed, 3])
    neutral = emotion == "neutral"
    variants = PROTOTYPES[emotion]
    peak = 0.0 if neutral else rng.uniform(*difficulty.peak)
    curve = _curve(rng, duration, peak, bool(rng.uniform() < difficulty.cut_off))
    if difficulty.window is not None:
        curve = place_window(stream(seed, "window"), curve, difficulty.window, duration)
    units = _weights(rng, variants[int(rng.integers(0, len(variants)))])
    irrelevant = _irrelevant(rng, emotion, curve, duration, difficulty)
    strange = difficulty.other_emotion
    if difficulty.independent:  # another emotion is never the clip's own and never in a neutral clip, so its name tells something
        strange = 0.0
        apart = replace(difficulty, other_emotion=strange)
        irrelevant = _irrelevant(stream(seed, "independent"), "neutral", curve, duration, apart)
    if difficulty.irrelevant_share is not None:
        irrelevant = fill(stream(seed, "fill"), emotion, curve, duration, difficulty.irrelevant_share, strange)
    talk = []
    if rng.uniform() < difficulty.talking:
        start = float(rng.uniform(-0.3, 0.6 * duration))
        talk.append(
            Talk(
                start,
                start + float(rng.uniform(0.6, 1.6)),
                float(rng.uniform(2.5, 5)),
                float(rng.uniform(0.5, 1.0)),
                int(rng.integers(0, 2**31)),
            )
        )
    blinks = tuple(round(float(b), 3) for b in np.sort(rng.uniform(-0.1, duration, rng.poisson(0.6 * duration / 2.0))))
    m = difficulty.motion
    hard = difficulty.light
    tint = rng.uniform(-1, 1)
    key = float(rng.uniform(0.55, 1.0))
    script = Script(
        seed=seed,
        emotion=emotion,
        identity=identity,
        duration=duration,
        units=units,
        curve=curve,
        resting=resting_bias(identity, difficulty.resting),
        irrelevant=irrelevant,
        talk=tuple(talk),
        blinks=blinks,
        yaw=_wave(rng, 9 * m, 5 * m, 4 * m, duration),
        pitch=_wave(rng, 5 * m, 3 * m, 3 * m, duration),
        roll=_wave(rng, 3 * m, 1.5 * m, 1.5 * m, duration),
        gaze_x=_wave(rng, 5, 0, 3, duration, 0.6),
        gaze_y=_wave(rng, 3, 0, 2, duration, 0.6),
        appearance=sample_appearance(identity),
        light=Light(
            azimuth=float(np.clip(rng.normal() * 35 * hard, -80, 80)),
            elevation=float(rng.uniform(5, 55)),
            key=key,
            ambient=float(rng.uniform(0.75, 1.15) - 0.45 * key * min(hard, 1.2)),
            tint=rgb(np.array([1 + 0.08 * tint, 1.0, 1 - 0.12 * tint])),
            flicker=float(rng.uniform(0.05, 0.2) * hard) if rng.uniform() < 0.15 else 0.0,
        ),
        background=_background(rng),
        camera=Camera(
            distance=float(rng.uniform(60, 160)),
            zoom=float(rng.uniform(0.92, 1.08)),
            x=_wave(rng, 0.02, 0.01, 0.008, duration),
            y=_wave(rng, 0.02, 0.01, 0.008, duration),
            blur=float(rng.uniform(0, 0.7)),
            noise=float(rng.uniform(0.5, 4.0)),
            exposure=float(rng.uniform(0.85, 1.2)),
        ),
    )
    return _extended(script, difficulty)


def _extended(script: Script, difficulty: Difficulty) -> Script:
    """The script with what its difficulty adds beyond the first eight settings."""
    seed, added = script.seed, dict[str, Any]()
    if difficulty.onset_spread:
        added["onsets"] = onsets(stream(seed, "onsets"), script.units, difficulty.onset_spread)
    rng = stream(seed, "occluder")
    if rng.uniform() < difficulty.occluded:
        added["occluders"] = (occluder(rng, script.duration),)
    scenes = stream(seed, "scene")
    if difficulty.rho is not None:
        added["scene"] = scene_of(scenes, script.emotion, difficulty.rho)
        added["background"] = scene_background(scenes, added["scene"])
    rng = stream(seed, "cut")
    if rng.uniform() < difficulty.cut:
        other = scene_background(scenes, added["scene"]) if "scene" in added else _background(rng)
        added["cut"] = cut(rng, script.duration, other)
    if difficulty.compression is not None:
        added["compression"] = int(stream(seed, "jpeg").integers(difficulty.compression[0], difficulty.compression[1] + 1))
    return replace(script, **added) if added else script
