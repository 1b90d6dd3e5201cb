"""Many damaged inputs through one reader: each is read or refused with one line, in time, with nothing left behind."""

import faulthandler
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ifdd.errors import InputError

CPU_S, WALL_S, DEAD_S = 10, 60, 150
"""A hang: more than `CPU_S` of the processor, or `WALL_S` by the clock; what does not even hear that is killed after `DEAD_S`."""
ROOT = Path(__file__).parents[2]


class Hang(BaseException):
    """Nothing catches it on the way."""


@contextmanager
def watched() -> Iterator[None]:
    """Raise Hang when the block takes too long. The alarm of pytest-timeout, which is the same, is put back."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise Hang(f"more than {WALL_S} s")

    begun, used = time.monotonic(), time.process_time()
    handler = signal.signal(signal.SIGALRM, late)
    left, _ = signal.setitimer(signal.ITIMER_REAL, WALL_S)
    faulthandler.dump_traceback_later(DEAD_S, exit=True, file=sys.__stderr__)
    try:
        yield
        if time.process_time() - used > CPU_S:
            raise Hang(f"{time.process_time() - used:.0f} s of the processor")
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begun), 1) if left else 0)
        signal.signal(signal.SIGALRM, handler)


def fault(call: Callable[[], object]) -> str | None:
    """What is wrong with how `call` ends; None where it ends well, or as bad input should: one line that says something."""
    try:
        with warnings.catch_warnings(), watched():
            warnings.simplefilter("ignore")  # of libraries, on the damage; the readers' own warnings are texts
            call()
    except InputError as error:
        text = str(error)
        return None if text.strip() and "\n" not in text and len(text) < 4000 else f"no clear line: {text[:200]!r}"
    except OSError as error:  # the command line prints file and reason
        return None if error.strerror else f"{type(error).__name__} without a reason: {error}"
    except Hang as error:
        return f"hang: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]} at {_where(error)}"
    return None


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame
        for frame in frames
        if str(ROOT) in frame.filename and "/.venv/" not in frame.filename and "/fuzz/" not in frame.filename
    ]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def swarm(family: str, count: int, folder: Path, write: Callable[[random.Random, Path], Callable[[], object]]) -> None:
    """`count` inputs of a family. `write` makes input number n in an empty folder, by its seed, and returns what reads it.

    Fails with every different fault, each with the seeds that show it: `random.Random("family-seed")`.
    """
    faults: dict[str, list[int]] = {}
    for seed in range(count):
        place = folder / "input"
        place.mkdir()
        read = write(random.Random(f"{family}-{seed}"), place)
        before = _files(place)
        found = fault(read)
        left = sorted(name for name in _files(place) - before if Path(name).name.startswith("."))
        for text in filter(None, (found, f"left behind: {left[0]}" if left else None)):
            faults.setdefault(text, []).append(seed)
        shutil.rmtree(place)
    assert not faults, f"{family}: {sum(map(len, faults.values()))} of {count}\n" + "\n".join(
        f"  seeds {seeds[:4]} ({len(seeds)}): {text}" for text, seeds in faults.items()
    )


def _files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if not path.name.endswith(".lock")}
