"""What the frame player of the app shows: the panels of one clip, moved together by one clock.

Maps travel as gray pictures beside the frames that they lie on, and the browser colours them: another colour map or opacity needs
no answer of the server. Panels with the same frames share one picture of them.
"""

import base64
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from PIL import Image

from ifdd.errors import InputError
from workbench.analysis.saliency.displays.heat import (
    COLOURMAP,
    STRENGTH,
    Pictures,
    badge_colour,
    below,
    conventions,
    of_pixels,
    peak_of,
    row_name,
)
from workbench.analysis.saliency.results import DifferenceResult, SaliencyResult, Verdict
from workbench.analysis.splits.results import SplitResult
from workbench.plotting import style

BRANCH_HINTS = {"D": "dynamic", "S": "static", "X": "all features"}
COLOURMAPS = (COLOURMAP, "viridis", "cividis", "gray")
SIGNED_COLOURMAPS = (style.DIVERGING, "PuOr_r", "PRGn")
UNTESTED = {"text": "not tested", "colour": "#5A5A5A"}
"""Badge of a map that no test of `workbench faithfulness` was about."""
SATURATED = 0.995
"""Share of the pixels of a map of the input itself up to which its colours tell values apart."""
MANY = 64
"""Frames above which pictures are made smaller, so that a browser holds all of them."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A map over the frames of a panel: `values` (T, h, w) in [0, 1], or where `signed` in [−1, 1]."""

    values: np.ndarray
    signed: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of the player: `images` (T, H, W, 3) uint8 at `seconds` (T,), `read` (T,) False where nothing is known.

    `heat` is drawn over the frames, which are gray then; `badge` has words and a colour.
    """

    name: str
    hint: str
    images: np.ndarray
    seconds: np.ndarray
    read: np.ndarray
    heat: Heat | None = None
    badge: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Group:
    """Panels under one heading: the input, or the branches of one model. `note` is a sentence for the legend, or empty."""

    title: str
    hint: str
    panels: tuple[Panel, ...]
    note: str = ""


@dataclass(frozen=True)
class Marks:
    """Signs at places in time, in frames of the player's clock: `shape` up or down."""

    name: str
    shape: Literal["up", "down"]
    colour: str
    at: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Track:
    """A row below the frames: `levels` (T,) in [0, 1], or signs at places in time."""

    name: str
    hint: str = ""
    levels: np.ndarray | None = None
    marks: tuple[Marks, ...] = ()


def input_group(pictures: Pictures, seconds: np.ndarray, hint: str = "", name: str = "input") -> Group:
    """A clip as a model reads it, at `seconds` (T,): a panel for each input."""
    read, parts = np.ones(len(seconds), bool), pictures if isinstance(pictures, Mapping) else {name: pictures}
    panels = (Panel(of, "as the model reads it", images, seconds, read) for of, images in parts.items())
    return Group(name, hint, tuple(panels))


def video_group(pixels: np.ndarray, seconds: np.ndarray, hint: str = "") -> Group:
    """A stretch of a video as it is: `pixels` (n, H, W, 3) uint8, `seconds` (n,)."""
    return Group("video", hint, (Panel("video", "every frame, not cropped", pixels, seconds, np.ones(len(seconds), bool)),))


def map_group(
    title: str,
    hint: str,
    pictures: Pictures,
    seconds: np.ndarray,
    maps: Mapping[str, SaliencyResult],
    label: str,
    verdicts: Mapping[str, Verdict] | None = None,
) -> Group:
    """Maps of one model's branches over the clip; `label` is the class that they speak for.

    `verdicts` by branch: a map without one is marked as not tested; None leaves badges out.
    """
    peak = peak_of(maps)
    pixelwise = [result.frames[0] for result in maps.values() if of_pixels(result)]
    if pixelwise:  # a few pixels would leave all others dark
        peak = max(float(np.quantile(frames, SATURATED)) for frames in pixelwise) or peak
    panels = tuple(
        Panel(
            row_name(result),
            BRANCH_HINTS.get(branch, "of the input" if branch == "input" else ""),
            below(pictures, result),
            seconds,
            result.read[0],
            Heat(np.clip(result.frames[0] / peak, 0, 1)),
            None if verdicts is None else _badge(verdicts.get(branch)),
        )
        for branch, result in maps.items()
    )
    note = f"{title}: {conventions(maps, label)}"
    if any(result.normalise == "none" for result in maps.values()):
        note += f" (strongest colour: {peak:.3g})"
    if pixelwise:
        note += f"; the strongest {100 * (1 - SATURATED):.1f} % of the pixels have one colour"
    return Group(title, hint, panels, note)


