"""What every display keeps to; each test needs a fixture `display`."""

import json
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from ifdd.errors import InputError
from workbench.plotting.base import Display


def outer_panels(display: Display) -> tuple[list[Axes], list[Axes]]:
    """Panels in the lowest row and in the first column: they carry the axis labels."""
    axes = np.atleast_2d(np.asarray(display.ax_, dtype=object))
    return list(axes[-1]), list(axes[:, 0])


def test_plot_keeps_figure_and_axes(display: Display) -> None:
    assert display.plot() is display
    assert isinstance(display.figure_, Figure)
    bottom, left = outer_panels(display)
    assert all(ax.get_xlabel() for ax in bottom)
    assert all(ax.get_ylabel() for ax in left)


def test_nothing_is_cut_off(display: Display) -> None:
    figure = display.plot().figure_
    figure.draw_without_rendering()
    inside, page = figure.get_tightbbox(), figure.bbox_inches
    assert inside.x0 >= -0.01
    assert inside.y0 >= -0.01
    assert inside.x1 <= page.x1 + 0.01
    assert inside.y1 <= page.y1 + 0.01


def test_save(display: Display, tmp_path: Path) -> None:
    svg, pdf, png = (display.save(tmp_path / f"figure à b.{suffix}") for suffix in ("svg", "pdf", "png"))
    assert sorted(tmp_path.iterdir()) == sorted([svg, pdf, png])
    assert b"<text" in svg.read_bytes()  # text, not outlines
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/Type3" not in pdf.read_bytes()
    with Image.open(png) as image:
        assert np.asarray(image.convert("L")).std() > 5
        provenance = re.search(r"{.*}", image.text["Description"].splitlines()[0])
        assert provenance
        assert json.loads(provenance.group())["inputs"]


def test_to_plotly(display: Display) -> None:
    figure = display.to_plotly()
    assert isinstance(figure, go.Figure)
    assert len(figure.data) > 0
    assert any(axis.title.text for axis in figure.select_xaxes())
    assert any(axis.title.text for axis in figure.select_yaxes())
    assert figure.layout.paper_bgcolor is None
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"
    json.loads(figure.to_json())


def test_numbers_are_those_that_are_drawn(display: Display) -> None:
    figure, table = display.to_plotly(), display.numbers()
    if all(trace.type == "image" for trace in figure.data):
        assert table.empty
        return
    assert len(table)
    assert table.columns.is_unique
    assert not any(re.search(r"<\w+>", str(text)) for text in [*table.columns, *table.astype(str).to_numpy().ravel()])
    assert len(pd.read_csv(StringIO(table.to_csv(index=False)))) == len(table)


def test_save_refuses_what_it_cannot_write(display: Display, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"figures are saved as \.svg, \.pdf, \.png; change the suffix \.jpg"):
        display.save(tmp_path / "figure.jpg")
    with pytest.raises(InputError, match="does not exist; create it first"):
        display.save(tmp_path / "missing" / "figure.svg")
    assert not list(tmp_path.iterdir())
