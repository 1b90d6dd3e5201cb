"""The process that watches a job: `python -m workbench.app.jobs.runner FOLDER WORKERS`.

It waits for its turn, runs the command, ends it when somebody wants that, and writes down how it ended. It is small, does nothing
else, and no server has to live for it.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from ifdd.errors import InputError
from ifdd.io import claim, write_json
from ifdd.progress import VARIABLE
from workbench.app.jobs.records import CANCEL, LOG, PROGRESS, STATE, Job, State, read_job
from workbench.app.jobs.store import Jobs

LOOK = 0.2  # seconds between looks at a job
SIGNALS = ((0.0, signal.SIGINT), (5.0, signal.SIGTERM), (8.0, signal.SIGKILL))
"""How a command is asked to end, each so many seconds after the wish. The first is Ctrl-C."""


def main() -> None:
    """Watch the job until it has ended."""
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: (folder / CANCEL).touch())
    if hasattr(os, "nice"):
        os.nice(5)  # the pages go first
    with claim(folder, wait=True):
        job = read_job(folder)
        if not job.is_over and (slot := _turn(job, workers)) is not None:
            try:
                _run(job)
            finally:
                slot.release()


def _turn(job: Job, workers: int) -> FileLock | None:
    """One of the places for jobs that run, when it is this one's turn: they are served in the order in which they were asked for.

    None where somebody did not want to wait.
    """
    jobs = Jobs(job.folder.parent)
    while not job.is_cancelled:
        waiting = [other for other in jobs.all() if other.state == "waiting"]
        if min((other.asked, other.key) for other in [*waiting, job]) == (job.asked, job.key):
            for number in range(workers):
                slot = FileLock(job.folder.with_name(f".place-{number}"))
                with suppress(Timeout):
                    return slot.acquire(blocking=False).lock
        time.sleep(LOOK)
    _tell(job, "cancelled")
    return None


def _run(job: Job) -> None:
    started = time.time()
    with (job.folder / LOG).open("wb") as log:
        log.write(f"$ {shlex.join(job.command)}\n".encode())
        log.flush()
        environment = {name: value for name, value in os.environ.items() if name != "IFDD_TOKEN"}
        child = subprocess.Popen(
            [sys.executable, "-m", "workbench.app.jobs.child", *job.command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment | {VARIABLE: str(job.folder / PROGRESS), "PYTHONUNBUFFERED": "1"},
        )
        _tell(job, "running", started)
        memory = _watch(job, child)
    if job.is_cancelled and child.returncode:
        _tell(job, "cancelled", started)
    elif child.returncode:
        _tell(job, "failed", started, _reason(job, child.returncode, memory))
    elif not job.result.exists():
        _tell(job, "failed", started, f"it ended well, but {job.result} is not there; see its log")
    else:
        _tell(job, "done", started)


def _watch(job: Job, child: "subprocess.Popen[bytes]") -> "Memory | None":
    """Wait for the end; when somebody wants it sooner, ask the command, and whatever it started, with growing force.

    Returns the memory at the last look.
    """
    wished, left, memory = 0.0, list(SIGNALS), None
    while child.poll() is None:
        memory = memory_of(child.pid) or memory
        time.sleep(LOOK)
        if job.is_cancelled:
            wished = wished or time.monotonic()
            if left and time.monotonic() - wished >= left[0][0]:
                with suppress(ProcessLookupError):
                    _send(child, left.pop(0)[1])
    return memory


def _send(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if hasattr(os, "killpg"):
        os.killpg(child.pid, number)
    else:
        child.terminate()


def _tell(job: Job, state: State, started: float | None = None, reason: str = "") -> None:
    ended = None if state == "running" else time.time()
    told = {"state": state, "started": started, "ended": ended, "reason": reason, "pid": os.getpid()}
    with suppress(InputError):  # a full disk: whoever looks sees that the job has ended, and its log
        write_json(job.folder / STATE, told)


def _reason(job: Job, code: int, memory: "Memory | None") -> str:
    """Why a command ended, from its exit code (below 0: the signal), what it said last, and the memory at the last look."""
    if code < 0:
        name, held = signal.Signals(-code).name, ""
        if memory is not None and name == "SIGKILL":
            held = f", perhaps for memory: at the end it held {memory.held >> 20} MB, and {memory.free >> 20} MB were free"
        return (
            f"somebody or the system killed it ({name}){held}; start it again, and close other programs first if memory is short"
        )
    lines = [line.strip() for line in job.log().splitlines()[1:] if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if told:
        return told[-1]
    return f"{lines[-1] if lines else 'it said nothing'} (exit code {code}); see its log"


class Memory(NamedTuple):
    """In bytes."""

    held: int
    """Of a command and all that it has started."""
    free: int
    """What is left for programs, of the computer or of the part of it that they were given."""


def memory_of(pid: int) -> Memory | None:
    """As Linux counts it; None elsewhere, and once the command has ended. No record tells whom the system killed for memory."""
    try:
        meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(meminfo["MemAvailable"].split()[0]) * 1024
        held = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in _with_children(pid)) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError, KeyError, IndexError):
        return None
    with suppress(OSError, ValueError):  # no limit, or another kind of system
        most, now = (int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current"))
        free = min(free, max(most - now, 0))
    return Memory(held, free) if held else None


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in file.read_text().split():
                yield from _with_children(int(child))


if __name__ == "__main__":
    main()
