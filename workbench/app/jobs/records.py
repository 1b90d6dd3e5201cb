"""A job as its folder tells it: what was asked, how far it is, how it ended.

<key>/  job.json (what was asked)  state.json (how it goes)  progress.json (how far)  log.txt (what it printed)  result/

The process that watches a job holds the claim on its folder (`ifdd.io.claim`) as long as it lives. So a job that says that it
runs, and whose folder nobody holds, has died, also while no server was running.
"""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ifdd.errors import InputError
from ifdd.io import is_being_written

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
ASKED, STATE, PROGRESS, LOG, CANCEL, RESULT = "job.json", "state.json", "progress.json", "log.txt", "cancel", "result"
OUT = "{out}"
"""Stands in a command for the folder that the result goes into."""
TAIL = 20_000  # bytes of a log that are shown
DIED = "its process ended without a word: the computer was restarted, or somebody or the system killed it; start it again"

FULL = "the disk is full, so that its process could not even write how it ended; make room, and start it again"
ROOM = 2**16  # bytes, below which a disk counts as full: no result is smaller


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    words: str
    """What it does, and of how many."""
    share: float | None
    """In [0, 1]; None where it is not known how much there is to do."""
    left: float | None
    """Seconds until what it does now is done; None where that cannot be told yet."""


@dataclass(frozen=True)
class Job:
    """What was asked, and what has become of it."""

    folder: Path
    title: str
    argv: tuple[str, ...]
    result: Path
    asked: float
    state: State
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    """Why it failed, and what to do."""
    inputs: tuple[str, ...] | None = None
    """What it read, as hashes; None where it was asked for before that was written down."""

    @property
    def key(self) -> str:
        """The hash of what makes it."""
        return self.folder.name

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER

    @property
    def has_result(self) -> bool:
        """Whether it is done and its result still there: others may have removed it."""
        return self.state == "done" and self.result.exists()

    @property
    def command(self) -> list[str]:
        """What runs, with every path."""
        return [part.replace(OUT, str(self.result)) for part in self.argv]

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to end."""
        return (self.folder / CANCEL).exists()

    def seconds(self, now: float | None = None) -> float:
        """How long it has run."""
        if self.started is None:
            return 0.0
        return max(0.0, (self.ended or now or time.time()) - self.started)

    def progress(self, now: float | None = None) -> Progress | None:
        """How far it is; None where it has not told."""
        try:
            told = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            return _progress(told["steps"], max(0.0, (now or time.time()) - told["time"])) if told["steps"] else None
        except (OSError, ValueError, KeyError, TypeError):  # not told yet
            return None

    def log(self) -> str:
        """The end of what it printed."""
        try:
            with (self.folder / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - TAIL))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def read_job(folder: Path) -> Job:
    """A job by its folder. Raises: InputError for one that is not there or damaged."""
    try:
        asked = json.loads((folder / ASKED).read_text(encoding="utf-8"))
        told = json.loads((folder / STATE).read_text(encoding="utf-8"))
        if told["state"] not in OVER and not is_being_written(folder):
            told = json.loads((folder / STATE).read_text(encoding="utf-8"))  # it may just have ended
            if told["state"] not in OVER:
                told |= {"state": "failed", "reason": FULL if _is_full(folder) else DIED}
        return Job(
            folder=folder,
            title=str(asked["title"]),
            argv=tuple(map(str, asked["argv"])),
            result=Path(asked["result"]),
            asked=float(asked["asked"]),
            state=told["state"],
            started=told.get("started"),
            ended=told.get("ended"),
            reason=str(told.get("reason", "")),
            inputs=tuple(map(str, asked["inputs"])) if "inputs" in asked else None,
        )
    except FileNotFoundError:
        raise InputError(f"{folder} is no job; it may have been removed") from None
    except OSError as error:  # a file in the place of a folder, a disk that fails, a folder of somebody else's
        raise InputError(f"{folder} cannot be read: {error.strerror}; see what lies there") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} is damaged ({type(error).__name__}: {error}); remove that folder") from None


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < ROOM
    except OSError:
        return False


def _progress(steps: list[dict[str, Any]], since: float) -> Progress:
    """Of loops that run within each other, the outermost first; `since`: seconds since they were told."""
    words = " › ".join(_words(step) for step in steps)
    share: float | None = 0.0
    for step in reversed(steps):
        share = None if share is None or not step["total"] else min((step["done"] + share) / step["total"], 1.0)
    left, first = None, steps[0]
    if share is not None:
        gone = share - first["begun_at"] / first["total"]
        if gone > 0 and (gone > 0.02 or first["seconds"] > 5):
            left = max(0.0, first["seconds"] / gone * (1 - share) - since)
    return Progress(words, share, left)


def _words(step: dict[str, Any]) -> str:
    done = f"{step['done']:.1f}".removesuffix(".0")
    return f"{step['title'] or step['unit']} {done}" + (f" of {step['total']}" if step["total"] else "")
