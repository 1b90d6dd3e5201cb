"""The app: pages and nothing else. Start it with: workbench app"""

from pathlib import Path

import _loaded  # before any part of `shared`
import streamlit as st
from shared import concept, jobs, looks, once, tour, view, view_bar

HERE = Path(__file__).parent


def sections() -> dict[str, list[st.Page]]:
    """The pages, by the section of the navigation that they stand in."""
    return {
        "Models": [
            st.Page("overview.py", title="Overview", icon=":material/dashboard:", default=True),
            *concept.pages("Models"),
        ],
        "Clips": [
            st.Page("browse.py", title="Browse", icon=":material/grid_view:"),
            st.Page("clip.py", title="Clip", icon=":material/movie:"),
            st.Page("upload.py", title="Upload", icon=":material/upload_file:"),
            *concept.pages("Clips"),
        ],
        "Features": concept.pages("Features"),
        "Publish": [
            *concept.pages("Publish"),
            st.Page("figures.py", title="Figures", icon=":material/picture_as_pdf:"),
            st.Page("benchmark.py", title="Benchmark", icon=":material/tune:"),
            st.Page("jobs.py", title="Jobs", icon=":material/pending_actions:"),
            st.Page("help.py", title="Help", icon=":material/help:"),
        ],
    }


ALSO = {"compare": "comparison", "attribution": "saliency"}
"""Addresses by the words of the navigation → those of pages that are called otherwise."""


def show() -> None:
    """Draw what stands on every page, and the page that is asked for."""
    once.begin()

    st.set_page_config(page_title="IFDD Workbench", page_icon=HERE / "icon.svg", layout="wide", initial_sidebar_state=220)
    st.html(HERE / "app.css")
    st.logo(HERE / "icon.svg", size="large")
    all_pages = sections()
    by_address = {one.url_path: one for pages in all_pages.values() for one in pages}
    others = [st.Page(lambda: None, title=by_address[place].title, url_path=address) for address, place in ALSO.items()]
    page = st.navigation([*by_address.values(), *others], position="hidden")
    if page.url_path in ALSO:
        st.switch_page(
            by_address[ALSO[page.url_path]], query_params={key: st.query_params.get_all(key) for key in st.query_params}
        )
    with looks.error_panel():
        with st.sidebar, st.container(gap=None, key="navigation"):
            for section, pages in all_pages.items():
                st.html(f'<p class="section">{section}</p>')
                for one in pages:
                    st.page_link(one, label=one.title, icon=one.icon, width="stretch", query_params=view.params_of(one.url_path))
        with st.sidebar:
            jobs.indicator()
        view.ask_at_first()
        bar, body, drawer = st.container(), st.container(), st.container(key="drawer")
        shows_clips = page.url_path in ("browse", "clip", "upload")
        with bar:
            view_bar.show(by_address, None if shows_clips else drawer)
            tour.show(by_address)
        told = bar.container()
        try:
            with body:
                page.run()
        finally:  # also where it stops half-way
            _loaded.FIRST_PAGE.set()
        for text in view.not_taken():
            told.warning(looks.markdown_text(text), icon=":material/link_off:")


if __name__ == "__main__":  # a process that a page starts loads this file by another name
    show()
