import numpy as np
import pandas as pd

from workbench.app.first_clip import worth_a_look


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns, index=list("uvwx"))


def test_the_model_is_right_and_sure_where_another_says_something_else() -> None:
    said = {"right a": [True, True, True, False], "confidence a": [0.5, 0.8, 0.9, 1.0], "disagreement": [1, 1, 0, 1]}
    assert worth_a_look(table(**said), "a") == "v"  # u is not sure, w agrees, x is wrong
    assert worth_a_look(table(**said, peak=[1, 1, 1, 1]), "nobody") == "u"  # of whom nothing is known


def test_the_emotion_is_to_be_seen() -> None:
    said = {"right a": [True] * 4, "confidence a": [0.99, 0.98, 0.97, 0.96]}
    assert worth_a_look(table(**said, peak=[0.9, 0.9, 0.9, 0.9]), "a") == "u"
    assert worth_a_look(table(**said, peak=[0.3, 0.9, 0.9, 0.9], occluded_share=[0, 0.8, 0, 0]), "a") == "w"


def test_without_labels_or_models() -> None:
    assert worth_a_look(table(**{"confidence a": [np.nan, 0.6, 0.9, 0.7]}), "a") == "w"
    assert worth_a_look(table(path=list("abcd")), None) == "u"
