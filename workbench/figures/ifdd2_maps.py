"""IFDD, Fig. 2, left: class activation maps of Y_D and Y_S, an emotion a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from plotly.subplots import make_subplots

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Clip, as_clips
from ifdd.data.manifest import read_manifest
from ifdd.data.row_clips import check_scenes
from ifdd.errors import InputError
from ifdd.inputs import batch_of
from ifdd.labels import shared_classes
from workbench.analysis.saliency.displays.heat import (
    badge_colour,
    badges_note,
    conventions,
    overlay,
    peak_of,
    ramp,
    remarks_on,
    row_name,
    scaling,
)
from workbench.analysis.saliency.requests import INPUT, Request, make_maps
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.splits.inspection import inspect_split
from workbench.figures.sheet import SMALL, Column, Sheet, wrapped
from workbench.figures.study import Study
from workbench.plotting import style
from workbench.plotting.images import data_uri
from workbench.store.collecting import read_inputs
from workbench.store.tables import labelled

RULE = "of each class the correctly read clip whose probability is the median of the correctly read ones"
NONE_CORRECT = "no clip is read correctly; of each class the clip to which the model gives it the highest probability"
Verdicts = Mapping[tuple[str, str], Verdict]


@dataclass(frozen=True, eq=False)
class Picture:
    """One cell: (H, W, 3) uint8, and the second of the clip that it shows."""

    image: np.ndarray
    second: float


@dataclass(frozen=True)
class Row:
    """One clip: its class and the probability of that; pictures by block."""

    name: str
    clip_id: str
    probability: float
    blocks: dict[str, tuple[Picture, ...]]


def choose_clips(table: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, pd.Series | None]:
    """By class, the row of the correctly read clip of median probability (the lower one of two, ties by id), or None."""
    found: dict[str, pd.Series | None] = {}
    for c, name in enumerate(labels):
        hits = table[(table["label"] == c) & table["correct"]].sort_values(["confidence", "clip_id"], kind="stable")
        found[name] = None if hits.empty else hits.iloc[(len(hits) - 1) // 2]
    return found


@dataclass(frozen=True)
class About:
    """What a sheet of maps says of itself: `how` the maps were made and the `scale` of their colours, in words.

    `badges`: verdicts by block; `source`: the maps' provenance; `model`, how the clips were `chosen`, the `order` of blocks.
    """

    how: str
    scale: str
    badges: Mapping[str, Verdict]
    source: str
    model: str
    chosen: str
    order: str = "Left the clip at evenly spaced times, then each branch at the frames that its steps read."


class MapsSheet(Sheet):
    """A row for each class: frames of a clip, then each branch's maps over the frames that its steps read."""

    stem, paper = "ifdd_fig2_maps", "IFDD, Fig. 2, left"

    def __init__(self, rows: tuple[Row, ...], blocks: Mapping[str, str], about: About, column: Column) -> None:
        super().__init__(column)
        self.rows, self.blocks, self.about = rows, dict(blocks), about
        self.normalisation = about.scale

    def provenance(self) -> str:
        """Return that of the maps."""
        return self.about.source

    @property
    def caption(self) -> str:
        """Which clips, which maps, what their badges say."""
        badges = "; ".join(f"{self.blocks[block]} {verdict.badge}" for block, verdict in self.about.badges.items())
        parts = [
            f"{self.about.model}: {self.about.chosen}.",
            self.about.order,
            self.about.how,
            f"Verdicts of workbench faithfulness: {badges}." if badges else "",
            badges_note(self.about.badges.values()),
        ]
        return " ".join(part for part in parts if part)

    def _page(self) -> None:
        each = [len(pictures) for pictures in self.rows[0].blocks.values()]
        ratio = np.divide(*next(iter(self.rows[0].blocks.values()))[0].image.shape[:2])
        left, gap = 0.62, 0.07  # inches, as all that follows
        cell = (self.width - left - 0.02 - gap * (len(each) - 1)) / sum(each)
        badges = {
            block: wrapped(self.about.badges[block].badge, count * cell - 0.25, SMALL)
            for block, count in zip(self.blocks, each, strict=True)
            if block in self.about.badges
        }
        head = 0.2 + max((0.1 * (text.count("\n") + 1) + 0.06 for text in badges.values()), default=0.0)
        lines = self._told().count("\n") + 1
        foot = max(0.33, 0.08 + 0.1 * lines) if self.wide else 0.35 + 0.1 * lines
        tall = head + len(self.rows) * (cell * ratio + 0.02) + foot
        self.figure_ = Figure(figsize=(self.width, tall))
        self.ax_ = np.empty((len(self.rows), sum(each)), dtype=object)
        for number, row in enumerate(self.rows):
            bottom = tall - head - (number + 1) * (cell * ratio + 0.02)
            self._name(row, left, bottom + cell * ratio / 2, tall)
            at, index = left, 0
            for block, count in zip(self.blocks, each, strict=True):
                for k in range(count):
                    axes = self.figure_.add_axes(
                        (at / self.width, bottom / tall, 0.97 * cell / self.width, 0.97 * cell * ratio / tall)
                    )
                    axes.set_axis_off()
                    self.ax_[number, index] = axes
                    if k < len(row.blocks[block]):
                        _show(axes, row.blocks[block][k])
                    at, index = at + cell, index + 1
                at += gap
        at = left
        for (block, title), count in zip(self.blocks.items(), each, strict=True):
            self._head(block, title, badges.get(block), at, tall)
            at += count * cell + gap
        self._bar(tall, foot)

    def _name(self, row: Row, left: float, middle: float, tall: float) -> None:
        told = f"{row.name}\n{100 * row.probability:.0f} %"
        place = ((left - 0.06) / self.width, middle / tall)
        self.figure_.text(*place, told, ha="right", va="center", color=style.class_colour(row.name), fontweight="bold")

    def _told(self) -> str:
        """The words at the foot, beside the scale or, in one column, below it."""
        return wrapped(self.about.how, self.width - (1.5 if self.wide else 0.2), SMALL)

    def _head(self, block: str, title: str, badge: str | None, at: float, tall: float) -> None:
        self.figure_.text(at / self.width, 1 - 0.04 / tall, "", ha="left", va="top").set(**style.symbol(title))
        if badge is not None:
            box = {"boxstyle": "round,pad=0.2", "facecolor": badge_colour(self.about.badges[block]), "edgecolor": "none"}
            place = ((at + 0.03) / self.width, 1 - 0.22 / tall)
            self.figure_.text(*place, badge, ha="left", va="top", color="white", fontsize=SMALL, bbox=box)

    def _bar(self, tall: float, foot: float) -> None:
        bar = self.figure_.add_axes((0.12 / self.width, (foot - 0.14) / tall, 1.0 / self.width, 0.07 / tall))
        bar.imshow(ramp(), extent=(0, 1, 0, 1), aspect="auto")
        bar.set(yticks=[], xticks=[0, 0.5, 1])
        bar.tick_params(labelsize=SMALL, length=2, pad=1)
        x, y = (1.35, foot - 0.05) if self.wide else (0.08, foot - 0.3)
        self.figure_.text(x / self.width, y / tall, self._told(), ha="left", va="top", fontsize=SMALL)

    def to_plotly(self) -> go.Figure:
        """One picture for each class and block, side by side."""
        names = [row.name for row in self.rows]
        titles = list(self.blocks.values())
        figure = make_subplots(
            len(names), len(self.blocks), column_titles=titles, vertical_spacing=0.01, horizontal_spacing=0.02, row_titles=names
        )
        for number, row in enumerate(self.rows, 1):
            for column, pictures in enumerate(row.blocks.values(), 1):
                image = data_uri(np.concatenate([picture.image for picture in pictures], 1))
                text = f"{row.clip_id}: {', '.join(f'{p.second:.2f} s' for p in pictures)}"
                figure.add_trace(go.Image(source=image, hovertemplate=f"{text}<extra></extra>"), number, column)
        figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, showline=False)
        figure.update_yaxes(showticklabels=False, ticks="", showgrid=False, showline=False)
        figure.update_xaxes(title="frames of a clip", row=len(names))
        figure.update_yaxes(title="", col=1)
        figure.update_layout(
            template=style.plotly_template(), height=60 + 105 * len(names), margin={"t": 40, "l": 10, "r": 60, "b": 30}
        )
        return figure


