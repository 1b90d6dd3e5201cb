"""What a checkpoint makes of one video."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.saliency.displays.heat import Pictures, row_name
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.splits.results import SplitResult
from workbench.results.result import Result

if TYPE_CHECKING:
    from ifdd.data.clips import Clip
    from ifdd.inputs import Clips


@dataclass(frozen=True, eq=False)
class Timeline(Result):
    """Windows of a video: `start`, `end` (n,) seconds, `probabilities` (n, classes); `chosen` is the one that is explained."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    probabilities: np.ndarray
    chosen: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """One clip and what the model made of it; batches of one in `saliency` (by branch) and `split` (None for a baseline).

    `clip` is the one that leads, whose frames are spoken of; `clips` are those of all inputs by their names.
    No `Result`: the clip is read again from its video, and explain.json holds no pixels and no maps.
    """

    video: Path
    sha256: str
    checkpoint: str
    labels: tuple[str, ...]
    probabilities: np.ndarray  # (classes,)
    target: int
    clip: "Clip"
    clips: "dict[str, Clip]"
    preprocessing: dict[str, Any]
    saliency: dict[str, SaliencyResult]
    split: SplitResult | None
    timeline: Timeline | None
    scenes: tuple[str, ...] = ()
    """Names of the inputs that are the scene around the face."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """By branch, where a report of `workbench faithfulness` lies beside the checkpoint."""

    @property
    def scene(self) -> Path | None:
        """Where the scene lies that a model saw; None where none was read, or the video itself was it."""
        return next((clip.source for clip in self.clips.values() if clip.source != self.video), None)

    @property
    def pictures(self) -> Pictures:
        """The frames that maps lie on: (T, H, W, 3) uint8, of several inputs by their names."""
        return {name: clip.pixels for name, clip in self.clips.items()} if len(self.clips) > 1 else self.clip.pixels

    def on_scene(self, result: SaliencyResult) -> bool:
        """Whether a map lies on a scene, not on the face."""
        return (result.input or next(iter(self.clips))) in self.scenes

    @property
    def margin(self) -> float:
        """By how much the box of the face was widened, as a fraction of its side; 0 where no face was looked for."""
        told = self.preprocessing
        found = [told, *(part for part in told.values() if isinstance(part, dict))]
        return next((float(part["margin"]) for part in found if part.get("crop") == "face"), 0.0)

    def tensor(self) -> "Clips":
        """The clip as the model takes it, without a batch axis."""
        from ifdd.data.clips import as_clips  # brings torch, which a display does without

        return as_clips(self.clips)

    @property
    def predicted(self) -> int:
        """The most probable class."""
        return int(self.probabilities.argmax())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know about the clip and its maps."""
        notes = (
            f"{row_name(result)}: {note.removeprefix('clip 0: ')}" for result in self.saliency.values() for note in result.notes
        )
        return (*dict.fromkeys(note for clip in self.clips.values() for note in clip.warnings), *notes)

    def verdict(self) -> str:
        """The predicted class, and the target where it is another one, with their probabilities."""
        chosen = dict.fromkeys((self.predicted, self.target))
        return "  ·  ".join(f"{self.labels[c]} {100 * self.probabilities[c]:.1f} %" for c in chosen)
