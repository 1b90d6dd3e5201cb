"""Work spread over processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ifdd.interrupts import leave_to_parent


@contextmanager
def pool_map(
    function: Callable[[Any], Any], jobs: Sequence[Any], workers: int, *, least: int = 16, chunk: int = 8
) -> Iterator[Iterator[Any]]:
    """Results in the order of jobs, from `workers` processes, or this one for few jobs.

    The pool ends with the block, which takes all results or raises. `least`: jobs that are worth a process, which needs seconds
    to start; `chunk`: those that it is handed at once.
    """
    workers = min(workers, len(jobs) // least)
    if workers <= 1:
        yield map(function, jobs)
        return
    # spawn: a forked child would inherit the threads of torch and OpenCV half alive
    with multiprocessing.get_context("spawn").Pool(workers, initializer=leave_to_parent) as pool:
        yield pool.imap(function, jobs, chunksize=chunk)
        pool.close()  # processes that are done leave by themselves and clear what they hold; after an error they are ended
        pool.join()
