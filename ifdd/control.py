"""Controls: what a training is denied, told or given instead, so that its score says what the others' scores rest on."""

from collections.abc import Mapping
from typing import Any, Literal

from ifdd.models.config import StrictModel

_BEFORE = {"frames_shown": "frames", "reads": "places", "train_labels": "labels"}  # as top-level keys of older recipes and cards


class Control(StrictModel):
    """`frames`, in training, test and `ifdd evaluate` alike: the middle frame repeated ("one"), or all in random order
    ("shuffled"): if these do as well as the whole clip, the data do not test dynamics. `places` "truth" makes an upper bound: a
    dynamic group that is told which frames are the most intense. `labels` "random" gives every training clip another one's
    label: a model that can know nothing, for tests of maps (Adebayo et al. 2018).
    """

    frames: Literal["all", "one", "shuffled"] = "all"
    places: Literal["own", "truth"] = "own"
    labels: Literal["own", "random"] = "own"


def with_control(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a recipe, with those of older ones (`frames_shown`, `reads`, `train_labels`) moved into the section `control`.

    Raises: ValueError where one thing is said twice.

    >>> with_control({"seed": 1, "frames_shown": "one"})
    {'seed': 1, 'control': {'frames': 'one'}}
    """
    kept = {key: value for key, value in recipe.items() if key not in _BEFORE}
    if len(kept) == len(recipe):
        return kept
    section = kept.get("control", {})
    if not isinstance(section, Mapping):
        return kept
    moved = {name: recipe[key] for key, name in _BEFORE.items() if key in recipe}
    if moved.get("labels") == "true":  # YAML's own word for another thing
        moved["labels"] = "own"
    for key, name in _BEFORE.items():
        if key in recipe and name in section:
            raise ValueError(f"{key} is the older name of control.{name}; leave {key} out")
    return {**kept, "control": {**section, **moved}}
