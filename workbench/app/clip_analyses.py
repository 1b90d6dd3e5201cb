"""What the page Clip asks beyond an explanation: of the clip as a model has read it, whether it is of a dataset or an upload."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from ifdd.inputs import Clips, batch_of, each, stack, to_pixels
from workbench.analysis.counterfactuals.changes import counterfactuals, distance
from workbench.analysis.counterfactuals.frame_edits import FrameEdit
from workbench.analysis.counterfactuals.results import CounterfactualOptions, CounterfactualResult
from workbench.analysis.counterfactuals.task import Options as EditOptions
from workbench.analysis.counterfactuals.task import plan, possible_edits
from workbench.analysis.saliency.displays.heat import Pictures, row_name
from workbench.analysis.saliency.regions import region_budget
from workbench.analysis.saliency.results import FrameImportance, How, RegionBudget, SaliencyResult
from workbench.analysis.saliency.shown import regions_of
from workbench.analysis.saliency.temporal import frame_importance
from workbench.explain.results import Explanation
from workbench.store.truth import known_landmarks

ORDERS = 4
"""Random orders of a clip for its order-sensitivity index."""
OF_TWO = ((1, 0),)
"""Of a clip and the one that it takes from: which takes from which."""


def importance(bundle: Bundle, item: Explanation, how: How) -> FrameImportance:
    """By how much the score of the explained class falls without each frame of the clip."""
    return frame_importance(bundle.model, _batch(bundle, item), how, item.target)


def budgets(bundle: Bundle, item: Explanation, row: pd.DataFrame | None = None) -> dict[str, RegionBudget]:
    """How the maps of an explanation are spent on the parts of the face, by branch; none of maps that are all zero.

    `row` is that of the clip in its manifest, for the truth of scripted clips or the landmarks of a track; else the regions
    follow the landmarks of a detector, or are rectangles. Maps over a scene have none: regions are those of the face.
    Raises: InputError for maps that were scaled frame by frame, or a truth file that is missing or damaged.
    """
    if any(result.normalise == "frame" for result in item.saliency.values()):
        raise InputError("maps scaled frame by frame have lost how frames compare; scale them by the clip, or not at all")
    landmarks = item.clip.landmarks if row is None else known_landmarks(row, row.iloc[0].to_dict(), item.clip)
    regions, names, source = regions_of(bundle, row, [landmarks], item.margin)
    maps = {key: result.frames for key, result in item.saliency.items() if result.frames.any() and not item.on_scene(result)}
    return {key: region_budget(frames, regions, names, source=source) for key, frames in maps.items()}


@dataclass(frozen=True, eq=False)
class NamedMap:
    """The map of a `branch` (or activation, or "input") of one of several models."""

    model: str
    branch: str
    result: SaliencyResult


def named_maps(items: Mapping[str, Explanation]) -> dict[str, NamedMap]:
    """All maps of several models, by a name."""
    found = [NamedMap(model, branch, result) for model, item in items.items() for branch, result in item.saliency.items()]
    return {f"{item.model} {row_name(item.result)}": item for item in found}


def first_pair(items: Mapping[str, Explanation]) -> tuple[str, str] | None:
    """Which two of `named_maps` to compare at first: the first maps of two models, else two of one; None for a single map.

    Both lie on the face, or both on the scene.
    """
    maps = named_maps(items)
    for first, one in maps.items():
        on_scene = items[one.model].on_scene(one.result)
        others = [name for name, item in maps.items() if name != first and items[item.model].on_scene(item.result) == on_scene]
        if others:
            return first, next((name for name in others if maps[name].model != one.model), others[0])
    return None


@dataclass(frozen=True)
class Edits:
    """What is done to a clip of `frames` frames: `names` of edits, the frame that freeze shows, the first and the last of those
    that are lost or replaced, and the seed of the shuffle.
    """

    names: tuple[str, ...]
    still: int
    lost: tuple[int, int]
    seed: int
    frames: int

    def of(self, bundle: Bundle, n: int) -> EditOptions:
        """The same for a model, which may read another number of frames: edits that it can take of n clips, its own frames."""
        length = bundle.model.frames
        scale = (length - 1) / max(self.frames - 1, 1)
        first, last = (round(place * scale) for place in self.lost)
        names = [name for name in self.names if name in possible_edits(bundle, n)]
        return EditOptions(
            ORDERS, seed=self.seed, edits=names, frames=list(range(first, last + 1)), still=round(self.still * scale)
        )


def possible(bundles: Mapping[str, Bundle], donor: bool) -> list[str]:
    """Names of the edits that one of the models or more can take, with another clip to take from or without."""
    return list(dict.fromkeys(name for bundle in bundles.values() for name in possible_edits(bundle, 1 + donor)))


def what_if(bundle: Bundle, clip: Clips, edits: Edits, donor: Clips | None = None) -> CounterfactualResult:
    """What a model says of a clip (3, T, H, W) after each edit, alone; `donor` is the clip that others take from.

    Raises: InputError for frames that are not there.
    """
    clips = stack([clip] if donor is None else [clip, donor])
    n = 1 if donor is None else 2
    options = edits.of(bundle, n)
    plans, _ = plan(bundle, n, options, OF_TWO[: n - 1])
    asked = CounterfactualOptions(options.shuffles, options.batch, options.seed)
    return counterfactuals(bundle.model, clips, plans, asked, measured=1, label_names=bundle.labels)


def edited(bundle: Bundle, clip: Clips, edits: Edits, donor: Clips | None = None) -> dict[str, Pictures]:
    """The clip after each edit that changes its frames, by name: pixels (T, H, W, 3) uint8, of several inputs by their names."""
    clips = stack([clip] if donor is None else [clip, donor])
    n = 1 if donor is None else 2
    plans, _ = plan(bundle, n, edits.of(bundle, n), OF_TWO[: n - 1])
    return {item.name: to_pixels(_edited(item, clips)) for (item,) in plans if isinstance(item, FrameEdit)}


def _edited(edit: FrameEdit, clips: Clips) -> Clips:
    return each(clips, lambda part: edit.apply(part, slice(1))[0])


def effects(results: Mapping[str, CounterfactualResult]) -> pd.DataFrame:
    """One row for each edit and model, the clip as it is first.

    What the model says, and with which probability `p`; the change of the probability of what it said of the clip as it is, and
    that of all probabilities (total variation distance, 0 to 1).
    """
    edits = dict.fromkeys(["as it is", *(edit.name for result in results.values() for edit in result.edits)])
    order = {name: number for number, name in enumerate(edits)}
    rows = []
    for model, result in results.items():
        before, said = result.before[0], int(result.before[0].argmax())
        for name, after in (("as it is", before), *((edit.name, edit.after[0]) for edit in result.edits)):
            now = int(after.argmax())
            rows.append(
                {
                    "edit": name,
                    "model": model,
                    "says": result.label_names[now] + (" (flips)" if now != said else ""),
                    "sure, p": float(after[now]),
                    "p of the first answer, change": float(after[said] - before[said]),
                    "all p, change": float(distance(before[None], after[None])[0]),
                }
            )
    return pd.DataFrame(rows).sort_values("edit", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def _batch(bundle: Bundle, item: Explanation) -> Clips:
    return batch_of(item.tensor(), next(bundle.model.parameters()).device)
