"""What a manifest knows of its clips: the factors that can be probed, and the level of each clip."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ifdd.data.persons import person_ids
from ifdd.errors import InputError

EMOTION, IDENTITY = "emotion", "identity"
COLUMNS = {"intensity": "peak", "pose": "yaw_deg", "light": "light_azimuth", "talking": "talking_share", "scene": "background"}
"""Factors beside emotion and identity → the manifest's column, where it has it."""

NUISANCES = (IDENTITY, "pose", "light", "talking", "scene")
LEVELS = ((0.0, "none"), (0.25, "to 25 %"), (0.5, "to 50 %"), (1.0, "above 50 %"))
"""Upper ends of the irrelevant share, and how the rows are called."""


def factors_of(
    clips: pd.DataFrame, more: Sequence[str], groups: np.ndarray | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Factors to probe, (n,) each, and of those that cannot be the reason; `more` are further columns.

    Raises: InputError if the emotion cannot be probed: all clips show one, or one is of one person alone.
    """
    wanted = {EMOTION: "label_name", IDENTITY: "subject"} | COLUMNS | {"scene": scene_column(clips)} | {n: n for n in more}
    found: dict[str, np.ndarray] = {}
    skipped: list[str] = []
    for factor, column in wanted.items():
        if column not in clips:
            skipped.append(f"probe of {factor}: the manifest has no column {column}")
            continue
        series = pd.Series(person_ids(clips[column]), clips.index) if factor == IDENTITY else clips[column]
        if factor == "talking":
            series = (series > 0).map({True: "talks", False: "silent"})
        numeric = pd.api.types.is_numeric_dtype(series)
        if series.isna().any() and not numeric:
            skipped.append(f"probe of {factor}: {column} is empty for {int(series.isna().sum())} clips")
            continue
        values = series.to_numpy(np.float64 if numeric and not pd.api.types.is_bool_dtype(series) else str)
        if len(np.unique(values[~pd.isna(series)])) < 2:
            skipped.append(f"probe of {factor}: it has one value in these clips")
        elif factor != IDENTITY and groups is not None and (few := _held_by_one(values, series.notna().to_numpy(), groups)):
            skipped.append(f"probe of {factor}: {few} is of one person alone, who cannot be held out")
        else:
            found[factor] = values
    if EMOTION not in found:
        why = next(reason for reason in skipped if reason.startswith(f"probe of {EMOTION}: "))
        raise InputError(f"{why}; the scorecard needs two emotions, each of two persons where persons are known")
    emotions = clips.groupby(person_ids(clips["subject"]))["label_name"].nunique()
    if IDENTITY in found and (emotions < 2).any():
        skipped.append("probe of identity: some people show one emotion alone, so they cannot be known through another one")
        del found[IDENTITY]
    return found, tuple(skipped)


def _held_by_one(values: np.ndarray, known: np.ndarray, groups: np.ndarray) -> str:
    """A class that one group alone has (of numbers: all that is known), or ''."""
    if values.dtype.kind == "f":
        return "all that is known" if len(set(groups[known])) < 2 else ""
    return next((str(value) for value in np.unique(values) if len(set(groups[values == value])) < 2), "")


def scene_column(clips: pd.DataFrame) -> str:
    """The polarity that scenes tell, where they tell one; else the kind of background."""
    return "scene" if "scene" in clips and clips["scene"].nunique() > 1 else COLUMNS["scene"]


def levels_of(clips: pd.DataFrame) -> np.ndarray | None:
    """Name of each clip's share of irrelevant frames."""
    if "irrelevant_share" not in clips:
        return None
    share = clips["irrelevant_share"].to_numpy(float)
    return np.select([share <= end for end, _ in LEVELS], [name for _, name in LEVELS], "unknown")
