"""A page made of the section that a concept has in the report: the same text, tables and charts, of the models in view."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from shared import charts, looks, state, tables
from workbench.analysis.registry import faces
from workbench.app.from_ifdd import InputError
from workbench.report.parts import Options, Section, Table, section_by

if TYPE_CHECKING:
    from workbench.figures.study import Study

PAGES = Path(__file__).parents[1]


def pages(section: str) -> list[st.Page]:
    """A page for each concept that has a face in this section of the app: the file of its name in pages/, else its section."""
    made = []
    for concept, told in faces("page").items():
        if getattr(told, "SECTION", "Features") != section:
            continue
        by_hand = PAGES / f"{concept}.py"
        source = by_hand if by_hand.is_file() else partial(show, concept, told)
        made.append(st.Page(source, title=told.TITLE, icon=told.ICON, url_path=concept))
    return made


def show(concept: str, told: ModuleType) -> None:
    """Ask which models, then show the section."""
    from workbench.figures.study import study_of  # here, for the first page is none of these

    looks.heading(told.TITLE)
    if concept not in faces("section"):
        raise InputError(
            f"{told.__file__} names a page, of which there is nothing to show; add section.py, or pages/{concept}.py"
        )
    bundles = state.usable_models()
    collections = state.collections(state.shown(bundles))
    if not collections:
        st.stop()
    names = list(collections)[: state.FEW]
    if len(collections) > len(names):
        looks.note(f"The first {state.FEW} of the {len(collections)} models in view; choose others in the bar above.")
    if (why := getattr(told, "NEEDS_LABELS", "")) and not state.needs_labels(why):
        st.stop()
    study = study_of(
        {name: bundles[name] for name in names if name in bundles},
        {name: collections[name] for name in names},
        state.dataset().manifest,
    )
    made = _section((concept, *(state.key_of(collections[name]) for name in names)), concept, study)
    looks.section(made.heading, made.about)
    for number, part in enumerate(made.parts):
        if isinstance(part, Table):
            looks.note(part.caption)
            tables.show(pd.DataFrame(part.rows, columns=list(part.header)), part.caption, f"{concept}_{number}")
        else:
            charts.chart(part.figure, f"{concept}_{number}", part.caption)
            looks.note(part.caption)
    displays = {f"figure {n}": part.display for n, part in enumerate(made.parts, 1) if not isinstance(part, Table)}
    charts.save_button({title: display for title, display in displays.items() if display}, concept, f"{concept}_save")


@st.cache_resource(max_entries=16, show_spinner="Measuring …")
def _section(key: tuple[object, ...], concept: str, _study: Study) -> Section:
    with ExitStack() as turns:
        for name in sorted(_study.bundles):  # always in one order: two readers never wait for each other
            turns.enter_context(state.model(name)[1])
        return section_by(faces("section")[concept], _study, Options())