def difference_group(title: str, pixels: np.ndarray, seconds: np.ndarray, result: DifferenceResult) -> Group:
    """Where the first of two maps has more evidence than the second, and where less, over the clip."""
    signed = result.frames[0]
    peak = float(np.abs(signed).max()) or 1.0
    first, second = result.names
    panel = Panel("difference", f"{first} − {second}", pixels, seconds, result.read[0], Heat(signed / peak, signed=True))
    note = f"{first} − {second}, each with mean 1 over the clip (strongest colour: ±{peak:.3g} of an even spread)"
    return Group(title, "", (panel,), note)


def split_track(model: str, split: SplitResult, seconds: np.ndarray, clock: np.ndarray) -> Track:
    """Where the groups of a model read a clip whose frames are at `seconds`, on the `clock` of the player (both seconds)."""
    places = split.input_frames()
    shapes: dict[str, Literal["up", "down"]] = {"D": "up", "S": "down"}
    marks = tuple(
        Marks(
            f"{group} reads ({BRANCH_HINTS[group]})",
            shape,
            style.BRANCH_COLOURS[group],
            _on_clock(places[group][0], seconds, clock),
        )
        for group, shape in shapes.items()
    )
    return Track("split", model, marks=marks)


def player_data(
    groups: Sequence[Group],
    video_index: Sequence[int] | np.ndarray,
    intensity: np.ndarray | None = None,
    tracks: Sequence[Track] = (),
) -> dict[str, Any]:
    """Everything that the player needs, as plain JSON values.

    The slider steps through the frames of the first panel, to which `video_index` belongs; panels with another number of
    frames show the one nearest in time. `intensity` is the true intensity of the expression in [0, 1] in each frame. The player
    begins at the strongest maps, of frames that show at least half of the expression where that is known.

    Raises: InputError if there is no panel, or if `video_index`, `intensity` or a track has another length.
    """
    if not groups or not groups[0].panels:
        raise InputError("the player has nothing to show; pass at least one group with one panel")
    clock = groups[0].panels[0].seconds
    lengths = {"video_index": video_index, "intensity": intensity} | {row.name: row.levels for row in tracks}
    for what, values in lengths.items():
        if values is not None and len(values) != len(clock):
            raise InputError(f"{what} has {len(values)} entries for {len(clock)} frames; pass one for each")
    if intensity is not None:
        tracks = (*tracks, Track("true intensity", levels=intensity))
    pictures: dict[bytes, tuple[int, dict[str, Any]]] = {}
    shown = [
        {"title": group.title, "hint": group.hint, "panels": [_panel(panel, clock, pictures) for panel in group.panels]}
        for group in groups
    ]
    panels = [panel for group in groups for panel in group.panels]
    data: dict[str, Any] = {
        "seconds": [float(t) for t in clock],
        "video_index": [int(i) for i in video_index],
        "start": _start(panels, clock, intensity),
        "pictures": [picture for _, picture in pictures.values()],
        "groups": shown,
        "tracks": [_track(row) for row in tracks],
        "strength": STRENGTH,
        "colourmaps": {name: _colours(name) for name in COLOURMAPS} if any(p.heat and not p.heat.signed for p in panels) else {},
        "signed_colourmaps": {name: _colours(name) for name in SIGNED_COLOURMAPS}
        if any(p.heat and p.heat.signed for p in panels)
        else {},
        "notes": [group.note for group in groups if group.note],
    }
    return data | {"clip": _digest([data["seconds"], data["pictures"]]), "id": _digest(data)}


