"""Folders that are whole or not there, and are made once however many processes want them."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from ifdd.errors import InputError


def make_once(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a folder of a cache, unless it is there; while another process is at it, wait for that one.

    What a killed process left of it is removed. Raises: InputError when the disk refuses.
    """
    if folder.is_dir():
        return
    lock = folder.parent / f".{folder.name}.lock"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            if not folder.is_dir():
                for left in folder.parent.glob(f".{folder.name}-*"):
                    shutil.rmtree(left, ignore_errors=True)
                with whole_folder(folder) as work:
                    fill(work)
            lock.unlink(missing_ok=True)  # who waits for it finds the folder, and so does who comes later
    except OSError as error:
        raise _refused(folder, error) from error


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that becomes `out` when the block ends well, and is removed when it does not.

    Where another process made `out` in the meantime, that one stays. Raises: InputError when the disk refuses.
    """
    work: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        yield work
        work.chmod(0o755)  # mkdtemp makes it private
        if not out.exists():
            work.rename(out)
    except OSError as error:
        raise _refused(out, error) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def _refused(out: Path, error: OSError) -> InputError:
    return InputError(f"{out}: cannot be written: {error.strerror or error}; free the disk or choose another folder")
