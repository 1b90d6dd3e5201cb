"""What suites add to a random script, each drawn from a generator of its own: other draws keep their order.

Where the emotion lies, irrelevant stretches of a given share, mixed onsets, patches, cuts, and scenes that tell something.
"""

import math

import numpy as np

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted.script.elements import RGB, Background, Curve, Cut, Occluder, Stretch, Weights
from ifdd.scripted.script.units import PROTOTYPES

GRID = 32
"""Cells of a clip that irrelevant stretches are laid on: as many as the frames of a rendered clip, so that shares are exact."""

SHOWN = 0.1
"""A stretch counts as shown above this weight, as in the factor `irrelevant_share`."""

OUTSIDE: tuple[dict[str, float], ...] = (
    {"AU14": 1.0},
    {"AU18": 0.9},
    {"AU22": 0.9},
    {"AU14": 0.7, "AU45": 0.5},
    {"AU18": 0.6, "AU45": 0.8},
    {"AU14": 0.8, "AU22": 0.5},
)
"""Expressions of units that no prototype uses: dimpler, pucker, funneler, also with half-closed eyes."""

POLARITY: dict[str, int] = {"happy": 1, "sad": -1, "neutral": 0, "angry": -1, "surprise": 0, "disgust": -1, "fear": -1}
"""+1 positive, -1 negative, 0 neither."""

SCENE_OF = {1: "positive", -1: "negative", 0: "neutral"}