def sprite(images: np.ndarray, side: int, *, exact: bool = False) -> dict[str, Any]:
    """Frames (T, H, W, 3) or gray (T, H, W) uint8 as the tiles of one WebP picture, none of them longer than `side` pixels.

    Returns the picture as web pages take it, and how many tiles of which size it has. `exact` loses nothing.
    """
    count, height, width = images.shape[:3]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    columns = math.ceil(math.sqrt(count * size[1] / size[0]))
    columns = min(max(columns, 1), count)
    rows = math.ceil(count / columns)
    page = Image.new("RGB" if images.ndim == 4 else "L", (size[0] * columns, size[1] * rows))
    for index, image in enumerate(images):
        tile = Image.fromarray(image)
        tile = tile if scale == 1 else tile.resize(size, Image.Resampling.BOX if exact else Image.Resampling.LANCZOS)
        page.paste(tile, (index % columns * size[0], index // columns * size[1]))
    buffer = io.BytesIO()
    if exact:
        page.convert("RGB").save(buffer, "WEBP", lossless=True, quality=20, method=1)
    else:
        page.save(buffer, "WEBP", quality=88)
    uri = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"uri": uri, "count": count, "columns": columns, "width": size[0], "height": size[1]}


def _start(panels: Sequence[Panel], clock: np.ndarray, intensity: np.ndarray | None) -> int:
    """The first frame to show."""
    shown = np.zeros(len(clock)) if intensity is None else 1e-3 * intensity  # without maps the expression itself
    for panel in panels:
        if panel.heat is not None:
            shown = shown + np.abs(panel.heat.values).max((1, 2))[_nearest(panel.seconds, clock)]
    if intensity is not None:
        shown = np.where(intensity >= intensity.max(initial=0) / 2, shown, -1)
    return int(np.argmax(shown))


def _panel(panel: Panel, clock: np.ndarray, pictures: dict[bytes, tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """A panel; `pictures` by what their pixels are, each once."""
    many = len(panel.images) > MANY
    key = hashlib.sha256(panel.images.tobytes()).digest()
    if key not in pictures:
        pictures[key] = (len(pictures), sprite(panel.images, 160 if many else 256))
    heat = None
    if panel.heat is not None:
        values = panel.heat.values * 127 + 128 if panel.heat.signed else panel.heat.values * 255
        gray = np.rint(values).clip(0, 255).astype(np.uint8)
        heat = sprite(gray, 64 if many else 128, exact=True) | {"signed": panel.heat.signed}
    return {
        "name": panel.name,
        "hint": panel.hint,
        "badge": None if panel.badge is None else dict(panel.badge),
        "picture": pictures[key][0],
        "heat": heat,
        "read": [bool(read) for read in panel.read],
        "at": _nearest(panel.seconds, clock),
    }


def _track(row: Track) -> dict[str, Any]:
    return {
        "name": row.name,
        "hint": row.hint,
        "levels": None if row.levels is None else [float(value) for value in row.levels],
        "marks": [{"name": m.name, "shape": m.shape, "colour": m.colour, "at": list(m.at)} for m in row.marks],
    }


def _badge(verdict: Verdict | None) -> Mapping[str, str]:
    return UNTESTED if verdict is None else {"text": verdict.badge, "colour": badge_colour(verdict)}


def _nearest(seconds: np.ndarray, clock: np.ndarray) -> list[int]:
    """For every time of the clock the frame nearest to it; of frames that repeat one picture each its own."""
    if np.array_equal(seconds, clock):
        return list(range(len(clock)))
    return [int(np.abs(seconds - t).argmin()) for t in clock]


def _on_clock(frames: np.ndarray, seconds: np.ndarray, clock: np.ndarray) -> tuple[float, ...]:
    """Places in frames that lie at `seconds`, in frames of the clock."""
    if np.array_equal(seconds, clock):
        return tuple(float(place) for place in frames)
    times = np.interp(frames, np.arange(len(seconds)), seconds)
    return tuple(float(place) for place in np.interp(times, clock, np.arange(len(clock))))


@cache
def _colours(name: str) -> str:
    """The 256 colours of a colour map, six hexadecimal digits each."""
    return (np.asarray(mpl.colormaps[name](np.arange(256)))[:, :3] * 255).round().astype(np.uint8).tobytes().hex()


def _digest(data: Any) -> str:
    return hashlib.sha256(repr(data).encode()).hexdigest()[:16]
