"""One scripted clip, made on the spot from knobs: what the benchmark shows and what it knows about it."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np

from ifdd.labels import EMOTIONS as EMOTIONS
from ifdd.scripted import SUITES as SUITES
from ifdd.scripted import Script, render_clip, render_scene, render_times, sample_script
from ifdd.scripted.models import face_model
from ifdd.scripted.render.clips import RenderedClip
from ifdd.scripted.render.store import write_clip, write_scene
from ifdd.scripted.script.sampling import DIFFICULTIES, Difficulty
from ifdd.scripted.script.scenes import KINDS as SCENE_KINDS
from ifdd.scripted.script.scenes import with_polarity

MOVED = (230, 159, 0)
"""Colour laid over the pixels that the emotion moves, RGB."""


AROUND: dict[str, str] = {"": "none"} | {polarity: f"{polarity}: {' or '.join(kinds)}" for polarity, kinds in SCENE_KINDS.items()}
"""Scenes around a clip: the polarity, and what is shown."""

LEVELS: dict[str, str] = {name: f"{name}: {suite.about}" for name, suite in SUITES.items()} | {
    name: f"{name} (one of three levels)" for name in DIFFICULTIES if name not in SUITES
}
"""Kinds of clips, and what they are."""


@dataclass(frozen=True)
class Knobs:
    """A clip: who shows what, and how much distracts from it. None leaves a knob as the level has it.

    `level` is a name of DIFFICULTIES or SUITES; `clip` picks another script of the same kind. `around` is the polarity of a scene
    in a stream of its own, "" for none; `rho` puts one behind the face.
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
    around: str = ""

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
    return (
        f"""
from workbench.app.playground import Knobs, play{", surroundings" if knobs.around else ""}

script, clip = play(Knobs({turned}))
frames, truth = clip.frames, clip.truth
{"scene = surroundings(script, clip)" if knobs.around else ""}
""".rstrip("\n")
        + "\n"
    )


def play(knobs: Knobs, frames: int = 32, size: int = 160, face: str = "built-in") -> tuple[Script, RenderedClip]:
    """The script of the knobs and its clip with all of its truth. Raises: InputError for a value out of range."""
    script = sample_script(knobs.clip, knobs.emotion, 20_000_000 + knobs.person, knobs.difficulty())
    script = with_polarity(script, knobs.around) if knobs.around else script
    return script, render_clip(script, size, render_times(frames, script.duration), face_model(face), full=True)


def surroundings(script: Script, clip: RenderedClip, size: int = 160, face: str = "built-in") -> np.ndarray:
    """The scene around a clip of `play`, at the same moments: (n, size, size, 3) uint8.

    Raises: InputError for a script without a scene around it.
    """
    return render_scene(script, size, clip.seconds, face_model(face))


def keep(clip: RenderedClip, folder: Path, scene: np.ndarray | None = None) -> tuple[Path, float, Path | None]:
    """Write the frames of a clip below a folder, as suites have them, and those of its scene.

    Returns where they lie, frames a second, and where the scene lies.
    """
    write_clip(clip, folder, "clip")
    if scene is not None:
        write_scene(scene, folder, "clip")
    rate = float(1 / np.diff(clip.seconds).mean())
    return folder / "clips" / "clip", rate, None if scene is None else folder / "scenes" / "clip"


def moments(frames: np.ndarray, columns: int = 8) -> np.ndarray:
    """Rows of some frames (n, …), evenly over the clip: (columns,)."""
    found: np.ndarray = np.linspace(0, len(frames) - 1, columns).round().astype(int)
    return found


def strip(clip: RenderedClip, columns: int = 8) -> np.ndarray:
    """Some frames in a row, and below them the same with the pixels tinted that the emotion moves: (2·H, columns·W, 3) uint8."""
    chosen = moments(clip.frames, columns)
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
