"""Agreement: against scikit-learn and hand-computed cases; its picture and its page."""

import numpy as np
import pytest
from display_contract import (  # noqa: F401  what every display keeps to
    test_nothing_is_cut_off,
    test_numbers_are_those_that_are_drawn,
    test_plot_keeps_figure_and_axes,
    test_save,
    test_save_refuses_what_it_cannot_write,
    test_to_plotly,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from ifdd.errors import InputError
from ifdd.metrics import evaluate
from workbench.analysis.agreement import AgreementResult, agree
from workbench.analysis.agreement.displays import AgreementDisplay, agreement_markdown, rows, said
from workbench.plotting.base import Display

NAMES = ("happy", "sad", "fear")


def found() -> AgreementResult:
    models = {"one": [0, 0, 1, 2, 1], "two": [0, 1, 1, 2, 1], "three": [0, 0, 1, 1, 0]}
    return agree(models, label_names=NAMES, clip_ids=list("abcde"))


@pytest.fixture
def display() -> Display:
    return AgreementDisplay.from_result(found(), 1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_kappa_is_that_of_scikit_learn(said_by_both: list[tuple[int, int]]) -> None:
    first, second = map(list, zip(*said_by_both, strict=True))
    pair = agree({"a": first, "b": second}, label_names=NAMES).pairs[0]
    if len({*first, *second}) == 1:
        assert np.isnan(pair.kappa.value)
    else:
        assert pair.kappa.value == pytest.approx(cohen_kappa_score(first, second))
        assert pair.kappa.low < pair.kappa.high
    assert pair.differ.tolist() == [i for i, (a, b) in enumerate(said_by_both) if a != b]
    assert pair.counts.sum() == len(first)


def test_the_share_has_the_interval_that_a_score_has() -> None:
    """Of hits of one model with the other one as truth, over the same persons."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 3, (2, 40))
    people = np.repeat([f"p{i}" for i in range(8)], 5)
    result = agree({"a": first, "b": second}, people, label_names=NAMES)
    other = evaluate(np.eye(3)[first], second, NAMES, groups=list(people))
    same = result.pairs[0].same
    assert (same.value, same.low, same.high) == pytest.approx((other.WAR, *other.intervals["WAR"]))
    assert result.units == "over 8 persons"
    assert "taken as independent" in agree({"a": first, "b": second}, label_names=NAMES).units


def test_pairs_and_the_clips_that_differ() -> None:
    result = found()
    assert [pair.name for pair in result.pairs] == ["one, two", "one, three", "two, three"]
    assert rows(result)[0]["differ"] == "1 of 5 clips"
    assert [row["clip_id"] for row in said(result)] == ["b", "d", "e"]
    assert said(result)[0] == {"clip_id": "b", "one": "happy", "two": "sad", "three": "happy"}
    assert AgreementResult.from_dict(result.to_dict()) == result
    page = agreement_markdown(result)
    assert "| one, two | 80.0 %" in page
    assert "the intervals take clips as independent" in page


def test_what_is_wrong_is_named() -> None:
    for models, message in {
        (("a", (0, 1)),): "1 model given; agreement needs two or more",
        (("a", (0, 1)), ("b", (0,))): r"b: predictions has shape \(1,\) for 2 clips",
        (("a", (0, 1)), ("b", (0, 7))): r"b: predictions\[1\] is 7, allowed is 0 to 2",
        (("a", ()), ("b", ())): "no clips given",
    }.items():
        with pytest.raises(InputError, match=message):
            agree(dict(models), label_names=NAMES)
    with pytest.raises(InputError, match="clip_ids has 1 names for 2 clips"):
        agree({"a": [0, 1], "b": [0, 1]}, label_names=NAMES, clip_ids=["x"])