def maps_sheet(
    study: Study,
    column: Column = "double",
    method: str = "gradcam",
    verdicts: Verdicts | None = None,
    clips: Sequence[str] | None = None,
    model: str | None = None,
) -> MapsSheet:
    """Maps of the main checkpoint for one clip of each class, or for the `clips` named, each explained for its own class.

    Of another `model` of the study they are of the same clips. Where several inputs are read, each stands before its own maps.
    Raises: InputError as `make_maps`, for clips that cannot be read or are unknown, or predictions without a network.
    """
    bundle = study.looked_into("a map") if model is None else study.bundles[model]
    picked = pick_clips(study, clips)
    table = read_manifest(study.manifest)
    root, table = table.attrs, table.set_index("clip_id", drop=False)
    table.attrs = root
    check_scenes(table, study.manifest, bundle.inputs)
    said = labelled(study.collections[bundle.name]).set_index("clip_id")
    words = shared_classes(bundle.labels, study.labels)
    classes = [words.get(label, label) for label in bundle.labels]
    several = len(bundle.inputs) > 1
    count = (3 if several else 4) if column == "double" else (1 if several else 2)
    request = Request(method=method)
    rows: list[Row] = []
    kept: dict[str, dict[str, SaliencyResult]] = {}
    for found, c in picked.rows:
        clip_id = str(found["clip_id"])
        clip = cast(dict[Any, Any], table.loc[clip_id].to_dict())
        read = read_inputs(table, clip, bundle)
        name = study.labels[c]
        shown = batch_of(as_clips(read), _place(bundle))
        results = kept[clip_id] = make_maps(bundle, shown, request, [classes.index(name)])
        rows.append(
            Row(
                name,
                clip_id,
                float(cast("pd.Series[Any]", said.loc[clip_id])[f"p_{name}"]),
                _blocks(bundle, read, results, count),
            )
        )
    results = next(iter(kept.values()))
    tested = {b: v for b, r in results.items() if (v := (verdicts or {}).get((method, r.activation))) is not None}
    records = {name: next(iter(found.values())).provenance for name, found in kept.items()}
    source = "\n".join(f"{name}: {record.to_json()}" for name, record in records.items() if record is not None)
    titles = {key: key.removeprefix(f"{INPUT} ") if several else "clip" for key in rows[0].blocks if key not in results}
    titles |= {
        branch: row_name(result) if several else result.activation.rsplit(".", 1)[-1] for branch, result in results.items()
    }
    rule = picked.rule if bundle.name == study.main else f"{picked.rule}, by what {study.main} says"
    about = About(_how(results), scaling(results), tested, source, bundle.name, rule)
    if several:
        about = replace(about, order="Of each input frames at evenly spaced times, then the maps over it.")
    return MapsSheet(tuple(rows), {key: titles[key] for key in rows[0].blocks}, about, column)


