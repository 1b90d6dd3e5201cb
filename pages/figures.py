"""Figures for a paper: choose, look at them at the width of a column, and take them along; and the report of everything."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st
from shared import charts, jobs, looks, state, view
from streamlit.delta_generator import DeltaGenerator

from workbench.app.figure_sets import LONGEST, FiguresAsked, FigureSet, PaperFigure, ReportAsked, call, figure_sets
from workbench.app.from_ifdd import InputError, markdown_text
from workbench.figures.names import FIGURES, TABLE, Column
from workbench.results.passport_files import read_passport
from workbench.store.layout import BENCHMARK, SCENES

COLUMNS: dict[Column, str] = {"double": "183 mm, two columns", "single": "89 mm, one column"}
FIRST = "ifdd_fig4_radar"
NAME_ERROR = "figures_name_error"
PIXELS = 96 / 25.4  # of a screen, to the millimetre, as browsers count
MIME = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "csv": "text/csv"}


def ask_for_figures() -> FiguresAsked:
    """What the reader wants to be drawn."""
    names = [name for name in FIGURES if name != TABLE]
    file = state.measured(BENCHMARK)
    wanted = st.multiselect(
        "Figures",
        [*names, *([] if file is None else [TABLE])],
        default=names,
        format_func=FIGURES.__getitem__,
        placeholder="All",
        **view.linked("figures_only"),
    )
    column: Column = view.one_of("Width", list(COLUMNS), "figures_column", "double", format_func=COLUMNS.__getitem__)
    only = None if not wanted or wanted == names else tuple(wanted)
    models = models_of_the_command()
    return FiguresAsked(state.workspace().folder, state.dataset().name, models, column, only, file if TABLE in wanted else None)


def models_of_the_command() -> tuple[str, ...]:
    """Names of the models in view that a command knows; of networks of the user's own Python a note says that it does not."""
    own = [name for name in view.models() if name in state.own_networks()]
    if own:
        looks.note(
            f"Left out: {', '.join(own)}. Figures and reports are made by commands, which know checkpoints and predictions."
        )
    return tuple(name for name in view.models() if name not in own)


def measured_scenes(names: Sequence[str]) -> Path | None:
    """A file of `workbench scenes` that tells of one of these models; damaged ones are told, and the report goes without them."""
    found = []
    for file in state.workspace().measured(SCENES):
        try:
            measured = state.scenes(file)
        except InputError as error:
            looks.note(str(error))
            continue
        if any(set(names) & set(row.members) for row in measured.rows):
            found.append(file)
    return state.measured(SCENES, found)


def what_they_are_of() -> list[str]:
    """What tells weights, clips and predictions in view from others: with others, figures are drawn anew."""
    return [*(card.sha256 for card in cards.values()), *state.clip_table_key()]


def show_set(found: FigureSet, place: DeltaGenerator) -> None:
    """The figures of a folder, one at a time, which is chosen in `place`, at the width that they have in print."""
    if not found.figures:
        raise InputError(f"{found.folder / 'captions.md'} names no figures; make them anew")
    by_stem = {figure.stem: figure for figure in found.figures}
    stem = place.selectbox(
        "Figure",
        list(by_stem),
        index=list(by_stem).index(FIRST) if FIRST in by_stem else 0,
        format_func=lambda stem: by_stem[stem].title,
        key=f"figures_of_{found.folder}",
    )
    show_figure(by_stem[stem])
    for left, reason in found.left_out.items():
        st.warning(f"{markdown_text(FIGURES.get(left, left))}: {reason}", icon=":material/hide_image:")


