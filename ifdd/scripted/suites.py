"""Which clips a suite consists of: named suites, disjoint identities, balanced scripts, and the factors of each."""

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted.script.extras import POLARITY, SCENE_OF
from ifdd.scripted.script.sampling import DIFFICULTIES, Difficulty, sample_script
from ifdd.scripted.script.scenes import with_scene
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.times import GENERATOR_VERSION, render_times
from ifdd.scripted.script.truth import irrelevant_share, occluded_share

IDENTITY_RANGES: dict[str, int] = {"train": 0, "val": 10_000_000, "test": 20_000_000}
"""First identity seed of each split; the ranges cannot touch."""

MOST_IDENTITIES = 1_000_000


@dataclass(frozen=True)
class Suite:
    """A named set of clips for a benchmark. `version` is raised with every change of its scripts."""

    version: str
    about: str
    train: Difficulty  # also of the validation clips
    test: Difficulty


_NOISY = replace(DIFFICULTIES["standard"], talking=0.0, window=(0.2, 0.25), onset_spread=0.08)
_ANYWHERE = replace(DIFFICULTIES["standard"], window=(0.3, 0.6), onset_spread=0.08)


SECOND = "-v2"
"""Ends the name of a suite whose irrelevant stretches know nothing of the class."""


def _same(about: str, difficulty: Difficulty) -> Suite:
    return Suite("1", about, difficulty, difficulty)


_FIRST: dict[str, Suite] = {
    "standard": _same("everything a little", DIFFICULTIES["standard"]),
    # the four differ in their irrelevant stretches alone: same people, emotions, windows and speechless mouths, clip by clip
    "noisy-00": _same("nothing irrelevant", replace(_NOISY, irrelevant_share=0.0)),
    "noisy-25": _same("a quarter of the frames shows something else", replace(_NOISY, irrelevant_share=0.25)),
    "noisy-50": _same("half of the frames show something else", replace(_NOISY, irrelevant_share=0.5)),
    "noisy-75": _same("all frames but the emotion's show something else", replace(_NOISY, irrelevant_share=0.75)),
    "subtle": _same("weak expressions", replace(_ANYWHERE, peak=(0.15, 0.4))),
    "occluded": _same("a hand, a scarf or a bar before the face for a while", replace(_ANYWHERE, occluded=1.0)),
    "head-motion": _same("the head turns twice as far", replace(_ANYWHERE, motion=2.0)),
    "scene-shift": Suite(
        "1",
        "the background goes with the emotion in training and against it in the test",
        replace(_ANYWHERE, rho=0.9),
        replace(_ANYWHERE, rho=-0.9),
    ),
    "hard": _same("weak, short and disturbed, all at once", DIFFICULTIES["hard"]),
}


def _independent(suite: Suite) -> Suite:
    """The same clips but for their irrelevant stretches, which none of the class's draws reach."""
    train, test = (replace(difficulty, independent=True) for difficulty in (suite.train, suite.test))
    return Suite("2", f"{suite.about}; irrelevant stretches independent of the class", train, test)


SUITES: dict[str, Suite] = _FIRST | {name + SECOND: _independent(suite) for name, suite in _FIRST.items()}
"""Those without an ending keep every byte of their first version, whose irrelevant stretches tell the class a little."""


def difficulty_of(name: str, split: str) -> Difficulty:
    """What the clips of a split are like, by a name of `SUITES` or `DIFFICULTIES`."""
    if name in SUITES:
        return SUITES[name].test if split == "test" else SUITES[name].train
    return DIFFICULTIES[name]


def class_note(name: str, split: str = "test") -> str:
    """One line on what the irrelevant stretches of a suite or level tell of the class; empty where they tell nothing."""
    difficulty = difficulty_of(name, split)
    if difficulty.independent or not difficulty.other_emotion:
        return ""
    if not (difficulty.irrelevant if difficulty.irrelevant_share is None else difficulty.irrelevant_share):
        return ""
    better = f"; {name}{SECOND} shows the same clips with independent ones" if name + SECOND in SUITES else ""
    return (
        f"{name}: irrelevant stretches tell the class a little (another emotion is never the clip's own, and never in a neutral "
        f"clip){better}"
    )


def class_notes(clips: pd.DataFrame) -> tuple[str, ...]:
    """`class_note` of each suite that rendered clips name (columns suite and truth of a manifest)."""
    if not {"suite", "truth"} <= set(clips) or clips["truth"].isna().any():
        return ()
    named = dict.fromkeys(name for name in clips["suite"].dropna().astype(str) if name in {**DIFFICULTIES, **SUITES})
    return tuple(note for name in named if (note := class_note(name)))


