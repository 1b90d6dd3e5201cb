"""A scene around a person, in a stream of its own: its polarity goes with the emotion's by a correlation, ρ.

Valence is +1 for happy, −1 for sad, angry, disgust and fear, 0 for neutral and surprise (`extras.POLARITY`); of a scene +1
positive, −1 negative, 0 neutral. Where all emotions are equally frequent, as in a suite, Pearson's correlation of the two over
clips is ρ.
"""

import math
from dataclasses import replace

import numpy as np

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted.script.elements import RGB, Scene
from ifdd.scripted.script.extras import POLARITY, SCENE_OF, stream
from ifdd.scripted.script.script import Script

KINDS = {"positive": ("party", "meadow"), "negative": ("night", "rain"), "neutral": ("wall", "office")}
"""What a scene of each polarity shows."""

_COLOURS: dict[str, tuple[RGB, ...]] = {
    "party": ((0.98, 0.9, 0.68), (0.95, 0.25, 0.2), (1.0, 0.75, 0.15), (0.98, 0.5, 0.15), (0.95, 0.4, 0.6)),
    "meadow": ((0.55, 0.8, 0.98), (0.95, 0.95, 0.85), (0.45, 0.75, 0.25), (0.3, 0.6, 0.2)),
    "night": ((0.1, 0.12, 0.2), (0.05, 0.06, 0.1), (0.15, 0.2, 0.3), (0.07, 0.11, 0.16), (0.2, 0.22, 0.28)),
    "rain": ((0.25, 0.29, 0.35), (0.2, 0.23, 0.28), (0.13, 0.15, 0.18), (0.09, 0.11, 0.13)),
    "wall": ((0.52, 0.51, 0.5), (0.44, 0.44, 0.45)),
    "office": ((0.55, 0.55, 0.54), (0.42, 0.43, 0.45), (0.62, 0.61, 0.58), (0.35, 0.36, 0.37), (0.5, 0.5, 0.5)),
}
_LIGHT = {"positive": (0.85, 1.1), "negative": (0.45, 0.9), "neutral": (0.75, 1.05)}
_HAZE = {"positive": (0.0, 0.15), "negative": (0.1, 0.45), "neutral": (0.0, 0.25)}


def follows(rho: float) -> float:
    """Probability in [0, 1] with which a scene takes the emotion's valence (ρ > 0), or its opposite (ρ < 0).

    Else a scene is that of a random emotion with a random sign: so that valences of scenes are alike for ρ and −ρ but for their
    sign, change with ρ without a jump, and have the variance v = 5/7 − (k μ)², k this probability with ρ's sign and μ = −3/7 the
    mean of the emotions'. The correlation is k s / √v with s² = 26/49 the emotions' variance: solved for k.

    Raises: InputError for ρ outside [−1, 1].

    >>> round(follows(0.5), 3), follows(0.0), follows(-1.0)
    (0.557, 0.0, 1.0)
    """
    if not -1 <= rho <= 1:
        raise InputError(f"scene: rho {rho} is outside [-1, 1]; 0 is a scene that tells nothing")
    valences = np.array([POLARITY[emotion] for emotion in EMOTIONS])
    mean, square = valences.mean(), (valences**2).mean()
    return abs(rho) * math.sqrt(square / (square - mean**2 + (rho * mean) ** 2))


def scene_polarity(rng: np.random.Generator, emotion: str, rho: float) -> str:
    """The polarity of the scene around a clip of `emotion`. As many draws whatever ρ is: a generator goes on alike."""
    follow, other, sign = rng.uniform(), EMOTIONS[int(rng.integers(len(EMOTIONS)))], 1 - 2 * int(rng.integers(2))
    if follow < follows(rho):
        return SCENE_OF[POLARITY[emotion] * (1 if rho > 0 else -1)]
    return SCENE_OF[POLARITY[other] * sign]


def sample_scene(seed: int, polarity: str) -> Scene:
    """The scene of that polarity around the clip of that seed: each clip has three, whatever ρ chooses between them.

    Raises: InputError for an unknown polarity.
    """
    if polarity not in KINDS:
        raise InputError(f"scene: polarity {polarity!r} is not one of {', '.join(KINDS)}")
    place = stream(seed, "scene-place")  # where the person stands is the same in all three
    x, y, side = float(place.uniform(0.4, 0.6)), float(place.uniform(0.42, 0.54)), float(place.uniform(0.3, 0.42))
    rng = stream(seed, f"scene-{polarity}")
    kind = KINDS[polarity][int(rng.integers(len(KINDS[polarity])))]
    shift = rng.uniform(-0.04, 0.04, 3)
    colours: list[RGB] = []
    for colour in _COLOURS[kind]:
        r, g, b = np.clip(np.array(colour) + shift + rng.uniform(-0.03, 0.03, 3), 0.01, 1.0)
        colours.append((round(float(r), 4), round(float(g), 4), round(float(b), 4)))
    light, haze, grain = (float(rng.uniform(*span)) for span in (_LIGHT[polarity], _HAZE[polarity], (0.02, 0.15)))
    return Scene(polarity, kind, tuple(colours), light, haze, grain, x, y, side, int(rng.integers(0, 2**31)))


def with_scene(script: Script, rho: float) -> Script:
    """The same clip with a scene around it, whose polarity goes with the emotion's by ρ.

    Raises: InputError for ρ outside [−1, 1], or a script whose background tells a scene.
    """
    return with_polarity(script, scene_polarity(stream(script.seed, "polarity"), script.emotion, rho))


def with_polarity(script: Script, polarity: str) -> Script:
    """The same clip with its scene of that polarity around it.

    Raises: InputError for an unknown polarity, or a script whose background tells a scene.
    """
    if script.scene:
        raise InputError(f"scene: the background of this script tells a {script.scene} scene already; choose another suite")
    return replace(script, scene=polarity, around=sample_scene(script.seed, polarity))