_STREAMS = {
    "window": 61,
    "fill": 67,
    "onsets": 71,
    "occluder": 73,
    "cut": 79,
    "scene": 83,
    "jpeg": 89,
    "independent": 97,
    "polarity": 107,
    "scene-place": 131,
    "scene-positive": 109,
    "scene-negative": 113,
    "scene-neutral": 127,
}


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one addition to the script of that seed."""
    return np.random.default_rng([seed, _STREAMS[name]])


def place_window(rng: np.random.Generator, curve: Curve, window: tuple[float, float], duration: float) -> Curve:
    """The curve, stretched to a share in `window` of the clip; the middle of its apex lies anywhere in the clip."""
    factor = rng.uniform(*window) * duration / (curve.end - curve.start)
    rise, hold, fall = (
        (b - a) * factor for a, b in ((curve.start, curve.apex), (curve.apex, curve.release), (curve.release, curve.end))
    )
    apex = rng.uniform(0, duration) - 0.5 * hold
    return Curve(float(apex - rise), float(apex), float(apex + hold), float(apex + hold + fall), curve.peak)


def _parts(rng: np.random.Generator, total: int, count: int, least: int) -> list[int]:
    """`count` random whole numbers of at least `least` that add up to `total`."""
    free = total - least * count
    cuts = np.sort(rng.integers(0, free + 1, count - 1))
    return [least + int(n) for n in np.diff([0, *cuts, free])]


def _shown(first: float, last: float, peak: float, units: Weights, emotion: str = "") -> Stretch:
    """A stretch that is above `SHOWN` from first to last, seconds."""
    ramp = 0.35
    # share of a ramp that is below; math's, since numpy's last digit differs between processors, and with it a script's digest
    dark = math.acos(1 - 2 * SHOWN / peak) / math.pi
    length = float((last - first) / (1 - 2 * ramp * dark))
    start = float(first - ramp * dark * length)
    return Stretch(Curve(start, start + ramp * length, start + (1 - ramp) * length, start + length, peak), units, emotion)


def _weights(rng: np.random.Generator, units: dict[str, float]) -> Weights:
    return tuple((unit, round(float(weight * rng.uniform(0.85, 1.0)), 4)) for unit, weight in units.items())


def fill(rng: np.random.Generator, emotion: str, main: Curve, duration: float, share: float, other: float) -> tuple[Stretch, ...]:
    """Stretches that take `share` of the clip's cells, where the emotion (its curve above a tenth of its peak) does not show.

    With probability `other` one of them is another emotion, at most half as strong and 0.6 as long as the clip's own; all others
    are of `OUTSIDE`. A neutral clip keeps its window free, too, so that the shares of the classes do not differ.
    """
    cell = duration / GRID
    label = Curve(main.start, main.apex, main.release, main.end).at((np.arange(GRID) + 0.5) * cell) > SHOWN
    free = np.flatnonzero(~label)
    need = round(share * GRID)
    if need == 0:
        return ()
    if need > len(free):
        raise InputError(f"script: irrelevant share {share} leaves no room for the emotion; shorten its window")
    count = max(1, round(need / rng.uniform(6, 12)))
    pieces, gaps = _parts(rng, need, count, 1), _parts(rng, len(free) - need, count + 1, 0)
    spans: list[tuple[int, int]] = []  # cells, the last one exclusive
    at = 0
    for gap, piece in zip(gaps, pieces, strict=False):
        at += gap
        cells = free[at : at + piece]
        at += piece
        runs = np.split(cells, np.flatnonzero(np.diff(cells) > 1) + 1)  # the emotion may lie inside
        spans += [(int(run[0]), int(run[-1]) + 1) for run in runs]
    out = []
    longest, low, high = int(0.6 * label.sum()), 0.25 * main.peak, 0.5 * main.peak
    strange = int(rng.integers(len(spans))) if rng.uniform() < other and emotion != "neutral" else -1
    for i, (first, last) in enumerate(spans):
        if i == strange and longest >= 2 and high > 1.5 * SHOWN:
            name = str(rng.choice([e for e in PROTOTYPES if e not in (emotion, "neutral")]))
            pool = PROTOTYPES[name]
            split = min(last, first + longest)
            peak = float(rng.uniform(max(low, 1.5 * SHOWN), high))
            out.append(_shown(first * cell, split * cell, peak, _weights(rng, pool[int(rng.integers(len(pool)))]), name))
            first = split
        if first < last:
            # what touches an end of the clip may have begun before it or go on after it
            begin = first * cell - (rng.uniform(0, 0.3) if first == 0 else 0.0)
            end = last * cell + (rng.uniform(0, 0.3) if last == GRID else 0.0)
            units = _weights(rng, OUTSIDE[int(rng.integers(len(OUTSIDE)))])
            out.append(_shown(float(begin), float(end), float(rng.uniform(0.5, 1.0)), units))
    return tuple(out)


def onsets(rng: np.random.Generator, units: Weights, spread: float) -> tuple[tuple[str, float], ...]:
    """Seconds in [0, spread] by which each unit starts late; one of them is on time."""
    late = rng.uniform(0, spread, len(units))
    return tuple((unit, round(float(d), 4)) for (unit, _), d in zip(units, late - late.min(initial=spread), strict=True))


_SKIN_LIKE: tuple[RGB, ...] = ((0.93, 0.76, 0.66), (0.83, 0.62, 0.49), (0.6, 0.42, 0.31), (0.38, 0.25, 0.18))


def occluder(rng: np.random.Generator, duration: float) -> Occluder:
    """A hand at cheek, mouth or eye, a scarf over mouth and chin, or a bar that crosses, for 0.3 to 0.6 of the clip."""
    kind = ("hand", "scarf", "bar")[int(rng.integers(3))]
    length, middle = rng.uniform(0.3, 0.6) * duration, rng.uniform(0, duration)
    ramp = 0.2 * length
    start = float(middle - 0.5 * length)
    curve = Curve(start, start + ramp, start + float(length) - ramp, start + float(length))
    side = 1.0 if rng.uniform() < 0.5 else -1.0
    a, b, c = (float(v) for v in rng.uniform(-1, 1, 3))
    cloth: RGB = tuple(round(float(v), 4) for v in rng.uniform(0.1, 0.9, 3))  # type: ignore[assignment]
    if kind == "hand":
        x, y, turn = 0.5 + side * (0.12 + 0.08 * a), 0.62 + 0.16 * b, side * (25 + 15 * c)
        return Occluder(kind, x, y, side * 0.35, 1.1, 0.34, 0.52, turn, _SKIN_LIKE[int(rng.integers(4))], curve)
    if kind == "scarf":
        return Occluder(kind, 0.5 + 0.03 * a, 0.86 + 0.04 * b, 0.0, 0.6, 1.4, 0.38, 4 * c, cloth, curve)
    return Occluder(kind, 0.5 + 0.2 * a, 0.5, side * 1.1, 0.0, 0.13 + 0.03 * b, 2.2, 12 * c, cloth, curve)


def cut(rng: np.random.Generator, duration: float, background: Background) -> Cut:
    """A jump to another framing, in the middle three fifths of the clip."""
    zoom, x, y = float(rng.uniform(0.85, 1.2)), float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.06, 0.06))
    return Cut(float(rng.uniform(0.2, 0.8) * duration), zoom, x, y, background)


def scene_of(rng: np.random.Generator, emotion: str, rho: float) -> str:
    """The polarity that the background shows, correlated by rho with the emotion's where all emotions are equally frequent.

    With probability |rho| it follows the emotion (rho > 0) or its opposite, else it is that of a random emotion (or its
    opposite), which has the same variance: so the correlation is rho.
    """
    if not -1 <= rho <= 1:
        raise InputError(f"scene: rho {rho} is outside [-1, 1]; 0 is a background that tells nothing")
    told = emotion if rng.uniform() < abs(rho) else EMOTIONS[int(rng.integers(len(EMOTIONS)))]
    return SCENE_OF[POLARITY[told] * (1 if rho >= 0 else -1)]


def scene_background(rng: np.random.Generator, scene: str) -> Background:
    """A background that tells something: bright balloons, a dark cold room, or a grey wall.

    Raises: InputError for an unknown polarity.
    """
    if scene not in SCENE_OF.values():
        raise InputError(f"scene: polarity {scene!r} is not one of {', '.join(SCENE_OF.values())}")
    if scene == "positive":
        base, kind = [(0.98, 0.9, 0.68), (0.95, 0.25, 0.2), (1.0, 0.75, 0.15), (0.98, 0.5, 0.15), (0.95, 0.4, 0.6)], "balloons"
    elif scene == "negative":
        base, kind = [(0.07, 0.09, 0.14), (0.04, 0.05, 0.08), (0.11, 0.15, 0.22), (0.05, 0.09, 0.12), (0.14, 0.17, 0.22)], "room"
    else:
        base, kind = [(0.5, 0.5, 0.5), (0.46, 0.46, 0.46)], "gradient"
    change = rng.uniform(-0.04, 0.04)
    colours = [np.clip(np.array(c) + change, 0.01, 1.0) for c in base]
    as_tuples: list[RGB] = [(round(float(r), 4), round(float(g), 4), round(float(b), 4)) for r, g, b in colours]
    return Background(kind, tuple(as_tuples), float(rng.uniform(0.005, 0.02)), int(rng.integers(0, 2**31)))
