"""What maps and attributions return."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ifdd.errors import InputError
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

How = Literal["occlude", "freeze"]
Weights = Literal["global", "per-step"]
Normalisation = Literal["clip", "frame", "none"]


@dataclass(frozen=True, eq=False)
class FrameImportance(Result):
    """By how much the score falls without each frame.

    `drop` (n, T) of the score, in logits; `probability_drop` (n, T) of the target's probability; `mean`, `low`, `high` (T,) of
    `drop` over the clips, with 95 % bootstrap intervals (NaN for one clip). `how` "occlude": the frame is replaced by `fill`;
    "freeze": by the frame before it, the first one by the second, so that only its news are lost.
    """

    how: How
    fill: str
    target: np.ndarray
    against: np.ndarray | None
    drop: np.ndarray
    probability_drop: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class PoolingResult(Result):
    """The weights w (K, h, w) with which a model pools `activation`, and their sums: over all, and by step (K,)."""

    activation: str
    weights: np.ndarray
    total: float
    by_step: np.ndarray
    provenance: Provenance

    @property
    def warning(self) -> str:
        """What a sum that is not above zero does to averaged maps; empty where there is none."""
        if self.total > 0:
            return ""
        return f"the learned pooling sums to {self.total:.3g}, so averaged Grad-CAM has the wrong sign or none; read HiResCAM"


@dataclass(frozen=True, eq=False)
class SaliencyResult(Result):
    """A batch of maps and the conventions they were made with.

    `target` (B,) class indexes, `against` (B,) those whose logits are subtracted, or None; `raw` (B, steps, h, w) signed, before
    ReLU and scaling, steps = K for the groups' activations and T' else; `frames` (B, T, H, W) non-negative; `read` (B, T), False
    where no step reads a frame, so that nothing is known. `weights` is "position" for methods that average nothing.
    `score` (B,) is what is explained; where the method promises that `raw` sums to score − reference, `reference` (B,) is
    finite. `pooling` are the weights that a model reads this activation with; `reading` says what the map means. `input` names
    the clip that the maps lie on, of a model that reads several.
    """

    activation: str
    target: NDArray[np.int64]
    weights: Weights | Literal["position"]
    normalise: Normalisation
    raw: NDArray[np.float32]
    frames: NDArray[np.float32]
    read: NDArray[np.bool_]
    notes: tuple[str, ...] = field(default=())
    method: str = "gradcam"
    against: np.ndarray | None = None
    score: np.ndarray | None = None
    reference: np.ndarray | None = None
    pooling: PoolingResult | None = None
    reading: str = ""
    provenance: Provenance | None = None
    input: str = ""

    @property
    def residue(self) -> np.ndarray:
        """What `raw` lacks to score − reference (B,), in logits; NaN where the method promises nothing."""
        if self.score is None or self.reference is None:
            return np.full(len(self.raw), np.nan)
        return np.asarray(self.score - self.reference - self.raw.sum((1, 2, 3), dtype=np.float64))


@dataclass(frozen=True, eq=False)
class RegionShare(Result):
    """What one region gets: mean `share` of the map, `area` of the pixels, `ratio` of the two over the clips that have it.

    `over_time` and `area_over_time` (T,) are the same shares frame by frame (of the clip's whole map, and of a frame's pixels).
    """

    name: str
    clips: int
    share: Interval
    area: Interval
    ratio: Interval
    over_time: np.ndarray
    area_over_time: np.ndarray


@dataclass(frozen=True, eq=False)
class RegionBudget(Result):
    """Shares of every region that occurs; `source` says where the regions come from; `empty` clips have an all-zero map.

    `by_clip` (n, regions) are the clips' own shares, NaN for an empty map.
    """

    regions: tuple[RegionShare, ...]
    source: str
    clips: int
    empty: int
    by_clip: np.ndarray
    provenance: Provenance

    def region(self, name: str) -> RegionShare:
        """One row.

        Raises:
            InputError: one that is not there.
        """
        for row in self.regions:
            if row.name == name:
                return row
        raise InputError(f"no region {name!r}; there are {', '.join(row.name for row in self.regions)}")


@dataclass(frozen=True, eq=False)
class DifferenceResult(Result):
    """First map minus second, both with mean 1 over their clip.

    `frames` (B, T, H, W), positive where the first has more; `read` (B, T), False where neither reads a frame; `overlap` (B,),
    the share of evidence that lies in the same places, 1 for equal maps; `rank` (B,) Spearman's ρ over pixels.
    """

    names: tuple[str, str]
    frames: np.ndarray
    read: np.ndarray
    overlap: np.ndarray
    rank: np.ndarray
    notes: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Similarity(Result):
    """Likeness of two sets of maps, mean over clips.

    `rank` is |Spearman's ρ| over all positions of the signed maps: a map turned upside down shows the same places. `ssim` is that
    of the rectified maps, each scaled by its clip's maximum. NaN where a map is constant.
    """

    name: str
    rank: Interval
    ssim: Interval


@dataclass(frozen=True, eq=False)
class Verdict(Result):
    """Whether the maps of one method on one activation pass; a sentence for each test in `reasons`, those failed by name."""

    method: str
    activation: str
    passes: bool
    reasons: tuple[str, ...]
    failed: tuple[str, ...]
    matched: tuple[str, ...] = ()
    """Controls, which know nothing of the model, that the score follows as much as the map."""
    tested_on: str = ""
    """The clips of the tests, in words."""
    elsewhere: bool = False
    """Whether the verdict is shown with other clips than those, or with some of which nobody knows."""

    @property
    def badge(self) -> str:
        """A few words for a picture."""
        where = " (other clips)" if self.elsewhere else ""
        if not self.passes:
            return f"fails: {', '.join(self.failed)}{where}"
        others = f"{' and '.join(self.matched)} {'do' if len(self.matched) > 1 else 'does'}"
        return f"passes, but {others} as well{where}" if self.matched else f"passes both tests{where}"


@dataclass(frozen=True, eq=False)
class MapVerdicts(Result):
    """Verdicts on the maps of a checkpoint, and the clips that they were reached on, in a report of `workbench faithfulness`.

    `data_hash` is of the clips that were taken, `manifest_hash` of all those of `manifest` ("" in a report of an older version).
    """

    checkpoint: str
    sha256: str
    data_hash: str
    clips: int
    verdicts: tuple[Verdict, ...]
    manifest: str = field(default="", kw_only=True)
    manifest_hash: str = field(default="", kw_only=True)


@dataclass(frozen=True, eq=False)
class ShownClip(Result):
    """A clip as a model read it: `pixels` (T, H, W, 3), `seconds` (T,); `name` of its folder; label and person, if known.

    Of a model with several inputs `pixels` are those of the first, and `inputs` those of all by their names.
    """

    name: str
    pixels: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    label: str | None = None
    subject: str | None = None
    inputs: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def pictures(self) -> np.ndarray | dict[str, np.ndarray]:
        """What maps are drawn over: the pixels, of several inputs by their names."""
        return self.inputs or self.pixels
