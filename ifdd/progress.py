"""How far long work is: bars in a terminal, and for other programs a small file that $IFDD_PROGRESS names.

Every loop that may take seconds goes through `tqdm` of this module. The file holds {"steps": [...], "time": seconds since 1970}:
the loops that run now, the outermost first, each as {"title", "unit", "done", "begun_at", "total", "seconds"}; `total` is null
where it is not known. It is replaced as a whole. Processes of a pool leave it to the one that made them.
"""

import json
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, ClassVar

from tqdm import tqdm as Bar

VARIABLE = "IFDD_PROGRESS"
EVERY = 0.5  # seconds


def report_file() -> Path | None:
    """The file that is to be told how far this process is; None where nobody wants to know, or another process tells it."""
    text = os.environ.get(VARIABLE, "")
    return Path(text) if text and parent_process() is None else None


class _Nowhere:
    """Takes what a bar would print."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


class tqdm(Bar):
    """A bar as tqdm draws it, or where $IFDD_PROGRESS names a file, what that file says."""

    _running: ClassVar[list["tqdm"]] = []

    def __init__(self, iterable: Iterable[Any] | None = None, *args: Any, **options: Any) -> None:
        self._report = None if options.get("disable") else report_file()
        if self._report is not None:
            options |= {"disable": False, "file": _Nowhere(), "delay": 0, "mininterval": EVERY, "miniters": 1}
        super().__init__(iterable, *args, **options)
        if self._report is not None:
            self._running.append(self)
            self._write(self._report)

    def display(self, *args: Any, **options: Any) -> Any:
        """Draw the bar, or write the file."""
        return super().display(*args, **options) if self._report is None else self._write(self._report)

    def close(self) -> None:
        """End the bar."""
        super().close()
        if self._report is not None and self in self._running:
            self._running.remove(self)
            self._write(self._report)

    def _write(self, file: Path) -> bool:
        steps = [bar._told() for bar in self._running]
        part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        with suppress(OSError):  # a full disk: the work itself will say so, or go on
            part.write_text(json.dumps({"steps": steps, "time": time.time()}), encoding="utf-8")
            part.replace(file)
        return True

    def _told(self) -> dict[str, Any]:
        return {
            "title": (self.desc or "").removesuffix(": "),
            "unit": self.unit,
            "done": self.n,
            "begun_at": self.initial,
            "total": self.total,
            "seconds": self._time() - self.start_t,
        }
