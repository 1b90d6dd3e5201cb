"""The app: pages and nothing else. Start it with: workbench app"""

from pathlib import Path

import _concept
import _looks
import _state
import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="IFDD Workbench", page_icon=HERE / "icon.svg", layout="wide")
st.html(HERE / "app.css")
st.logo(HERE / "icon.svg", size="large")

page = st.navigation(
    [
        st.Page("overview.py", title="Overview", icon=":material/dashboard:", default=True),
        st.Page("clip.py", title="Clip", icon=":material/movie:"),
        *_concept.pages(),
        st.Page("benchmark.py", title="Benchmark", icon=":material/tune:"),
        st.Page("upload.py", title="Upload", icon=":material/upload_file:"),
    ]
)
with _looks.error_panel():
    _state.ask_dataset()
    _state.ask_models_in_view()
    page.run()
