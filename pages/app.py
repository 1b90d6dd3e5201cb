"""The app: pages and nothing else. Start it with: workbench app"""

from pathlib import Path

import streamlit as st
from shared import concept, jobs, looks, once, tour, view, view_bar

HERE = Path(__file__).parent

once.begin()

st.set_page_config(page_title="IFDD Workbench", page_icon=HERE / "icon.svg", layout="wide")
st.html(HERE / "app.css")
st.logo(HERE / "icon.svg", size="large")

SECTIONS: dict[str, list[st.Page]] = {
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

page = st.navigation([page for pages in SECTIONS.values() for page in pages], position="hidden")
with looks.error_panel():
    with st.sidebar, st.container(gap=None, key="navigation"):
        for section, pages in SECTIONS.items():
            st.html(f'<p class="section">{section}</p>')
            for one in pages:
                st.page_link(one, label=one.title, icon=one.icon, width="stretch", query_params=view.params_of(one.url_path))
    with st.sidebar:
        jobs.indicator()
    view.ask_at_first()
    by_address = {one.url_path: one for pages in SECTIONS.values() for one in pages}
    tour.show(by_address)
    bar, body, drawer = st.container(), st.container(), st.container(key="drawer")
    with bar:
        view_bar.show(
            by_address, None if page.url_path in ("browse", "clip", "upload") else drawer
        )  # these show clips themselves
    told = bar.container()
    with body:
        page.run()
    for text in view.not_taken():
        told.warning(looks.markdown_text(text), icon=":material/link_off:")
