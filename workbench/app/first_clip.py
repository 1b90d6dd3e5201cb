"""Which clip does the page Clip open with? One that is worth a look."""

import numpy as np
import pandas as pd

SURE = 0.7
"""Probability from which a model counts as sure of its class."""


def worth_a_look(table: pd.DataFrame, model: str | None) -> str:
    """The id of one clip of a `clip_table`: where `model` is right and sure while another model says something else, the emotion
    is to be seen, and it is surest. What is not known of the clips does not count; of equal clips the first.

    >>> rows = {"said a": list("ppq"), "right a": [True, True, False], "confidence a": [0.9, 0.8, 1.0], "disagreement": [0, 1, 1]}
    >>> worth_a_look(pd.DataFrame(rows, index=["u", "v", "w"]), "a")
    'v'
    """
    nothing = pd.Series(0.0, table.index)

    def column(name: str) -> pd.Series:
        return pd.to_numeric(table[name], errors="coerce").astype(float).fillna(0) if name in table else nothing

    right, sure = column(f"right {model}"), column(f"confidence {model}")
    if f"right {model}" not in table:
        right = nothing + 1  # without labels nobody is wrong
    told = right * (sure >= SURE)
    seen = column("peak") * (1 - column("occluded_share")) * (1 - column("irrelevant_share"))
    ranks = (told.to_numpy(), (column("disagreement") > 0).to_numpy(), np.round(seen.to_numpy(), 1), sure.to_numpy())
    return str(table.index[np.lexsort(tuple(-values.astype(float) for values in reversed(ranks)))[0]])
