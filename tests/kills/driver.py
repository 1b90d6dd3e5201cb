"""A process that has everything loaded, and forks a child for each job: `python driver.py MATERIAL`, one JSON request a line.

Request: {"job", "folder", "step": kill at this step, or null, "after": kill after so many seconds, or null}.
Answer: {"status": done, killed or failed, "steps", "seconds", "error"}.
A step is a call that changes what is on the disk below the folder (rename, fsync, unlink, mkdir, rmdir), or half of what one call
writes.
"""

import builtins
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch
from jobs import JOBS, prepare


class Steps:
    """Counts steps, and kills this very process at one of them, as the system would."""

    def __init__(self, folder: Path, at: int | None, report: Path) -> None:
        self.folder, self.at, self.count, self.report = str(folder), at, 0, report

    def take(self) -> None:
        if self.at == self.count:
            self.report.write_text(str(self.count))
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def watch(self) -> None:
        """Put itself before every call that changes the disk."""
        for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync"):
            setattr(os, name, self._before(getattr(os, name)))
        write_bytes, write_text, opened = Path.write_bytes, Path.write_text, io.open
        steps = self

        def half_bytes(path: Path, content: Any) -> int:
            if steps._ours(path) and steps.at == steps.count:
                write_bytes(path, bytes(content)[: len(content) // 2])
            if steps._ours(path):
                steps.take()
            return write_bytes(path, content)

        def half_text(path: Path, content: str, *args: Any, **kwargs: Any) -> int:
            if steps._ours(path) and steps.at == steps.count:
                write_text(path, content[: len(content) // 2], *args, **kwargs)
            if steps._ours(path):
                steps.take()
            return write_text(path, content, *args, **kwargs)

        def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            stream = opened(file, mode, *args, **kwargs)
            if (
                set(mode) & set("wax+")
                and steps._ours(file)
                and sys._getframe(2).f_code.co_name not in ("write_text", "write_bytes")
            ):
                steps.take()  # an empty or old file is there now
            return stream

        Path.write_bytes, Path.write_text = half_bytes, half_text  # type: ignore[method-assign,assignment]
        io.open = builtins.open = opening  # type: ignore[assignment]

    def _ours(self, path: Any) -> bool:
        return isinstance(path, int) or os.fspath(path).startswith(self.folder)

    def _before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
            if self._ours(path):
                self.take()
            return function(path, *args, **kwargs)

        return watched


def answer(material: Path, request: dict[str, Any]) -> dict[str, Any]:
    folder, report = Path(request["folder"]), material / f"report-{os.getpid()}"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        steps = Steps(folder, request.get("step"), report)
        try:
            steps.watch()
            warnings.simplefilter("ignore")
            JOBS[request["job"]](material, folder)
            report.write_text(str(steps.count))
        except BaseException:
            report.write_text(traceback.format_exc())
            os._exit(1)
        os._exit(0)
    killer = None
    if request.get("after") is not None:
        killer = threading.Timer(request["after"], lambda: os.kill(child, signal.SIGKILL))
        killer.start()
    _, status = os.waitpid(child, 0)
    if killer is not None:
        killer.cancel()
        killer.join()
    text = report.read_text() if report.is_file() else ""
    code = os.waitstatus_to_exitcode(status)
    how = "done" if code == 0 else "killed" if code == -signal.SIGKILL else "failed"
    told = {"status": how, "seconds": time.monotonic() - began, "code": code}
    return told | ({"steps": int(text)} if text.isdigit() else {"error": text})


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    prepare(Path(sys.argv[1]))
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    out, sys.stdout = sys.stdout, sys.stderr
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(Path(sys.argv[1]), json.loads(line))), file=out, flush=True)
