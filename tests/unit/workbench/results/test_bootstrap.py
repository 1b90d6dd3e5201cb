"""Intervals from sums are those from rows; groups are found in one pass."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.results.bootstrap import jackknife, jackknife_of_sums, rows_of_groups


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_a_jackknife_of_sums_is_that_of_rows(seed: int, persons: int) -> None:
    rng = np.random.default_rng(seed)
    members = np.unique(rng.integers(persons, size=40), return_inverse=True)[1]
    values = rng.normal(size=40)
    by_rows = jackknife(lambda rows: float(values[rows].var()), members, 0, 9)

    def variance(sums: np.ndarray) -> np.ndarray:
        return sums[:, 2] / sums[:, 0] - (sums[:, 1] / sums[:, 0]) ** 2

    by_sums = jackknife_of_sums(variance, np.stack([np.ones(40), values, values**2], 1), members, 0, 9)
    assert astuple(by_sums) == pytest.approx(astuple(by_rows), abs=1e-9, nan_ok=True)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_rows_of_groups_are_those_of_each(names: list[int]) -> None:
    members = np.unique(names, return_inverse=True)[1]
    found = rows_of_groups(members)
    assert [rows.tolist() for rows in found] == [np.flatnonzero(members == g).tolist() for g in range(members.max() + 1)]
