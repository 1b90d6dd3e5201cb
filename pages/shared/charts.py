"""Charts: in the page's colours, linked to the clips behind their points, with a table of their numbers, and as files."""

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from shared import looks, tables, view
from workbench.app.copying import Copied, joined
from workbench.app.from_ifdd import csv_text
from workbench.app.reading import Reading, reading
from workbench.plotting.base import SUFFIXES, Display, with_short_names, without_markup
from workbench.plotting.numbers import FOR_CLICKS, PICTURES, numbers_of
from workbench.plotting.style import plotly_template

NUMBERS = ".csv"
AT_HAND = 2  # so many figures have their SVG beside the menu
MIME = {".svg": "image/svg+xml", ".pdf": "application/pdf", ".png": "image/png", NUMBERS: "text/csv"}
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"], "scrollZoom": False}
LEGEND_ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def chart(
    figure: Any,
    key: str,
    alt: str,
    *,
    table: pd.DataFrame | None = None,
    read: str = "",
    links: bool = False,
    **options: Any,
) -> Any:
    """A plotly figure in the page's colours and font, and below it a table of its numbers (`table`, where others say it better).

    `read`: the page of the gallery that tells how to read it, and what misleads (`workbench.app.reading.reading_names`).
    `links`: a click or a lasso selects the clips of the points, by their `customdata` (`workbench.app.selection.linked`).
    """
    page = st.context.theme.type
    figure = without_markup(figure)
    figure.update_layout(template=plotly_template(page if page in ("light", "dark") else "any"))
    figure.update_layout(modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": "#8a8a8a", "activecolor": "#2f8bcb"})
    figure.update_layout(font_family='"Source Sans", "Source Sans 3", sans-serif')
    if links:
        key = f"{key}_{view.generation()}"
        options = {"on_select": view.select_points(key)} | options
    drawn = st.plotly_chart(with_short_names(figure), key=key, alt=alt, theme=None, config=CHART, **options)
    _beside(key, alt, figure, table, read)
    return drawn


@st.fragment
def _beside(key: str, alt: str, figure: Any, table: pd.DataFrame | None, read: str) -> None:
    """Small menus below a chart; the table is made when it is opened, which runs this part of the page alone again."""
    with st.container(horizontal=True, gap="small", key=f"{key}_beside"):
        if table is not None or any(trace.type not in PICTURES for trace in figure.data):
            with (menu := st.popover("Table", icon=":material/table:", type="tertiary", key=f"{key}_table", on_change="rerun")):
                if menu.open:
                    tables.bare(numbers_of(figure) if table is None else table, key, alt)
        if read:
            with st.popover("How to read", icon=":material/help:", type="tertiary", key=f"{key}_read"):
                show_reading(reading(read))


def show_reading(text: Reading) -> None:
    """What a plot answers, how to read it, and what misleads."""
    st.markdown(f"**{text.question}**")
    st.markdown(text.read)
    st.markdown(f"**What misleads**\n\n{text.misleads}")


def clickable_cells(
    figure: Any, links: Sequence[Sequence[str]], x: Sequence[str], y: Sequence[str], size: float = 26, hover: Any = None
) -> Any:
    """A heat map whose cells can be clicked: Streamlit tells of points alone, so that each cell gets one that is not seen.

    `links` (rows, columns) are selections as text, "" for a cell without clips; `hover` (rows, columns) what a pointer is told,
    by default the cell's name and number. `size`: pixels of the square that marks a cell.
    """
    z = figure.data[0].z if hover is None else hover
    cells = [(i, j, link) for i, row in enumerate(links) for j, link in enumerate(row) if link]
    figure.add_scatter(
        x=[x[j] for _, j, _ in cells],
        y=[y[i] for i, _, _ in cells],
        customdata=[link for _, _, link in cells],
        text=[f"{y[i]}<br>{x[j]}<br>{f'{z[i][j]:.3g}' if hover is None else hover[i][j]}" for i, j, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": size, "color": "rgba(0, 0, 0, 0)", "line": {"width": 0}},
        selected={"marker": {"color": "rgba(240, 228, 66, 0.25)"}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{text}<br>click: its clips<extra></extra>",  # without a hover there is no click
        meta=FOR_CLICKS,
        showlegend=False,
    )
    figure.update_xaxes(range=[-0.5, len(x) - 0.5], autorange=False)  # points would widen them
    figure.update_yaxes(range=[len(y) - 0.5, -0.5], autorange=False)
    tools = ["zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]
    figure.update_layout(modebar_remove=tools, margin_t=30)  # what tools are left lie above the cells, not on them
    return figure.update_layout(dragmode=False, clickmode="event+select")


def reproduce(cli: Sequence[str], python: str, key: str, lacks: str = "", others: Sequence[Copied] = ()) -> None:
    """A small menu: what makes the same result on the command line, and in Python, and what it `lacks` of the page.

    `others`: the same of further models; each has a line of its own.
    """
    with st.popover("Copy as", icon=":material/content_copy:", key=f"{key}_copy"):
        if lacks:
            looks.note(lacks)
        looks.note("Command line")
        st.code("\n".join(map(shlex.join, [cli, *(line for line, _ in others)])), language="bash", wrap_lines=True)
        looks.note("Python")
        st.code(joined([python, *(code for _, code in others)]), language="python", wrap_lines=True)


@st.fragment
def save_button(displays: Mapping[str, Display], name: str, key: str) -> None:
    """A menu with every figure as SVG, PDF and PNG, drawn when asked for, and its numbers; the SVG of one or two beside it."""

    def button(label: str, title: str, suffix: str, place: str) -> None:
        st.download_button(
            label,
            data=_Drawing(displays[title], suffix),
            file_name=f"{name}-{title}{suffix}".replace(" ", "-"),
            mime=MIME[suffix],
            key=f"{key}_{title}_{suffix}{place}",
            on_click="ignore",
        )

    with st.container(horizontal=True, width="content"):
        menu = st.popover("Save figures", icon=":material/download:", key=f"{key}_menu", on_change="rerun")
        if len(displays) <= AT_HAND:
            for title in displays:
                button("SVG" if len(displays) == 1 else f"SVG: {title}", title, ".svg", "_at_hand")
    if not menu.open:
        return
    with menu:
        for title, display in displays.items():
            looks.note(title)
            with st.container(horizontal=True):
                for suffix in SUFFIXES if display.numbers().empty else (*SUFFIXES, NUMBERS):
                    button(suffix[1:].upper(), title, suffix, "")


class _Drawing:
    """A figure as a file's bytes, made when the browser asks for them."""

    def __init__(self, display: Display, suffix: str) -> None:
        self.display, self.suffix = display, suffix

    def __call__(self) -> bytes:
        if self.suffix == NUMBERS:
            return csv_text(self.display.numbers()).encode()
        with tempfile.TemporaryDirectory() as folder:
            return self.display.save(Path(folder) / f"figure{self.suffix}").read_bytes()