def show_figure(figure: PaperFigure) -> None:
    """One figure with its caption, its files, and what it was made from."""
    with st.container(horizontal=True, gap="small"):
        for kind, file in figure.files.items():
            st.download_button(
                "Numbers, CSV" if kind == "csv" else kind.upper(),
                data=file.read_bytes(),
                file_name=file.name,
                mime=MIME[kind],
                icon=":material/download:",
                key=f"figures_{file}",
                on_click="ignore",
            )
        with st.popover("Passport", icon=":material/badge:"):
            lines = read_passport(next(iter(figure.files.values()))).lines()
            st.markdown("\n".join(f"- {markdown_text(line)}" for line in lines))
    if figure.width is not None:
        st.image(str(figure.files["png"]), width=round(figure.width * PIXELS), alt=figure.title)
        looks.note(f"As wide as in print: {figure.width:.0f} mm on a screen of usual density.")
    st.markdown(figure.caption)


def show_sets() -> None:
    """The figures that were made, the newest set first."""
    sets = figure_sets([state.workspace().results])
    if not sets:
        asked = FiguresAsked(state.workspace().folder, state.dataset().name, models_of_the_command(), "double", None)
        about = "No figures have been made of this workspace yet. All of them, at the width of two columns, will stand here with "
        about += "caption, passport and numbers; under Make you choose which."
        if draw(asked, "figures_first", about) is not None:
            st.rerun()  # they have just been made
        return
    folders = {str(found.folder): found for found in sets}
    left, right, name = st.columns([5, 5, 1.5], vertical_alignment="bottom")
    chosen = left.selectbox("Set", list(folders), format_func=lambda place: title_of(folders[place]), key="figures_set")
    with name:
        name_a_set(folders[chosen])
    show_set(folders[chosen], right)


def name_a_set(found: FigureSet) -> None:
    """A field for the name of a set; empty, it is called by when it was made."""
    key = f"figures_name_of_{found.folder}"

    def rename() -> None:
        try:
            call(found.folder, st.session_state[key])
        except (InputError, OSError) as error:
            st.session_state[NAME_ERROR] = error

    with st.popover("Name", icon=":material/edit:", key="figures_name"):
        st.text_input("Name of this set", found.name, max_chars=LONGEST, placeholder="e.g. submission", key=key, on_change=rename)
        looks.note(f"It lies in {found.folder}.")
    if error := st.session_state.pop(NAME_ERROR, None):
        looks.show_error(error)


def draw(asked: FiguresAsked, key: str, about: str = "") -> Path | None:
    """The folder of these figures, or an offer to draw them."""
    argv = [*asked.argv, "--out", "{out}"]
    return jobs.offer("Draw the figures", argv, key, inputs=what_they_are_of(), seconds=60, about=about)


def title_of(found: FigureSet) -> str:
    """Its name, if it has one, when it was made, and of how many figures."""
    about = f"{datetime.fromtimestamp(found.made):%d %b %Y, %H:%M} · {len(found.figures)} figures"
    return f"{found.name} · {about}" if found.name else about


looks.heading(
    "Figures", "The figures of the papers, of your models: at the width of a column, with caption, passport and numbers."
)
cards = state.cards()  # once: each call shows a panel for each that cannot be used
look, make, report = st.tabs(["Look", "Make", "Report"])
with look:
    show_sets()
with make:
    asked = ask_for_figures()
    if draw(asked, "figures_draw") is not None:
        looks.note("These have been drawn; they are under Look.")
    charts.reproduce(asked.argv, asked.python, "figures_make")
with report:
    looks.note("Every table and plot of the models in view as one HTML file, for who has no app; it needs no network.")
    names = models_of_the_command()
    told = ReportAsked(state.workspace().folder, state.dataset().name, names, measured_scenes(names))
    written = jobs.offer(
        "Write the report", [*told.argv, "--out", "{out}/report.html"], "figures_report", inputs=what_they_are_of(), seconds=90
    )
    if written is not None:
        st.download_button(
            "Report, HTML",
            data=(written / "report.html").read_bytes,
            file_name=f"{state.dataset().name}-report.html",
            mime="text/html",
            icon=":material/download:",
            on_click="ignore",
        )
    charts.reproduce(told.argv, told.python, "figures_told")
