"""Who may use a model now: several visitors share it one after the other, in the order in which they came."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from types import TracebackType

TELL_EVERY = 0.5  # seconds


class Turn:
    """A lock that is fair: whoever waits longest is next. Not reentrant; it may be used as `with turn:`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._line: deque[Event] = deque()  # the first has the turn

    @contextmanager
    def taken(self, told: Callable[[int], None] | None = None) -> Iterator[None]:
        """Hold the turn; while others have it, `told` hears every half second how many are before. It may raise to give up."""
        self._take(told)
        try:
            yield
        finally:
            self._leave(self._line[0])

    def __enter__(self) -> None:
        self._take(None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leave(self._line[0])

    def _take(self, told: Callable[[int], None] | None) -> None:
        mine = Event()
        with self._lock:
            self._line.append(mine)
            self._line[0].set()
        try:
            while not mine.wait(TELL_EVERY if told else None):
                with self._lock:
                    before = self._line.index(mine)
                if told and before:
                    told(before)
        except BaseException:
            self._leave(mine)
            raise

    def _leave(self, whose: Event) -> None:
        with self._lock:
            self._line.remove(whose)
            if self._line:
                self._line[0].set()
