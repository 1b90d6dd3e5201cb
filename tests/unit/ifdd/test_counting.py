"""Counts and quantiles of the metrics against scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import confusion_matrix

from ifdd.metrics import count_pairs, students_t

CLASSES = 5
PAIRS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60)


@given(PAIRS)
def test_pairs_are_counted_as_by_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    target, guess = np.array(pairs).T
    np.testing.assert_array_equal(count_pairs(target, guess, CLASSES), confusion_matrix(target, guess, labels=range(CLASSES)))


@pytest.mark.parametrize("freedom", [0.4, 1, 2, 2.5, 19, 139, 1e6, np.inf])
def test_students_t_is_that_of_scipy(freedom: float) -> None:
    assert students_t(freedom) == t.ppf(0.975, freedom)
