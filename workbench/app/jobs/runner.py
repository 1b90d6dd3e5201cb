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
from contextlib import suppress
from pathlib import Path

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
    started, killed = time.time(), _killed_for_memory()
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
        _watch(job, child)
    if job.is_cancelled and child.returncode:
        _tell(job, "cancelled", started)
    elif child.returncode:
        _tell(job, "failed", started, _reason(job, child.returncode, _killed_for_memory() > killed))
    elif not job.result.exists():
        _tell(job, "failed", started, f"it ended well, but {job.result} is not there; see its log")
    else:
        _tell(job, "done", started)


def _watch(job: Job, child: "subprocess.Popen[bytes]") -> None:
    """Wait for the end; when somebody wants it sooner, ask the command, and whatever it started, with growing force."""
    wished, left = 0.0, list(SIGNALS)
    while child.poll() is None:
        time.sleep(LOOK)
        if job.is_cancelled:
            wished = wished or time.monotonic()
            if left and time.monotonic() - wished >= left[0][0]:
                with suppress(ProcessLookupError):
                    _send(child, left.pop(0)[1])


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


def _reason(job: Job, code: int, for_memory: bool) -> str:
    """Why a command ended, from its exit code (below 0: the signal) and what it said last."""
    peak = _peak_gigabytes()
    used = f", at {peak:.1f} GB" if peak else ""
    if for_memory:
        return f"it was out of memory{used} and the system ended it; close other programs, or give it less to do at once"
    if code < 0:
        name = signal.Signals(-code).name
        return f"somebody or the system killed it ({name}{used}); start it again, and see whether memory is short"
    lines = [line.strip() for line in job.log().splitlines()[1:] if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if told:
        return told[-1]
    return f"{lines[-1] if lines else 'it said nothing'} (exit code {code}); see its log"


def _killed_for_memory() -> int:
    """How many processes the system has ended because memory was short, as Linux counts them."""
    count = 0
    for file in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        with suppress(OSError, ValueError):
            words = [line.split() for line in file.read_text().splitlines()]
            count += sum(int(number) for name, number in words if name == "oom_kill")
    return count


def _peak_gigabytes() -> float:
    """Most memory that a process of the command had."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


if __name__ == "__main__":
    main()
