"""What a look at splits returns."""

from dataclasses import dataclass

import numpy as np

from ifdd.errors import InputError
from ifdd.timing import to_clip_frames
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

CONTENT = "X per frame"
"""The content of `content R²`."""
CLASS, PREDICTED = "class", "predicted class"
"""What occupancy is counted by: the label, or where there is none what the model says."""
TOLD = ", told where the emotion is"
"""Ends the name of a score of told places."""


@dataclass(frozen=True, eq=False)
class SplitKind(Result):
    """A variant of the split, as it tells it itself (`ifdd.modules.issm.Split`): name, operator in drawings, rule in a line."""

    name: str
    operator: str
    rule: str


@dataclass(frozen=True, eq=False)
class SplitResult(Result):
    """How a batch of clips was split; K steps a group, positions in feature frames.

    `initial`, `offset`, `position` (= initial + offset), `sample` (where the features were read): (B, K) for S and D;
    `weights`: (B, K, T'), the linear weights with which a step reads the feature frames; `correlation` (B, T', T') as ISSM
    scales it, None where the split has none; `frames`: T. `frame_weight` (B, T'): what split="weight" multiplies the feature
    frames with before they are read, else None.
    """

    initial_S: np.ndarray
    initial_D: np.ndarray
    offset_S: np.ndarray
    offset_D: np.ndarray
    position_S: np.ndarray
    position_D: np.ndarray
    sample_S: np.ndarray
    sample_D: np.ndarray
    weights_S: np.ndarray
    weights_D: np.ndarray
    correlation: np.ndarray | None
    frames: int
    frame_weight: np.ndarray | None = None

    def both(self, what: str) -> np.ndarray:
        """`what` (initial, offset, position or sample) of both groups, (B, 2·K), S before D."""
        return np.concatenate([getattr(self, f"{what}_{group}") for group in ("S", "D")], 1)

    def input_frames(self) -> dict[str, np.ndarray]:
        """The sampled positions in clip frames, (B, K) for "S" and "D"."""
        return {group: to_clip_frames(getattr(self, f"sample_{group}"), self.frames) for group in ("S", "D")}


@dataclass(frozen=True, eq=False)
class SplitClips(Result):
    """How n clips were split, and what their split may depend on.

    `split`: of all of them; `copies`: places (n, 2·K) of changed clips by name, as `places_of_copies`; `labels` (n,): class
    indexes, with one of `label_names` each, which are `CLASS` or `PREDICTED`; `energy` (n, T'): motion energy; `contents`: name →
    (n, d).
    """

    split: SplitResult
    copies: dict[str, np.ndarray]
    labels: np.ndarray
    label_names: tuple[str, ...]
    energy: np.ndarray
    contents: dict[str, np.ndarray]
    classes: str = CLASS


@dataclass(frozen=True, eq=False)
class Occupancy(Result):
    """Mean reading weight of each feature frame, (classes, T'), with 95 % bounds; NaN for a class without clips.

    `class_share`, in [0, 1]: share of the variance of D's weight minus S's that lies between classes; `class_null` with labels
    shuffled within persons, who are dealt whole.
    """

    label_names: tuple[str, ...]
    counts: np.ndarray  # (classes,)
    dynamic: np.ndarray
    dynamic_bounds: np.ndarray  # (2, classes, T')
    static: np.ndarray
    static_bounds: np.ndarray
    class_share: Interval
    class_null: float


@dataclass(frozen=True, eq=False)
class Awareness(Result):
    """Spread of the places read, in feature frames: `between` clips and `within` the copies of a clip (standard deviations).

    `icc`, at most 1: share of the variance that belongs to the clip, ICC(1, 1) over all steps; 0 if copies differ as much as
    clips do, NaN for places that never move. `null`: with copies of other people's clips; `told`: of places that the copies of a
    clip share. `between_steps`, `within_steps` (2K,) are variances.
    """

    icc: Interval
    null: float
    told: float
    between: float
    within: float
    between_steps: np.ndarray
    within_steps: np.ndarray
    clips: int
    copies: int


@dataclass(frozen=True, eq=False)
class MotionAgreement(Result):
    """`correlation` of D's minus S's reading weight with the motion energy over a clip's feature frames, mean over `clips`.

    `energy_D`, `energy_S`: energy where a group reads; 1 is the clip's mean. Each `…null`: the same with the energy of other
    people's clips, what position alone gives; `…told`: of a split whose D reads the half of the frames with the most energy, and
    whose S the others.
    """

    correlation: Interval
    null: float
    told: float
    energy_D: Interval
    energy_D_null: float
    energy_D_told: float
    energy_S: Interval
    energy_S_null: float
    energy_S_told: float
    clips: int


@dataclass(frozen=True, eq=False)
class ContentScore(Result):
    """How well one kind of content predicts the places of people never seen; R², below 0 if worse than their mean.

    `within`: the same for the deviations from each person's own mean, beyond identity; NaN where persons are not known or have
    one clip. `null`, `within_null`: with the content of other people's clips.
    """

    content: str
    r2: Interval
    null: float
    within: Interval
    within_null: float


@dataclass(frozen=True, eq=False)
class StepSummary(Result):
    """One step of a group over all clips: mean and standard deviation of its offset, mean places; in feature frames.

    `sample_clip`, `sample_clip_sd`: where it is really read, in clip frames.
    """

    group: str
    number: int
    initial: float
    offset: float
    offset_sd: float
    position: float
    sample: float
    initial_clip: float
    sample_clip: float
    sample_clip_sd: float


@dataclass(frozen=True, eq=False)
class SplitPlaces(Result):
    """Where a split reads, as a collection keeps it: the part of a `SplitSummary` that needs no network.

    `still_D`, `still_S` (T',): reading weights at the initial indices, which know nothing of the clip.
    """

    kind: str
    frames: int
    clips: int
    steps: tuple[StepSummary, ...]
    occupancy: Occupancy
    still_D: np.ndarray
    still_S: np.ndarray
    classes: str
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class SplitSummary(Result):
    """The split of one checkpoint. `saturated`, `elsewhere`: shares of the steps and clips; `classes`: what occupancy is by.

    `saturated`: offsets at the end of their range, NaN without one; `elsewhere`: read at another place than asked for (beyond the
    clip's ends, or shifted as released). `person_share`: share of the offsets' variance that lies between persons, NaN where they
    are not known, and its null. `content`: what the places follow, and where the true intensity is among the contents, what told
    places would. `stability`: how far places move, in feature frames, under each change of the clip; `apart`: how far they are
    from those of other people's clips.
    """

    kind: str
    frames: int
    clips: int
    steps: tuple[StepSummary, ...]
    saturated: float
    elsewhere: float
    occupancy: Occupancy
    awareness: Awareness
    person_share: Interval
    person_null: float
    content: tuple[ContentScore, ...]
    stability: dict[str, Interval]
    apart: float
    motion: MotionAgreement
    notes: tuple[str, ...]
    provenance: Provenance
    classes: str = CLASS

    def score(self, content: str) -> ContentScore:
        """The score of one kind of content.

        Raises:
            InputError: one that is not there.
        """
        for found in self.content:
            if found.content == content:
                return found
        raise InputError(f"no content {content!r}; there are {', '.join(c.content for c in self.content)}")
