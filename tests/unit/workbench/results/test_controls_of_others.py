"""Clips that stand for others: who is drawn for whom."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.results.controls import drawn_clips


@given(st.integers(2, 12), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_drawn_are_others_of_other_people_whoever_else_is_asked(n: int, persons: int, count: int, seed: int) -> None:
    ids, members = [f"clip {i}" for i in range(n)], np.arange(n) % persons
    drawn = drawn_clips(ids, np.arange(n), np.arange(n), members, count, seed)
    for row, own in enumerate(drawn.T):
        assert len({row, *own}) == len(own) + 1
        if persons > 1:
            assert (members[own] != members[row]).all()
        alone = drawn_clips(ids, np.array([row]), np.arange(n), members, count, seed)[:, 0]
        assert alone[: len(own)].tolist() == own.tolist()  # which may be more, where another has fewer others


def test_each_is_drawn_about_as_often() -> None:
    ids = [f"clip {i}" for i in range(12)]
    drawn = np.concatenate([drawn_clips(ids, np.arange(12), np.arange(12), np.arange(12), 4, seed) for seed in range(200)])
    often = np.bincount(drawn.ravel(), minlength=12)  # 800 each, with a deviation of 22.6
    assert np.abs(often - 800).max() < 100
