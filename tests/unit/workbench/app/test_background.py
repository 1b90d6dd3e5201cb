"""Work in the background: one thing after the other, once for all who ask, given up by who leaves, failures told."""

import threading
from collections.abc import Callable
from threading import Event

import pytest

from workbench.app import background
from workbench.app.background import Background

SOON = 20.0


def test_who_asks_for_the_same_gets_the_same_made_once() -> None:
    line, made, free = Background(), [], Event()

    def make() -> str:
        assert free.wait(SOON)
        made.append(threading.current_thread().name)
        return "map"

    first, second = line.ask("a", make), line.ask("a", make)
    assert first is second
    assert not first.wait(0.01)
    free.set()
    assert first.wait(SOON)
    assert first.value() == "map"
    assert line.ask("a", make).value() == "map"  # kept
    assert made == ["background"]


def test_one_after_the_other_and_how_many_are_before() -> None:
    line, order, free = Background(), [], Event()

    def making(name: str) -> Callable[[], None]:
        def make() -> None:
            assert free.wait(SOON)
            order.append(name)

        return make

    tasks = [line.ask(name, making(name)) for name in "abc"]
    assert [line.before(task) for task in tasks] == [0, 1, 2]
    free.set()
    assert all(task.wait(SOON) for task in tasks)
    assert order == ["a", "b", "c"]
    assert [line.before(task) for task in tasks] == [0, 0, 0]


def test_what_nobody_asks_for_any_more_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    line, free, made = Background(), Event(), []
    first = line.ask("first", lambda: free.wait(SOON))
    left = line.ask("left", lambda: made.append("left"))
    stays = line.ask("stays", lambda: made.append("stays"))
    monkeypatch.setattr(background, "LEFT", 0.2)
    Event().wait(0.3)
    line.ask("stays", lambda: None)  # its page looks again
    free.set()
    assert first.wait(SOON)
    assert stays.wait(SOON)
    assert made == ["stays"]
    assert not left.is_done


def test_a_failure_is_told_and_the_next_is_made() -> None:
    line = Background()

    def broken() -> None:
        raise OSError("the disk is gone")

    failed, fine = line.ask("failed", broken), line.ask("fine", lambda: 7)
    assert fine.wait(SOON)
    assert fine.value() == 7
    with pytest.raises(OSError, match="the disk is gone"):
        failed.value()
    assert line.ask("failed", lambda: 8) is failed  # until a page was told
    line.forget("failed")
    again = line.ask("failed", lambda: 8)
    assert again.wait(SOON)
    assert again.value() == 8


def test_so_many_are_kept_and_what_they_held_is_let_go() -> None:
    line = Background(kept=2)
    for name in "abc":
        assert line.ask(name, lambda name=name: name).wait(SOON)
    while line._thread is not None:  # it ends when nothing is left to do
        Event().wait(0.01)
    assert list(line._made) == ["b", "c"]
    line.ask("b", lambda: "another")
    line.ask("d", lambda: "d").wait(SOON)
    assert line.ask("b", lambda: "another").value() == "b"
