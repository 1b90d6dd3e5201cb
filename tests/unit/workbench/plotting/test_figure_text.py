"""No words of a paper figure lie on others or leave the page: one or two columns, at the resolution of every format."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ifdd.labels import EMOTIONS
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay
from workbench.analysis.embedding.projection import embed
from workbench.analysis.saliency.displays.heat import badge_colour
from workbench.analysis.saliency.results import Verdict
from workbench.figures.ifdd2_maps import About, MapsSheet, Picture, Row
from workbench.figures.ous4_stages import StagesSheet
from workbench.figures.sheet import Column

FAILS = Verdict("gradcam", "ladm.Y_D", False, (), ("deletion and insertion",), (), "28 clips of mine", True)
BARELY = Verdict("gradcam", "ladm.Y_S", True, (), (), ("centre", "edge", "random"), "28 clips of mine", True)
HOW = (
    "Grad-CAM of ladm.Y_D and ladm.Y_S for the class of the row; channel weights averaged over all positions, scaled by the "
    "clip's maximum; learned pooling of Y_D: Σw = 1.83; Y_S reaches the logits only through P: what the predictor subtracts."
)
DPI = [72, 300]
"""Of SVG and PDF, of PNG."""


def words(figure: Figure, dpi: int) -> list[tuple[str, np.ndarray]]:
    """Each text that is drawn, with its corners (x0, y0, x1, y1) in pixels, the box around a badge counted in."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    drawn = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        drawn += [*axes.texts, *(text for text in (axes.title, axes._left_title, axes._right_title))]  # type: ignore[attr-defined]
        if axes.axison:
            drawn += [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
    found = []
    for text in drawn:
        if text.get_text().strip():
            box = text.get_window_extent(renderer)
            if (patch := text.get_bbox_patch()) is not None:
                box = patch.get_window_extent(renderer)
            found.append((text.get_text(), np.array([box.x0, box.y0, box.x1, box.y1])))
    return found


def check(figure: Figure, dpi: int) -> None:
    found = words(figure, dpi)
    assert len(found) > 5
    page = np.array([0, 0, figure.bbox.width, figure.bbox.height])
    slack = dpi / 72  # a point
    for told, box in found:
        assert (box[:2] >= page[:2] - 2 * slack).all(), f"{told!r} leaves the page"
        assert (box[2:] <= page[2:] + 2 * slack).all(), f"{told!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        assert (shared < slack).any(), f"{one!r} lies on {other!r}"


def maps(column: Column, badges: dict[str, Verdict], classes: int = 7) -> MapsSheet:
    rng = np.random.default_rng(0)
    count = 4 if column == "double" else 2
    rows = tuple(
        Row(
            name,
            f"clip-{name}",
            0.73,
            {
                block: tuple(Picture(rng.integers(0, 256, (56, 56, 3), np.uint8), 0.31 + k) for k in range(count))
                for block in ("input", "D", "S")
            },
        )
        for name in EMOTIONS[:classes]
    )
    titles = {"input": "clip", "D": "Y_D", "S": "Y_S"}
    about = About(HOW, "each by itself", badges, "", "scripted-tiny-ifdd", "of each class one")
    return MapsSheet(rows, titles, about, column)


@pytest.mark.parametrize("dpi", DPI)
@pytest.mark.parametrize("badges", [{}, {"D": FAILS}, {"D": FAILS, "S": BARELY}])
@pytest.mark.parametrize("classes", [1, 7])
@pytest.mark.parametrize("column", ["single", "double"])
def test_maps(column: Column, classes: int, badges: dict[str, Verdict], dpi: int) -> None:
    sheet = maps(column, badges, classes).plot()
    check(sheet.figure_, dpi)
    shown = [axes for axes in sheet.figure_.axes if axes.images]
    assert len(shown) == classes * sheet.ax_.shape[1] + 1  # no empty cell, and the scale
    ink = {text.get_bbox_patch().get_facecolor()[:3] for text in sheet.figure_.texts if text.get_bbox_patch()}  # type: ignore[union-attr]
    assert len(ink) == len({badge_colour(verdict) for verdict in badges.values()})


def test_the_caption_names_verdicts_and_their_clips() -> None:
    caption = maps("single", {"D": FAILS}).caption
    assert "for the class of the row;" in caption
    assert "“" not in caption
    assert "Verdicts of workbench faithfulness: Y_D fails: deletion and insertion (other clips)." in caption
    assert "Badges: tested on 28 clips of mine, not on what is shown here." in caption
    assert "faithfulness" not in maps("single", {}).caption


@pytest.mark.parametrize("dpi", DPI)
@pytest.mark.parametrize("column", ["single", "double"])
def test_stages_fill_their_panels(column: Column, dpi: int) -> None:
    """A map that is ten times as long as wide must not be drawn as a strip."""
    rng = np.random.default_rng(0)
    labels = np.arange(35) % 7
    long = rng.normal(size=(35, 2)) * [10, 1]
    found = [embed(long @ np.eye(2, 6), labels, method="pca", label_names=EMOTIONS) for _ in range(5)]
    names = ["backbone.stage0", "backbone.stage1", "pyramid.X", "ladm.Y_D", "head.embedding"]
    sheet = StagesSheet(names, found, EmbeddingDisplay.from_result(found[0]), column, 5 if column == "double" else 3, "about")
    figure = sheet.plot().figure_
    check(figure, dpi)
    for panel, each in zip(sheet.ax_.flat, found, strict=False):
        places = panel.transAxes.inverted().transform(panel.transData.transform(each.xy))
        np.testing.assert_allclose(np.ptp(places, 0), 0.9, atol=0.05)
        box = panel.get_window_extent()
        assert box.width == pytest.approx(box.height, rel=0.02)
