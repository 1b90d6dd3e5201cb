"""What a page asks of the disk many times in one run is asked once: which datasets, checkpoints and collections there are."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST = 2.0  # seconds: a long run, or a part of a page that runs again by itself, looks anew
_run = threading.local()


def begin() -> None:
    """Forget what is known: a page begins to run, or has changed what lies on the disk."""
    _run.kept, _run.since = {}, time.monotonic()


def a_run(function: Callable[P, T]) -> Callable[P, T]:
    """Remember what a function returns until the run of the page ends; errors are not kept. Its arguments must be hashable."""

    @wraps(function)
    def asked(*args: P.args, **options: P.kwargs) -> T:
        if time.monotonic() - getattr(_run, "since", -MOST) >= MOST:
            return function(*args, **options)
        key = (function, args, tuple(options.items()))
        if key not in _run.kept:
            value = function(*args, **options)
            _run.kept[key] = value
        return _run.kept[key]

    return asked