@dataclass(frozen=True)
class ChosenClips:
    """Clips to draw: rows of the study's table with the index of the class to explain, and how they were chosen."""

    rows: tuple[tuple[pd.Series, int], ...]
    rule: str


def pick_clips(study: Study, clips: Sequence[str] | None = None) -> ChosenClips:
    """The `clips` named; else of each class the one that `choose_clips` takes.

    Where none is read correctly: of each class the clip with its highest probability.
    Raises: InputError for a clip that is not there or named twice.
    """
    if clips is not None:
        table = study.clips.set_index("clip_id", drop=False)
        if unknown := [name for name in clips if name not in table.index]:
            raise InputError(f"{study.manifest} has no clip {unknown[0]!r}; its first is {table.index[0]!r}")
        if not clips or len(set(clips)) < len(clips):
            raise InputError(f"--clips {','.join(clips)}: name one clip or more, each once")
        rows = [cast("pd.Series[Any]", table.loc[name]) for name in clips]
        return ChosenClips(tuple((row, int(row["label"])) for row in rows), f"the clips {', '.join(clips)}")
    chosen = choose_clips(study.clips, study.labels)
    found = tuple((row, c) for c, row in enumerate(chosen.values()) if row is not None)
    if not found:
        best = study.clips.loc[[part[f"p_{part['label_name'].iloc[0]}"].idxmax() for _, part in study.clips.groupby("label")]]
        rows = [row for _, row in best.iterrows()]
        return ChosenClips(tuple((row, int(row["label"])) for row in rows), NONE_CORRECT)
    missing = [name for name, row in chosen.items() if row is None]
    gaps = f" (of {', '.join(missing)} none is read correctly)" if missing else ""
    return ChosenClips(found, RULE + gaps)


def _how(results: dict[str, SaliencyResult]) -> str:
    remarks = dict.fromkeys(remark for result in results.values() for remark in remarks_on(result))
    return "; ".join([conventions(results, None), *remarks]) + "."


def _blocks(
    bundle: Bundle, read: Mapping[str, Clip], results: dict[str, SaliencyResult], count: int
) -> dict[str, tuple[Picture, ...]]:
    """Pictures of each input, as "input" or, of several, "input NAME", and then those of the maps that lie on it."""
    frames = bundle.model.frames
    even = np.floor((np.arange(count) + 0.5) * frames / count).astype(int)
    places: dict[str, np.ndarray] = {}
    if "split" in bundle.model.capabilities:
        split = inspect_split(bundle.model, batch_of(as_clips(read), _place(bundle)))
        places = {group: at[0] for group, at in split.input_frames().items()}
    peak = peak_of(results)
    found: dict[str, tuple[Picture, ...]] = {}
    for name, clip in read.items():
        key = f"{INPUT} {name}" if len(read) > 1 else INPUT
        found[key] = tuple(Picture(clip.pixels[t], float(clip.seconds[t])) for t in even)
        for branch, result in results.items():
            if len(read) > 1 and result.input != name:
                continue
            images = overlay(clip.pixels, result, 0, peak)
            at = np.clip(np.rint(np.sort(places[branch])), 0, frames - 1).astype(int) if branch in places else even
            at = at[np.linspace(0, len(at) - 1, min(count, len(at))).round().astype(int)]
            found[branch] = tuple(Picture(images[t], float(clip.seconds[t])) for t in at)
    return found


def _show(axes: Axes, picture: Picture) -> None:
    axes.imshow(picture.image, interpolation="nearest", aspect="auto")
    ink: dict[str, Any] = {
        "color": "white",
        "path_effects": [withStroke(linewidth=1, foreground="black")],
        "fontsize": SMALL - 0.5,
    }
    axes.text(0.04, 0.04, f"{picture.second:.2f} s", transform=axes.transAxes, ha="left", va="bottom", **ink)


def _place(bundle: Bundle) -> torch.device:
    return next(bundle.model.parameters()).device
