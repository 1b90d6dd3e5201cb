"""A tour of one minute through the pages. Its step stands in the address (`tour=2`), so that back and forward work in it."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from shared import view

TOUR, OFF, SEEN = "tour", "off", "ifdd_tour"
"""Name in the address; the value that offers no tour; the cookie and session key of a browser that has been offered it."""

_JS = f"""export default () => {{
  document.cookie = "{SEEN}=1; max-age=31536000; path=/; SameSite=Strict";
}}
"""
_remember = st.components.v2.component("ifdd_tour_seen", html="<i></i>", js=_JS)


class Step(NamedTuple):
    """A page by its address, a title, and what can be done there."""

    page: str
    title: str
    text: str


STEPS = (
    Step(
        "",
        "Every number leads to its clips",
        "**WAR** and **UAR** say how good each model is, with the interval that other persons would give. Click a cell of the "
        "**confusion matrix** or a point of the recalls: the clips behind it become the *selection*, which all pages follow.",
    ),
    Step(
        "comparison",
        "Which model is better, and on which clips",
        "Choose models and the *reference* in the bar at the top. Differences stand beside their intervals; gained and lost "
        "clips, kinds of clips on which a model fails, and cells of the difference are a click from their clips.",
    ),
    Step(
        "clip",
        "Why did it say that",
        "Every clip opens here. Move through its frames with **← →**, play with **space**. Maps tell where the evidence lies; "
        "the badge of a map says whether it passed its tests on this checkpoint. Change the clip and see the answer move.",
    ),
    Step(
        "embedding",
        "What the network knows",
        "Each point is a clip. Draw a **lasso** around some of them: they become the selection. Other pages of *Features* ask "
        "which frames each branch reads, and whether the split into emotion and the rest is real.",
    ),
    Step(
        "figures",
        "Into a paper",
        "Figures of the papers at column width, with captions, as PNG, SVG and PDF, and their numbers as CSV. Below every chart "
        "stand its table and **How to read** it; **Copy as** gives the command or the Python that makes the same again.",
    ),
    Step(
        "help",
        "When in doubt",
        "How to read each plot and what misleads, all words and keys. The address of every view can be sent to a colleague who "
        "has the same workspace. This tour can be started again here.",
    ),
)


def known(pages: Mapping[str, st.Page]) -> list[Step]:
    """The steps whose pages are there."""
    return [step for step in STEPS if step.page in pages]


def show(pages: Mapping[str, st.Page]) -> None:
    """The step that the address names; `pages` by address."""
    steps, asked = known(pages), st.query_params.get(TOUR, "")
    if not asked.isdecimal() or not 1 <= int(asked) <= len(steps):
        return
    number = int(asked)
    st.session_state[SEEN] = True
    step = steps[number - 1]
    with st.container(key="tour", border=True, gap="xsmall"):
        st.markdown(f":material/signpost: **{step.title}** :gray[{number} of {len(steps)}]  \n{step.text}")
        _ways(pages, steps, number)
    _remember()


def _ways(pages: Mapping[str, st.Page], steps: list[Step], number: int) -> None:
    """Back, on, and out; the page lies below, uncovered, and can be used meanwhile."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for other, label, icon in (
            (number - 1, "Back", ":material/arrow_back:"),
            (number + 1, "Next", ":material/arrow_forward:"),
        ):
            if 1 <= other <= len(steps):
                page = pages[steps[other - 1].page]
                st.page_link(page, label=label, icon=icon, query_params=view.params(tour=str(other)))
        if number == len(steps):
            st.page_link(pages[""], label="Begin", icon=":material/check:", query_params=view.params())
        st.button("End the tour", icon=":material/close:", type="tertiary", key="tour_end", on_click=_end)


def _end() -> None:
    del st.query_params[TOUR]


def offer(pages: Mapping[str, st.Page]) -> None:
    """A button that starts the tour and one that wants none, for a browser that has not been asked."""
    if st.session_state.get(SEEN) or SEEN in dict(st.context.cookies) or TOUR in st.query_params:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="tour_offer"):
        st.page_link(pages[""], label="Take the tour, 1 min", icon=":material/signpost:", query_params=view.params(tour="1"))
        if st.button("No tour", icon=":material/close:", type="tertiary", key="tour_no"):
            _remember()
            st.session_state[SEEN] = True
