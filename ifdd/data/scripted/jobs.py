"""Folders that outlive an interruption, and work spread over processes."""

import errno
import multiprocessing
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def partial_folder(out: Path, key: str) -> Path:
    """Hidden folder beside `out` where work on it with that key (a hash) goes on after an interruption."""
    return out.parent / f".{out.name}-{key[:16]}.partial"


def settle(work: Path, out: Path) -> None:
    """Makes the finished `work` the folder `out`, without what a killed process left, and forgets other unfinished work on `out`.

    Raises: OSError if `out` exists.
    """
    for leftover in work.glob(".*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    if out.exists():
        raise FileExistsError(errno.EEXIST, "exists already", str(out))
    work.rename(out)
    for stale in out.parent.iterdir():
        if re.fullmatch(re.escape(f".{out.name}-") + r"[0-9a-f]{16}\.partial", stale.name):
            shutil.rmtree(stale, ignore_errors=True)


@contextmanager
def pool_map(function: Callable[[Any], Any], jobs: Sequence[Any], workers: int) -> Iterator[Iterator[Any]]:
    """Results in the order of jobs, from `workers` processes, or this one for few jobs. The pool ends with the block."""
    workers = min(workers, len(jobs) // 16)  # a process needs seconds to start, as long as some 16 clips take
    if workers <= 1:
        yield map(function, jobs)
        return
    # spawn: a forked child would inherit the threads of torch and OpenCV half alive
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield pool.imap(function, jobs, chunksize=8)
