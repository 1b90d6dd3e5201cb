"""Work that pages wait for without holding up others': one thing after the other, in the order of asking."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

PATIENCE = 1.5
"""Seconds that a page waits for its work before it is drawn without."""
LEFT = 5.0
"""Seconds after which work that no page has asked for again is not begun: its reader has left."""


class Task:
    """One piece of work, asked for by one page or by several."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._done = make, threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self.asked = time.monotonic()

    @property
    def is_done(self) -> bool:
        """Whether it is made, or has failed."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is done, at most so long; whether it is."""
        return self._done.wait(seconds)

    def value(self) -> Any:
        """What was made. Raises: what making it has raised."""
        if self._error is not None:
            raise self._error
        return self._value

    def run(self) -> None:
        """Make it; what is raised, the pages that ask are told."""
        try:
            self._value = self._make()
        except BaseException as error:  # a page shows it; the next piece of work is made all the same
            self._error = error
        self._make = _nothing  # what it holds of a session that has ended is let go
        self._done.set()


def _nothing() -> None:
    """In place of work that is done."""


class Background:
    """A line of work, by key, and a thread that lives as long as there is some; so many results are `kept` for who asks again."""

    def __init__(self, kept: int = 32) -> None:
        self._lock, self._kept = threading.Lock(), kept
        self._line: OrderedDict[Hashable, Task] = OrderedDict()  # the first is being made
        self._made: OrderedDict[Hashable, Task] = OrderedDict()
        self._thread: threading.Thread | None = None

    def ask(self, key: Hashable, make: Callable[[], Any]) -> Task:
        """The work with this key, made, failed, or begun when its turn comes."""
        with self._lock:
            if (made := self._made.get(key)) is not None:
                self._made.move_to_end(key)
                return made
            if (task := self._line.get(key)) is None:
                task = self._line[key] = Task(make)
            task.asked = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="background", daemon=True)
                self._thread.start()
            return task

    def before(self, task: Task) -> int:
        """How many pieces of work are before it; 0 for one that is being made, or done."""
        with self._lock:
            return next((place for place, other in enumerate(self._line.values()) if other is task), 0)

    def forget(self, key: Hashable) -> None:
        """Keep what was made no longer, or why not; who asks again has it made again."""
        with self._lock:
            self._made.pop(key, None)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task.run()
            self._end(task)

    def _next(self) -> Task | None:
        with self._lock:
            now = time.monotonic()
            for key in [key for key, task in self._line.items() if now - task.asked > LEFT]:
                del self._line[key]
            if not self._line:
                self._thread = None
                return None
            return next(iter(self._line.values()))

    def _end(self, task: Task) -> None:
        with self._lock:
            key = next(key for key, other in self._line.items() if other is task)
            del self._line[key]
            self._made[key] = task
            while len(self._made) > self._kept:
                self._made.popitem(last=False)
