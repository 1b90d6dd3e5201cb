"""How is each plot read, what do the words mean, which keys work?"""

import pandas as pd
import streamlit as st
from shared import charts, looks, tables, view

from workbench.app.catalogue import CATALOGUE
from workbench.app.glossary import KEYS, WORDS
from workbench.app.reading import first_lines, reading, reading_names


def show_plots() -> None:
    """One page of the gallery: picture, how to read it, what misleads, what makes it."""
    names = reading_names()
    titles = {name: reading(name).title for name in names}
    name = st.selectbox("Plot", names, format_func=titles.__getitem__, **view.linked("help_plot"))
    text = reading(name)
    with st.container(key="help_reading"):
        left, right = st.columns([5, 4], gap="medium")
    with left:
        for alt, file in text.pictures:
            st.image(str(file), caption=alt, alt=alt)
    with right:
        charts.show_reading(text)
        if text.source:
            looks.note(f"Source: {text.source}")
        with st.expander("Make it", icon=":material/code:"):
            st.code(text.console, language="bash", wrap_lines=True)
            st.code(f"{first_lines()}\n\n{text.python}", language="python", wrap_lines=True)


looks.heading("Help", "How to read each plot and what misleads, the words, the keys.")
st.page_link("overview.py", label="Take the tour, 1 min", icon=":material/signpost:", query_params=view.params(tour="1"))
plots, words, keys, commands = st.tabs(["Plots", "Words", "Keys", "Commands"])
with plots:
    show_plots()
with words:
    st.table(pd.DataFrame(WORDS).rename(columns={"also": "elsewhere"}).set_index("word"))
with keys:
    st.table(pd.DataFrame(KEYS).set_index("keys"))
    looks.note("The player takes keys when it has been clicked, or reached with Tab.")
with commands:
    looks.note("The same analysis on a page, on the command line (--help tells its options), and in Python.")
    rows = [
        {"command": entry.command, "page": "–" if entry.page is None else entry.page or "overview", "what": entry.about}
        | {"Python": entry.python}
        for entry in CATALOGUE
    ]
    tables.show(rows, prose=True, alt="Commands, the pages that show the same, and the Python")
