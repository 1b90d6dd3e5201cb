"""What a person looks like and how the face rests, drawn from the identity's seed."""

from dataclasses import dataclass

import numpy as np

from ifdd.scripted.script.elements import RGB, Appearance, Weights

_HAIR_COLOURS: tuple[RGB, ...] = (
    (0.06, 0.05, 0.05),
    (0.13, 0.09, 0.07),
    (0.24, 0.15, 0.09),
    (0.36, 0.23, 0.13),
    (0.55, 0.38, 0.2),
    (0.76, 0.6, 0.36),
    (0.5, 0.2, 0.09),
    (0.55, 0.53, 0.51),
)
_IRIS: tuple[RGB, ...] = (
    (0.2, 0.11, 0.06),
    (0.3, 0.18, 0.09),
    (0.38, 0.33, 0.18),
    (0.3, 0.42, 0.33),
    (0.32, 0.48, 0.62),
    (0.4, 0.46, 0.5),
)


_RESTING: tuple[dict[str, float], ...] = (
    {"AU04": 0.35},
    {"AU15": 0.35},
    {"AU12": 0.25},
    {"AU01": 0.3, "AU15": 0.15},
    {"AU02": 0.3, "AU01": 0.25},
    {"AU07": 0.35},
    {"AU17": 0.3},
    {"AU24": 0.3},
    {"AU25": 0.25},
    {},
)
"""Units that faces show at rest, one of these each."""


@dataclass(frozen=True)
class Shape:
    """Proportions; 0 is the canonical head, about ±1 the usual range. `feminine` and `age` are in [-1, 1] and [0, 1]."""

    feminine: float
    age: float
    values: tuple[float, ...]

    @staticmethod
    def of(identity: int) -> "Shape":
        """Shape of an identity seed."""
        rng = np.random.default_rng([identity, 11])
        return Shape(
            feminine=float(rng.uniform(-1, 1)),
            age=float(rng.uniform() ** 1.4),
            values=tuple(float(v) for v in np.clip(rng.normal(size=24), -2.0, 2.0)),
        )

    def eye_size(self) -> float:
        """Scale of the eyes."""
        return 1.0 + 0.04 * self.values[0] + 0.04 * self.feminine - 0.02 * self.age


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
        hair=rgb(colour),
        hair_style=str(rng.choice(styles)),
        hairline=float(rng.uniform(-1, 1)),
        hair_gloss=float(rng.uniform(0, 1)),
        brow_thickness=float(np.clip(rng.uniform(0, 1) - 0.25 * shape.feminine, 0, 1)),
        brow_arch=float(np.clip(rng.uniform(0.2, 1) + 0.15 * shape.feminine, 0.2, 1)),
        brow_tilt=float(rng.uniform(-0.2, 0.3)),
        brow_density=float(rng.uniform(0.75, 1.0)),
        teeth_yellow=float(rng.uniform(0, 0.8)),
        clothes=rgb(rng.uniform(0.05, 0.9, 3)),
    )


def resting_bias(identity: int, scale: float) -> Weights:
    """Units (weights up to about 0.3 at scale 1) that this face always shows a little."""
    rng = np.random.default_rng([identity, 7])
    look = _RESTING[int(rng.integers(0, len(_RESTING)))]
    strength = rng.uniform(0.3, 1.0) * scale
    return tuple((unit, float(np.clip(weight * strength, 0, 0.6))) for unit, weight in look.items() if weight * strength > 0)


def rgb(values: np.ndarray) -> RGB:
    """A colour (3,) as a tuple, rounded to 4 places."""
    r, g, b = (round(float(v), 4) for v in values)
    return r, g, b
