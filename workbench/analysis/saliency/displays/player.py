"""What the frame player of the app shows: the panels of one clip, moved together by one clock."""

import base64
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ifdd.errors import InputError
from workbench.analysis.saliency.displays.heat import badge_colour, conventions, overlay, peak_of, ramp, row_name
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.plotting.images import data_uri

TILE = 256  # pixels, largest side of one frame on the page
BRANCH_HINTS = {"D": "dynamic", "S": "static", "X": "all features"}


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of the player: `images` (T, H, W, 3) uint8 at `seconds` (T,), `read` (T,) False where nothing is known.

    `verdict` on the map, where it was tested.
    """

    name: str
    hint: str
    images: np.ndarray
    seconds: np.ndarray
    read: np.ndarray
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Group:
    """Panels under one heading: the input, or the branches of one model. `note` is a sentence for the legend, or empty."""

    title: str
    hint: str
    panels: tuple[Panel, ...]
    note: str = ""


def input_group(pixels: np.ndarray, seconds: np.ndarray, hint: str = "") -> Group:
    """The clip as a model reads it: `pixels` (T, H, W, 3) uint8, `seconds` (T,)."""
    return Group("input", hint, (Panel("input", "as the model reads it", pixels, seconds, np.ones(len(seconds), bool)),))


def map_group(
    title: str,
    hint: str,
    pixels: np.ndarray,
    seconds: np.ndarray,
    maps: Mapping[str, SaliencyResult],
    label: str,
    verdicts: Mapping[str, Verdict] | None = None,
) -> Group:
    """Maps of one model's branches over the clip; `label` is the class that they speak for, `verdicts` by branch."""
    peak = peak_of(maps)
    panels = tuple(
        Panel(
            row_name(result),
            BRANCH_HINTS.get(branch, branch),
            overlay(pixels, result, 0, peak),
            seconds,
            result.read[0],
            (verdicts or {}).get(branch),
        )
        for branch, result in maps.items()
    )
    note = f"{title}: {conventions(maps, label)}"
    if any(result.normalise == "none" for result in maps.values()):
        note += f" (strongest colour: {peak:.3g})"
    return Group(title, hint, panels, note)


def player_data(
    groups: Sequence[Group], video_index: Sequence[int] | np.ndarray, intensity: np.ndarray | None = None
) -> dict[str, Any]:
    """Everything that the player needs, as plain JSON values.

    The slider steps through the frames of the first panel, to which `video_index` belongs; panels with another number of
    frames show the one nearest in time. `intensity` is the true intensity of the expression in [0, 1] in each frame.

    Raises: InputError if there is no panel, or if `video_index` or `intensity` has another length.
    """
    if not groups or not groups[0].panels:
        raise InputError("the player has nothing to show; pass at least one group with one panel")
    clock = groups[0].panels[0].seconds
    for what, values in (("video_index", video_index), ("intensity", intensity)):
        if values is not None and len(values) != len(clock):
            raise InputError(f"{what} has {len(values)} entries for {len(clock)} frames; pass one for each")
    shown = [
        {"title": group.title, "hint": group.hint, "panels": [_panel(panel, clock) for panel in group.panels]} for group in groups
    ]
    noted = [group for group in groups if group.note]
    data: dict[str, Any] = {
        "seconds": [float(t) for t in clock],
        "video_index": [int(i) for i in video_index],
        "intensity": None if intensity is None else [float(value) for value in intensity],
        "groups": shown,
        "legend": _legend(noted) if noted else None,
    }
    return data | {"id": _digest(data)}


def sprite(images: np.ndarray) -> str:
    """Frames (T, H, W, 3) uint8 side by side in one WebP picture, as web pages take it."""
    height, width = images.shape[1:3]
    scale = min(1.0, TILE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    page = Image.new("RGB", (size[0] * len(images), size[1]))
    for index, image in enumerate(images):
        tile = Image.fromarray(image)
        page.paste(tile if scale == 1 else tile.resize(size, Image.Resampling.LANCZOS), (index * size[0], 0))
    buffer = io.BytesIO()
    page.save(buffer, "WEBP", quality=88)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _panel(panel: Panel, clock: np.ndarray) -> dict[str, Any]:
    height, width = panel.images.shape[1:3]
    return {
        "name": panel.name,
        "hint": panel.hint,
        "badge": None if panel.verdict is None else {"text": panel.verdict.badge, "colour": badge_colour(panel.verdict)},
        "sprite": sprite(panel.images),
        "count": len(panel.images),
        "aspect": f"{width} / {height}",
        "read": [bool(read) for read in panel.read],
        "at": _nearest(panel.seconds, clock),
    }


def _nearest(seconds: np.ndarray, clock: np.ndarray) -> list[int]:
    """For every time of the clock the frame nearest to it; of frames that repeat one picture each its own."""
    if np.array_equal(seconds, clock):
        return list(range(len(clock)))
    return [int(np.abs(seconds - t).argmin()) for t in clock]


def _legend(groups: Iterable[Group]) -> dict[str, Any]:
    groups = list(groups)
    return {
        "bar": data_uri(np.repeat(ramp(), 12, axis=0)),
        "top": "strongest",
        "hatched": any(not panel.read.all() for group in groups for panel in group.panels),
        "sentences": [group.note for group in groups],
    }


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(repr(data).encode()).hexdigest()[:16]
