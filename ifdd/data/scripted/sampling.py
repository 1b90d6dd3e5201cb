"""Random scripts: an emotion that may lie anywhere in the clip, and everything that distracts from it."""

from dataclasses import dataclass

import numpy as np

from ifdd.data.scripted.script import RGB, Appearance, Background, Camera, Curve, Light, Script, Stretch, Talk, Wave, Weights
from ifdd.data.scripted.shape import Shape
from ifdd.data.scripted.units import IRRELEVANT, PROTOTYPES
from ifdd.errors import InputError


@dataclass(frozen=True)
class Difficulty:
    """How hard clips are. Shares are probabilities per clip, the rest scale amplitudes (1 = standard)."""

    peak: tuple[float, float] = (0.6, 1.0)  # intensity at the apex
    cut_off: float = 0.25  # share of clips whose curve runs over an end of the clip
    irrelevant: float = 0.6
    other_emotion: float = 0.4  # share of the irrelevant stretches that show another emotion
    talking: float = 0.35
    resting: float = 1.0  # how much one frame misleads: a face that looks sad or angry at rest
    motion: float = 1.0
    light: float = 1.0


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty((0.85, 1.0), 0.1, 0.2, 0.0, 0.1, 0.3, 0.5, 0.6),
    "standard": Difficulty(),
    "hard": Difficulty((0.35, 0.75), 0.4, 0.9, 0.6, 0.6, 1.6, 1.4, 1.3),
}

_HAIR_COLOURS: tuple[RGB, ...] = (
    (0.06, 0.05, 0.05), (0.13, 0.09, 0.07), (0.24, 0.15, 0.09), (0.36, 0.23, 0.13), (0.55, 0.38, 0.2), (0.76, 0.6, 0.36),
    (0.5, 0.2, 0.09), (0.55, 0.53, 0.51),
)  # fmt: skip
_IRIS: tuple[RGB, ...] = (
    (0.2, 0.11, 0.06),
    (0.3, 0.18, 0.09),
    (0.38, 0.33, 0.18),
    (0.3, 0.42, 0.33),
    (0.32, 0.48, 0.62),
    (0.4, 0.46, 0.5),
)


def sample_appearance(identity: int) -> Appearance:
    """Colours and styles of an identity seed; hair, brows and eyes go with the skin."""
    rng = np.random.default_rng([identity, 5])
    shape = Shape.of(identity)
    skin = float(rng.uniform(0, 1))
    dark = skin > 0.55
    last = 3 if dark else len(_HAIR_COLOURS)
    colour = np.array(_HAIR_COLOURS[int(rng.integers(0, last))])
    if shape.age > 0.7 and rng.uniform() < 0.6:
        colour = np.array(_HAIR_COLOURS[-1]) * rng.uniform(0.8, 1.3)
    colour = np.clip(colour + rng.normal(size=3) * 0.015, 0.03, 0.9)
    feminine = shape.feminine > 0
    styles = (
        ("long", "bob", "tied", "fringe", "full", "curly")
        if feminine
        else ("short", "crop", "full", "short", "curly", "bald", "fringe")
    )
    bearded = not feminine and rng.uniform() < 0.5
    return Appearance(
        skin=skin,
        warmth=float(rng.uniform(-1, 1)),
        blush=float(rng.uniform(0, 1) * (1 - 0.6 * skin)),
        freckles=float(rng.uniform(0.2, 0.7)) if rng.uniform() < 0.15 and skin < 0.45 else 0.0,
        oily=float(rng.uniform(0, 1)),
        tired=float(rng.uniform(0, 0.7)),
        beard=float(rng.choice([0.25, 0.45, 0.85])) if bearded else 0.0,
        lip_redness=float(rng.uniform(0.2, 1.0) if feminine else rng.uniform(0, 0.4)) * (1 - 0.4 * skin),
        eye_makeup=float(rng.uniform(0, 1)) if feminine else 0.0,
        lid_fold=float(rng.uniform(0.6, 1.2)),
        iris=_IRIS[int(rng.integers(0, 2 if dark else len(_IRIS)))],
        hair=_rgb(colour),
        hair_style=str(rng.choice(styles)),
        hairline=float(rng.uniform(-1, 1)),
        hair_gloss=float(rng.uniform(0, 1)),
        brow_thickness=float(np.clip(rng.uniform(0, 1) - 0.25 * shape.feminine, 0, 1)),
        brow_arch=float(np.clip(rng.uniform(0.2, 1) + 0.15 * shape.feminine, 0.2, 1)),
        brow_tilt=float(rng.uniform(-0.2, 0.3)),
        brow_density=float(rng.uniform(0.75, 1.0)),
        teeth_yellow=float(rng.uniform(0, 0.8)),
        clothes=_rgb(rng.uniform(0.05, 0.9, 3)),
    )


def resting_bias(identity: int, scale: float) -> Weights:
    """Units (weights up to about 0.3 at scale 1) that this face always shows a little."""
    rng = np.random.default_rng([identity, 7])
    looks: tuple[dict[str, float], ...] = (
        {"AU04": 0.35}, {"AU15": 0.35}, {"AU12": 0.25}, {"AU01": 0.3, "AU15": 0.15}, {"AU02": 0.3, "AU01": 0.25},
        {"AU07": 0.35}, {"AU17": 0.3}, {"AU24": 0.3}, {"AU25": 0.25}, {},
    )  # fmt: skip
    look = looks[int(rng.integers(0, len(looks)))]
    strength = rng.uniform(0.3, 1.0) * scale
    return tuple((unit, float(np.clip(weight * strength, 0, 0.6))) for unit, weight in look.items() if weight * strength > 0)


def _rgb(values: np.ndarray) -> RGB:
    r, g, b = (round(float(v), 4) for v in values)
    return r, g, b


def _weights(rng: np.random.Generator, units: dict[str, float], scale: float = 1.0) -> Weights:
    return tuple((unit, round(float(np.clip(weight * scale * rng.uniform(0.8, 1.0), 0, 1)), 4)) for unit, weight in units.items())


def _curve(rng: np.random.Generator, duration: float, peak: float, cut_off: bool) -> Curve:
    rise, hold, fall = rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.9), rng.uniform(0.25, 0.7)
    length = rise + hold + fall
    factor = min(1.0, 0.95 * duration / length)
    rise, hold, fall = rise * factor, hold * factor, fall * factor
    length = rise + hold + fall
    if cut_off:  # starts before the clip or ends after it, but the apex stays inside
        start = -rng.uniform(0.1, rise + 0.5 * hold) if rng.uniform() < 0.5 else duration - rise - rng.uniform(0.3, 0.9) * hold
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
    return Background(kind, tuple(_rgb(c) for c in colours), float(rng.uniform(0.01, 0.06)), int(rng.integers(0, 2**31)))


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
    units = _weights(rng, variants[int(rng.integers(0, len(variants)))])
    irrelevant = _irrelevant(rng, emotion, curve, duration, difficulty)
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
    return Script(
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
            tint=_rgb(np.array([1 + 0.08 * tint, 1.0, 1 - 0.12 * tint])),
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
