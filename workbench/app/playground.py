"""One scripted clip, made on the spot from knobs: what the benchmark shows and what it knows about it."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np

from ifdd.labels import EMOTIONS as EMOTIONS
from ifdd.scripted import SUITES as SUITES
from ifdd.scripted import Script, render_clip, render_times, sample_script
from ifdd.scripted.models import face_model
from ifdd.scripted.render.clips import RenderedClip
from ifdd.scripted.render.store import write_clip
from ifdd.scripted.script.sampling import DIFFICULTIES, Difficulty

MOVED = (230, 159, 0)
"""Colour laid over the pixels that the emotion moves, RGB."""


LEVELS: dict[str, str] = {name: f"{name}: {suite.about}" for name, suite in SUITES.items()} | {
    name: f"{name} (one of three levels)" for name in DIFFICULTIES if name not in SUITES
}
"""Kinds of clips, and what they are."""


@dataclass(frozen=True)
class Knobs:
    """A clip: who shows what, and how much distracts from it. None leaves a knob as the level has it.

    `level` is a name of DIFFICULTIES or SUITES; `clip` picks another script of the same kind.
    """

    emotion: str = "happy"
    person: int = 0
    clip: int = 0
    level: str = "standard"
    irrelevant_share: float | None = None
    talking: float | None = None
    resting: float | None = None
    motion: float | None = None
    light: float | None = None
    occluded: bool = False
    cut: bool = False
    quality: int | None = None
    rho: float | None = None

    def difficulty(self) -> Difficulty:
        """The level with these knobs turned. Raises: InputError for a value out of range."""
        base = SUITES[self.level].test if self.level in SUITES else DIFFICULTIES[self.level]
        names = ("talking", "resting", "motion", "light", "rho")
        changes = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.irrelevant_share is not None:
            room = 1 - self.irrelevant_share
            changes |= {"irrelevant_share": self.irrelevant_share, "window": (min(0.2, 0.8 * room), min(0.6, 0.9 * room))}
        changes |= {"occluded": 1.0} if self.occluded else {}
        changes |= {"cut": 1.0} if self.cut else {}
        changes |= {"compression": (self.quality, self.quality)} if self.quality is not None else {}
        return replace(base, **changes)


def python_of(knobs: Knobs) -> str:
    """What makes the clip of the knobs again."""
    turned = ", ".join(f"{item.name}={value!r}" for item in fields(knobs) if (value := getattr(knobs, item.name)) != item.default)
    return f"""
from workbench.app.playground import Knobs, play

script, clip = play(Knobs({turned}))
frames, truth = clip.frames, clip.truth
"""


def play(knobs: Knobs, frames: int = 32, size: int = 160, face: str = "built-in") -> tuple[Script, RenderedClip]:
    """The script of the knobs and its clip with all of its truth. Raises: InputError for a value out of range."""
    script = sample_script(knobs.clip, knobs.emotion, 20_000_000 + knobs.person, knobs.difficulty())
    return script, render_clip(script, size, render_times(frames, script.duration), face_model(face), full=True)


def keep(clip: RenderedClip, folder: Path) -> tuple[Path, float]:
    """Write the frames of a clip below a folder, as suites have them; returns where they lie, and frames a second."""
    write_clip(clip, folder, "clip")
    return folder / "clips" / "clip", float(1 / np.diff(clip.seconds).mean())


def strip(clip: RenderedClip, columns: int = 8) -> np.ndarray:
    """Some frames in a row, and below them the same with the pixels tinted that the emotion moves: (2·H, columns·W, 3) uint8."""
    chosen = np.linspace(0, len(clip.frames) - 1, columns).round().astype(int)
    rows = []
    for tint in (False, True):
        images = [clip.frames[i].copy() for i in chosen]
        for image, i in zip(images, chosen, strict=True):
            if tint:
                inside = clip.truth.mask[i]
                image[inside] = (0.45 * image[inside] + 0.55 * np.array(MOVED)).astype(np.uint8)
                edge = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
                image[edge] = MOVED
        rows.append(np.concatenate(images, 1))
    return np.concatenate(rows, 0)
