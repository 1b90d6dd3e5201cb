"""What is on the disk is asked once in a run of a page, and anew in the next."""

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "pages"))
from shared import once


def test_asked_once_until_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    @once.a_run
    def count(a: int, b: int = 0) -> int:
        asked.append((a, b))
        if a < 0:
            raise ValueError("below 0")
        return len(asked)

    once.begin()
    assert [count(1), count(1), count(1, b=2), count(2)] == [1, 1, 2, 3]
    for _ in range(2):
        with pytest.raises(ValueError, match="below 0"):
            count(-1)
    assert asked == [(1, 0), (1, 2), (2, 0), (-1, 0), (-1, 0)]  # errors are not kept
    once.begin()
    assert count(1) == 6
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + once.MOST)
    assert [count(1), count(1)] == [7, 8]  # a run that takes long looks anew