@dataclass(frozen=True)
class SuiteConfig:
    """A set of clips. Equal configs give equal scripts. `difficulty` is a name of `DIFFICULTIES` or of `SUITES`.

    With `rho` there is a scene around every clip, in a stream of its own, whose polarity goes with the emotion's by that
    correlation (`script.scenes`); the clips themselves are the same for every rho, and without.
    """

    name: str
    seed: int
    clips: int
    identities: int
    split: str = "train"
    difficulty: str = "standard"
    duration: float = 2.0
    rho: float | None = None

    def __post_init__(self) -> None:
        if self.split not in IDENTITY_RANGES:
            raise InputError(f"suite {self.name}: split {self.split!r} is not one of {', '.join(IDENTITY_RANGES)}")
        if self.difficulty not in {**DIFFICULTIES, **SUITES}:
            known = ", ".join(dict.fromkeys([*DIFFICULTIES, *SUITES]))
            raise InputError(f"suite {self.name}: difficulty {self.difficulty!r} is not one of {known}")
        if self.clips < 1:
            raise InputError(f"suite {self.name}: clips is {self.clips}; at least 1 is needed")
        if not 1 <= self.identities <= MOST_IDENTITIES:
            raise InputError(f"suite {self.name}: identities is {self.identities}; choose 1 to {MOST_IDENTITIES}")
        if self.rho is None:
            return
        if not -1 <= self.rho <= 1:
            raise InputError(f"suite {self.name}: rho {self.rho} is outside [-1, 1]; 0 is a scene that tells nothing")
        if difficulty_of(self.difficulty, self.split).rho is not None:
            raise InputError(
                f"suite {self.name}: rho {self.rho}: {self.difficulty} has a scene behind the face; give rho to another one"
            )

    def to_dict(self) -> dict[str, Any]:
        """The fields; `rho` where there is one."""
        return {name: value for name, value in asdict(self).items() if name != "rho" or value is not None}


def suite_identities(cfg: SuiteConfig) -> list[int]:
    """The identity seeds of a suite, inside its split's range; another suite seed picks other people."""
    rng = np.random.default_rng([cfg.seed, 101])
    picks = rng.choice(9 * MOST_IDENTITIES, size=cfg.identities, replace=False)
    return [IDENTITY_RANGES[cfg.split] + int(i) for i in np.sort(picks)]


def suite_scripts(cfg: SuiteConfig) -> list[Script]:
    """The scripts of a suite: classes in turn, so counts differ by one at most; every class walks through the identities."""
    people = suite_identities(cfg)
    seeds = np.random.default_rng([cfg.seed, 102, IDENTITY_RANGES[cfg.split]]).integers(0, 2**31, size=cfg.clips)
    classes = len(EMOTIONS)
    difficulty = difficulty_of(cfg.difficulty, cfg.split)
    # every class goes through all people in an order of its own, so that who it is says nothing about the class
    orders = [np.random.default_rng([cfg.seed, 103, c]).permutation(people) for c in range(classes)]
    scripts = [
        sample_script(
            int(seeds[i]),
            EMOTIONS[i % classes],
            int(orders[i % classes][i // classes % len(people)]),
            difficulty,
            cfg.duration,
        )
        for i in range(cfg.clips)
    ]
    return scripts if cfg.rho is None else [with_scene(script, cfg.rho) for script in scripts]


def suite_hash(cfg: SuiteConfig) -> str:
    """SHA-256 of what a suite shows: its name, seed and generator version, and the digest of every script in order."""
    key = hashlib.sha256(f"{cfg.difficulty} {cfg.split} {cfg.seed} {GENERATOR_VERSION}\n".encode())
    for script in suite_scripts(cfg):
        key.update(script.digest().encode())
    return key.hexdigest()


def clip_id(cfg: SuiteConfig, i: int) -> str:
    """Name of the i-th clip of a suite."""
    return f"{cfg.name}-{cfg.split}-{i:05d}"


def by_person(scripts: list[Script]) -> list[int]:
    """Indices of the scripts with each person's clips together: building a head costs as much as 20 frames."""
    return sorted(range(len(scripts)), key=lambda i: (scripts[i].identity, i))


def factors(script: Script) -> dict[str, Any]:
    """What varies besides the emotion: one row of factor columns. Shares are of the clip's time.

    Of a clip with a scene, `scene_fits`: whether that has the polarity of the clip's emotion.
    """
    times = render_times(64, script.duration)
    tracks = script.at(times)
    speaking = np.zeros(len(times), bool)
    for talk in script.talk:
        speaking |= (times >= talk.start) & (times <= talk.stop)
    apex = 0.5 * (script.curve.apex + script.curve.release)
    return {
        "apex_s": float(np.clip(apex, 0, script.duration)) if script.units else float("nan"),
        "peak": float(tracks.intensity.max()),
        "emotion_share": float((tracks.intensity > 0.1).mean()),
        "irrelevant_share": irrelevant_share(script, times),
        "irrelevant_emotion": ",".join(sorted({s.emotion for s in script.irrelevant if s.emotion})),
        "occluded_share": occluded_share(script, times),
        "talking_share": float(speaking.mean()),
        "blinks": len(script.blinks),
        "yaw_deg": float(tracks.pose[:, 0].mean()),
        "pitch_deg": float(tracks.pose[:, 1].mean()),
        "motion_deg": float(np.linalg.norm(tracks.pose - tracks.pose.mean(0), axis=1).mean()),
        "light_azimuth": script.light.azimuth,
        "light_key": script.light.key,
        "skin": script.appearance.skin,
        "resting_bias": float(sum(w for _, w in script.resting)),
        "background": script.background.kind,
        "scene": script.scene or "none",
    } | ({"scene_fits": script.scene == SCENE_OF[POLARITY[script.emotion]]} if script.scene else {})
