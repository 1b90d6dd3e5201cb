"""Small pictures of clips, each with what is true, what the model says, and a way to the page Clip."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from shared import looks, state

MOST = 24
COLUMNS = 3


def show(table: pd.DataFrame, clip_ids: Sequence[str], key: str) -> None:
    """The clips `clip_ids` of a table of predictions with `predicted`, `confidence` and, where there are labels, `correct`: wrong
    ones first."""
    dataset = state.dataset()
    chosen, labels = table[table["clip_id"].isin(set(clip_ids))], "correct" in table
    chosen = chosen.sort_values("correct", kind="stable") if labels else chosen
    wrong = f", {int((~chosen['correct']).sum())} of them wrong" if labels else ""
    more = f", the first {MOST} shown" if len(chosen) > MOST else ""
    st.markdown(f"**{len(chosen)} clip{'s' * (len(chosen) != 1)} chosen**{wrong}{more}")
    shown = chosen.head(MOST)
    for start in range(0, len(shown), COLUMNS):
        for column, (_, row) in zip(
            st.columns(COLUMNS, gap="small"), shown.iloc[start : start + COLUMNS].iterrows(), strict=False
        ):
            with column, st.container(border=True, key=f"{key}_{row['clip_id']}", gap="xsmall"):
                picture = state.clip_thumbnail(
                    str(dataset.path(row["clip_id"])), dataset.apex(row["clip_id"]), dataset.frames(row["clip_id"])
                )
                st.image(picture, width="stretch", alt=f"{row['clip_id']}, {row['label_name'] or row['predicted']}")
                said = f"{looks.class_chip(row['predicted'])} {row['confidence']:.0%}"
                if labels:
                    said = f"{looks.class_chip(row['label_name'])}<br>{'✓' if row['correct'] else '✗'} {said}"
                st.html(f'<div class="said">{said}</div>')
                st.page_link(
                    "clip.py",
                    label=looks.markdown_text(row["clip_id"]),
                    query_params={"clip": row["clip_id"]},
                    help="Open on the page Clip",
                )
