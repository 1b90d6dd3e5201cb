"""Models are shared in the order of asking."""

import time
from collections.abc import Callable
from threading import Thread

import pytest

from workbench.app.turns import Turn


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def in_line(turn: Turn) -> int:
    return len(turn._line)


def test_whoever_waits_longest_is_next_and_hears_how_many_are_before() -> None:
    turn, served, heard, threads = Turn(), [], {}, []

    def ask(name: int) -> None:
        def told(before: int) -> None:
            heard.setdefault(name, []).append(before)

        with turn.taken(told):
            served.append(name)

    with turn:
        for name in range(5):
            threads.append(Thread(target=ask, args=(name,)))
            threads[-1].start()
            until(lambda name=name: in_line(turn) == name + 2)  # type: ignore[misc]
        until(lambda: len(heard) == 5)
    for thread in threads:
        thread.join(10)
    assert served == [0, 1, 2, 3, 4]
    assert {name: seen[0] for name, seen in heard.items()} == {name: name + 1 for name in range(5)}
    assert in_line(turn) == 0


def test_who_gives_up_leaves_the_line() -> None:
    turn, served, threads = Turn(), [], []

    def give_up(before: int) -> None:
        raise RuntimeError("the visitor has gone")

    def ask(told: Callable[[int], None] | None) -> None:
        try:
            with turn.taken(told):
                served.append("all")
        except RuntimeError:
            served.append("gone")

    with turn:
        for told in (give_up, None):
            threads.append(Thread(target=ask, args=(told,)))
            threads[-1].start()
            waiting = len(threads)
            until(lambda waiting=waiting: in_line(turn) > waiting or "gone" in served)  # type: ignore[misc]
        until(lambda: "gone" in served)
    for thread in threads:
        thread.join(10)
    assert served == ["gone", "all"]
    assert in_line(turn) == 0


def test_an_error_gives_the_turn_on() -> None:
    turn = Turn()
    with pytest.raises(ValueError, match="x"), turn:
        raise ValueError("x")
    with turn.taken():
        pass
    assert in_line(turn) == 0
