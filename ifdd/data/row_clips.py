"""The clip of a row of a list, and the scene around it, as each input of a model reads them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ifdd.data.clips import Clip, load_inputs
from ifdd.data.manifest import clip_path, crop_of, fps_of, scene_path
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.scenes import NO_SCENE, SCENE_WAY_OUT, hidden_in
from ifdd.errors import InputError


def row_inputs(row: Any, inputs: Mapping[str, Preprocessing]) -> dict[str, Preprocessing]:
    """How each input reads the clip of a row (a Series or mapping): of several each crops as it asks for, unless it is a crop.

    A face that the row's own scene hides already is not looked for again. Raises: InputError as `hidden_in`.
    """
    crop, several = crop_of(row), len(inputs) > 1
    found = {name: read.of_row(crop, several=several) for name, read in inputs.items()}
    hidden = row.get("scene_face")
    if not isinstance(row.get("scene_path"), str) or not isinstance(hidden, str):
        return found
    return hidden_in(found, hidden)


def load_row_inputs(frame: pd.DataFrame, row: Any, inputs: Mapping[str, Preprocessing]) -> dict[str, Clip]:
    """The clip of a row of a manifest for each input. Raises: one of `bad_clips.UNREADABLE`, InputError as `load_inputs`."""
    return load_inputs(clip_path(frame, row), row_inputs(row, inputs), scene=scene_path(frame, row), fps=fps_of(row))


def lacks_scene(frame: pd.DataFrame, inputs: Mapping[str, Preprocessing]) -> pd.Series:
    """Which clips of a manifest (n,) are crops of faces, name no scene, and so cannot be read by a model that reads one."""
    if all(read.stream == "clip" for read in inputs.values()):
        return pd.Series(False, frame.index)
    named = frame["scene_path"].notna() if "scene_path" in frame else pd.Series(False, frame.index)
    whole = frame["crop"] != "none" if "crop" in frame else pd.Series(False, frame.index)
    return ~named & ~whole


def check_scenes(frame: pd.DataFrame, source: object, inputs: Mapping[str, Preprocessing]) -> None:
    """Refuse a list without the scenes that a model reads; a clip that has none is one that cannot be read.

    Raises: InputError where all clips are crops that name no scene; scenes that show less, or more, of faces than is asked for.
    """
    reads = {name: read for name, read in inputs.items() if read.stream == "scene"}
    if not reads:
        return
    lacking = lacks_scene(frame, inputs)
    if lacking.all():
        raise InputError(
            f"{source}: none of its {len(frame)} clips has a scene, which {' and '.join(reads)} reads, e.g. "
            f"{frame['clip_id'].iloc[0]}: {NO_SCENE}; {SCENE_WAY_OUT}"
        )
    if "scene_face" not in frame or "scene_path" not in frame:
        return
    for name, read in reads.items():
        other = frame["scene_path"].notna() & (frame["scene_face"] != "kept") & (frame["scene_face"] != read.face)
        if other.any():
            row = frame.loc[other].iloc[0]
            raise InputError(
                f"{source}: faces are {row['scene_face']} in the scene of {row['clip_id']} (scene_face), {name} reads them "
                f"{read.face}; set inputs.{name}.face={row['scene_face']}, or give other scenes"
            )
