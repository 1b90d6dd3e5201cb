"""What the script says about every frame: the emotion, and how much of everything else there is and how fast it moves."""

from dataclasses import dataclass, field

import numpy as np

from ifdd.scripted.script.elements import speech
from ifdd.scripted.script.extras import SHOWN
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.units import UNITS

TRUTH_VERSION = 2
"""Raised when truth files gain arrays. Not the generator's version, which stays while pixels and older arrays do."""

NUISANCES: dict[str, str] = {
    "irrelevant": "weight of the strongest irrelevant stretch",
    "talking": "weight of the strongest unit of speech",
    "blink": "how far the lids are closed",
    "gaze": "degrees from straight ahead",
    "pose": "degrees of yaw, pitch and roll together",
    "camera": "shares of the frame: shift, and zoom after a cut",
    "light": "relative change of the key light",
    "occluder": "how far the patch has come to its place",
}
"""What the value of each nuisance is. Its energy is the speed, in these units a second."""

ENERGY_STEP = 1 / 32
"""Seconds before and after a frame between which a speed is taken: at 16 frames a second nothing falls between two frames."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What the script says about every frame. Arrays that were not asked for have n = 0."""

    intensity: np.ndarray  # (n,) float32 in [0, 1]
    action_units: np.ndarray  # (n, A) float32 in [0, 1], emotion and nuisance together
    emotion_units: np.ndarray  # (n, A) float32, the emotion's share alone
    unit_names: tuple[str, ...]
    mask: np.ndarray  # (n, H, W) bool: pixels that the emotion moves
    pose: np.ndarray  # (n, 3) float32: yaw, pitch, roll in degrees
    emotion_motion: np.ndarray  # (n,) float32: |change of intensity| a second
    nuisance: np.ndarray  # (n, m) float32: value of each of `NUISANCES`
    nuisance_energy: np.ndarray  # (n, m) float32: its speed
    regions: np.ndarray  # (n, H, W) uint8: index into `regions.REGIONS`
    nuisance_mask: np.ndarray  # (n, H, W) bool: pixels that irrelevant stretches, speech and blinks move
    irrelevant_share: float  # of the clip's time
    scene: str  # polarity that the background tells, or ''
    nuisance_names: tuple[str, ...] = field(default=tuple(NUISANCES))


def nuisance_tracks(script: Script, times: np.ndarray) -> dict[str, np.ndarray]:
    """Every nuisance as (n, d) at times (n,): what its value is the size of, and its energy the speed of."""
    tracks = script.at(times)
    irrelevant = [s.curve.at(times) * max((w for _, w in s.units), default=0.0) for s in script.irrelevant]
    said = np.ones((len(times), len(UNITS)))
    for talk in script.talk:
        said *= 1 - speech(talk, times)
    return {
        "irrelevant": np.stack(irrelevant, -1) if irrelevant else np.zeros((len(times), 1)),
        "talking": 1 - said,
        "blink": script.lids_at(times)[:, None],
        "gaze": tracks.gaze,
        "pose": tracks.pose,
        "camera": np.concatenate([tracks.shift, tracks.zoom[:, None] - 1], -1),
        "light": tracks.light[:, None] - 1,
        "occluder": tracks.occluders if script.occluders else np.zeros((len(times), 1)),
    }


def nuisance_values(script: Script, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and energy (n, m) float32 of every nuisance at times (n,), seconds.

    Weights count by their largest, everything else by its Euclidean size. The energy is the Euclidean size of the change from
    `ENERGY_STEP` before to as much after the frame, a second: a speed of tracks, not of pixels.
    """
    now, before, after = (nuisance_tracks(script, times + step) for step in (0.0, -ENERGY_STEP, ENERGY_STEP))
    values, energies = [], []
    for name, track in now.items():
        largest = name in ("irrelevant", "talking", "blink", "occluder")
        values.append(track.max(-1) if largest else np.linalg.norm(track, axis=-1))
        energies.append(np.linalg.norm(after[name] - before[name], axis=-1) / (2 * ENERGY_STEP))
    return np.stack(values, -1).astype(np.float32), np.stack(energies, -1).astype(np.float32)


def emotion_motion(script: Script, times: np.ndarray) -> np.ndarray:
    """|change of intensity| a second (n,) float32 at times (n,), taken as the energies are."""
    change = script.curve.at(times + ENERGY_STEP) - script.curve.at(times - ENERGY_STEP)
    return (np.abs(change) / (2 * ENERGY_STEP)).astype(np.float32)


def irrelevant_share(script: Script, times: np.ndarray) -> float:
    """Share of the times (n,) at which an irrelevant stretch shows: its curve is above `SHOWN`."""
    shown = np.zeros(len(times), bool)
    for stretch in script.irrelevant:
        shown |= stretch.curve.at(times) > SHOWN
    return float(shown.mean())


def occluded_share(script: Script, times: np.ndarray) -> float:
    """Share of the times (n,) at which a patch has come at least half its way to its place."""
    return float((script.at(times).occluders > 0.5).any(-1).mean())
