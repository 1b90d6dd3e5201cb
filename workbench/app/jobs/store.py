"""The jobs of a workspace: ask for one, see them, cancel, remove."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ifdd
import workbench
from ifdd.errors import InputError
from ifdd.io import claim, is_being_written, new_folder, remove, write_json
from workbench.app.jobs.child import PROGRAMS
from workbench.app.jobs.records import ASKED, CANCEL, RESULT, STATE, Job, read_job

WORKERS = "IFDD_JOBS"
"""Environment: how many jobs run at once; by default on one core of two."""
_PATIENCE = 30.0  # seconds in which a process has to begin
_begun: list["subprocess.Popen[bytes]"] = []  # so that those that have ended can be waited for, and leave the system's list


@dataclass(frozen=True)
class Jobs:
    """Those in `folder`, each in a folder of its own, which bears the hash of what makes its result."""

    folder: Path

    def find(self, argv: Sequence[str], inputs: Sequence[str | Path] = ()) -> Job | None:
        """The job that was asked for with this command and these inputs; None where there is none, or only a damaged one."""
        try:
            return self.get(key_of(argv, inputs))
        except InputError:
            return None

    def older(self, argv: Sequence[str], inputs: Sequence[str | Path] = ()) -> Job | None:
        """The last job that did the same with the same inputs by another version of the code, where its result is still there."""
        try:
            told = tuple(_told(inputs))
        except InputError:
            return None
        same = (job for job in self.all() if (job.argv, job.inputs) == (tuple(argv), told) and job.has_result)
        return next(same, None)

    def get(self, key: str) -> Job:
        """A job by its key. Raises: InputError for one that is not there or damaged."""
        _wait_for_those_that_ended()
        return read_job(self.folder / key)

    def all(self) -> list[Job]:
        """All jobs, the one that was asked for last first; damaged ones are left out."""
        _wait_for_those_that_ended()
        found = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            if (place / ASKED).is_file() and not place.name.startswith("."):
                with suppress(InputError):
                    found.append(read_job(place))
        return sorted(found, key=lambda job: -job.asked)

    def ask(self, title: str, argv: Sequence[str], inputs: Sequence[str | Path] = (), result: str | Path | None = None) -> Job:
        """Start a command of `workbench` or `ifdd`, or join the job that does the same, or has done it.

        Args:
            title: what a reader sees.
            argv: the command; `{out}` in it stands for the result's folder.
            inputs: what it reads: hashes, or files, whose contents count.
            result: where the command writes, if that is not `{out}`.

        Raises: InputError for another program, a disk that refuses, or a process that does not begin.
        """
        if not argv or argv[0] not in PROGRAMS:
            raise InputError(f"a job is a command of {' or '.join(PROGRAMS)}, not {' '.join(argv[:1]) or 'nothing'}; name one")
        self.check_writable()
        folder = self.folder / key_of(argv, inputs)
        with claim(folder.with_name(f"{folder.name}.ask"), wait=True):
            with suppress(InputError):
                job = self.get(folder.name)
                if not job.is_over or job.has_result:
                    return job
            _wait_until_left(folder)
            remove(folder)
            with new_folder(folder) as work:
                place = str((folder / RESULT) if result is None else result)
                asked = {"title": title, "argv": list(argv), "inputs": _told(inputs), "result": place, "asked": time.time()}
                write_json(work / ASKED, asked)
                write_json(work / STATE, {"state": "waiting"})
            self._begin(folder)
        return self.get(folder.name)

    def cancel(self, job: Job) -> None:
        """Ask a job to end; the process that watches it sees to that. Raises: InputError if the disk refuses."""
        try:
            (job.folder / CANCEL).touch()
        except FileNotFoundError:  # removed by somebody
            return
        except OSError as error:
            raise InputError(
                f"{job.folder}: {error.strerror}, so nothing says that it is to end; make room, and try again"
            ) from error

    def remove(self, job: Job) -> None:
        """Remove a job that is over, with its folder. Raises: InputError for one that runs, or where the disk refuses."""
        if not job.is_over:
            raise InputError(f"{job.title} still runs; cancel it first")
        self.check_writable()
        _wait_until_left(job.folder)
        remove(job.folder)

    def check_writable(self) -> None:
        """See whether anything can be kept here. Raises: InputError where it cannot."""
        there = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        if not there.is_dir():
            raise InputError(f"{there} is no folder, so that no job can run there; move that file away")
        if not os.access(there, os.W_OK):
            raise InputError(
                f"{there} cannot be written, so that no job can run there: what was made before is shown, nothing new is; "
                "start the app on a copy of the workspace, or as its owner"
            )

    def _begin(self, folder: Path) -> None:
        """Start the process that watches a job, and wait until it holds the job's claim."""
        command = [sys.executable, "-m", "workbench.app.jobs.runner", str(folder), str(workers())]
        quiet = subprocess.DEVNULL
        # in a session of its own, so that it outlives the server
        process = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, env=os.environ | {"PYTHONPATH": _path()}
        )
        _begun.append(process)
        end = time.monotonic() + _PATIENCE
        while process.poll() is None and not is_being_written(folder):
            if time.monotonic() > end:
                process.kill()
                raise InputError(
                    f"{folder}: its process did not begin within {_PATIENCE:.0f} s; see what the computer is busy with"
                )
            time.sleep(0.02)


def _wait_until_left(folder: Path) -> None:
    """A process that has told how its job ended needs a moment to end itself, on a busy computer a long one."""
    end = time.monotonic() + _PATIENCE
    while is_being_written(folder) and time.monotonic() < end:
        time.sleep(0.02)


def key_of(argv: Sequence[str], inputs: Sequence[str | Path] = ()) -> str:
    """Hash of what makes a result: the command, what it reads, and the code. Raises: InputError for a file that is not there."""
    return hashlib.sha256(json.dumps([list(argv), _told(inputs), code()]).encode()).hexdigest()[:16]


def _told(inputs: Sequence[str | Path]) -> list[str]:
    return [value if isinstance(value, str) else _content(value) for value in inputs]


@cache
def code() -> str:
    """Hash of the source that runs: what other code made is not taken for what this one would make."""
    roots = [Path(package.__file__ or "").parent for package in (ifdd, workbench)]
    return hashlib.sha256(b"".join(file.read_bytes() for root in roots for file in sorted(root.rglob("*.py")))).hexdigest()


def workers() -> int:
    """How many jobs run at once. Raises: InputError for a number that is none."""
    text = os.environ.get(WORKERS) or str(max(1, (os.cpu_count() or 1) // 2))
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{WORKERS}={text} is no number of jobs; give 1 or more")
    return int(text)


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}; see whether it is still there") from error


def _path() -> str:
    """Where Python looks for modules: also where this code was found, and whatever was added since it began."""
    return os.pathsep.join(place for place in sys.path if place)


def _wait_for_those_that_ended() -> None:
    _begun[:] = [process for process in _begun if process.poll() is None]
