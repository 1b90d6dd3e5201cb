"""Files and folders that appear whole or not at all, and that one process at a time writes.

What is being written to `NAME` lies beside it under hidden names that no two calls share, and takes the name at the end:

    .NAME.<8 hex digits>.ifdd-part    of one call; of no use to anybody when that call has died
    .NAME.<16 hex digits>.ifdd-work   of a call that can be continued; the digits are a hash of what was asked for
    .NAME.ifdd-lock                   held by who writes NAME; the system frees it when its holder dies, however that happens

Parts whose lock nobody holds were left by a killed process; whoever writes into that folder next removes them. Every file is on
the disk (fsync) before it gets its name, and the name before anything is built on it.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ifdd.errors import DiskError, InputError

_HIDDEN = re.compile(r"\.(?P<name>.+?)(?:\.[0-9a-f]{8}\.ifdd-part|\.ifdd-lock)", re.DOTALL)
_PATIENCE = 10.0  # seconds for a lock whose holder does not tell who he is: he clears up, or has just begun
_MANY = 200  # files of a folder above which all disks are synced at once
_here = threading.local()  # the targets that this thread has claimed


# -- one writer at a time ---------------------------------------------------------------------------------------------------


@contextmanager
def claim(out: Path, *, wait: bool = False) -> Iterator[None]:
    """Be the only one, of all threads and processes, to write `out` (there or not) while the block runs.

    A claim within a claim of the same thread is free. Folders above `out` that were made for it and stay empty are removed.
    Raises: InputError if another one has it (unless told to `wait` for him): who, since when, what to do; or if the disk refuses.
    """
    target = out.resolve()
    if target in _claimed():
        yield
        return
    made = _missing_parents(target)
    with _disk(out, target):
        lock = _acquire(target, out, wait)
    _claimed().add(target)
    try:
        clear_folder(target.parent, target)
        yield
    finally:
        _claimed().discard(target)
        _free(lock)
        for folder in made:
            with suppress(OSError):  # not empty, as a rule
                folder.rmdir()


def is_claimed(out: Path) -> bool:
    """Whether somebody says that he writes `out` now; one who was killed may still say so."""
    return _beside(out.resolve(), "ifdd-lock").exists()


def is_being_written(out: Path) -> bool:
    """Whether a living process writes `out` now; nothing is changed by the question."""
    lock = FileLock(_beside(out.resolve(), "ifdd-lock"))
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError:  # on a disk that nobody may write
        return False


def clear_folder(folder: Path, own: Path | None = None) -> None:
    """Remove what killed processes left half-written in `folder`; `own`: a target that the caller has just claimed."""
    left: dict[str, list[Path]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if found := _HIDDEN.fullmatch(entry.name):
                left.setdefault(found["name"], []).append(Path(entry.path))
    for name, paths in left.items():
        parts = [path for path in paths if path.suffix == ".ifdd-part"]
        if own is not None and name == _short(own.name):
            for path in parts:
                _delete(path)
        elif not any(target.parent == folder and name == _short(target.name) for target in _claimed()):
            lock = FileLock(folder / f".{name}.ifdd-lock")
            with suppress(Timeout, OSError), lock.acquire(blocking=False):
                Path(lock.lock_file).write_text("", encoding="utf-8")  # a dead holder's note: who comes now only has to wait
                for path in parts:
                    _delete(path)
                Path(lock.lock_file).unlink()


def _claimed() -> set[Path]:
    return _here.__dict__.setdefault("targets", set())


def _missing_parents(target: Path) -> list[Path]:
    missing = []
    for folder in target.parents:
        if folder.exists():
            break
        missing.append(folder)
    return missing


def _acquire(target: Path, out: Path, wait: bool) -> FileLock:
    lock = FileLock(_beside(target, "ifdd-lock"))
    note = Path(lock.lock_file)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(blocking=False)
            with suppress(OSError):  # on a full disk it may be a removal that is wanted
                note.write_text(_own_note(), encoding="utf-8")
            return lock
        except FileNotFoundError:  # who held it before has removed the empty folder
            if time.monotonic() > deadline:
                raise
        except Timeout:
            holder = ""
            with suppress(OSError, UnicodeDecodeError):
                holder = note.read_text(encoding="utf-8")
            if not wait and (holder or time.monotonic() > deadline):
                raise InputError(
                    f"{out}: is being written by {holder or 'another process'}; wait until it has ended, or choose another place"
                ) from None
        time.sleep(0.05)


def _own_note() -> str:
    command = " ".join(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]).split())[:160]
    return f"{command!r}, process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%d %b %H:%M:%S')}"


def _free(lock: FileLock) -> None:
    Path(lock.lock_file).unlink(missing_ok=True)  # while it is held: who waits for it sees that it is gone, and makes a new one
    lock.release()


# -- folders ----------------------------------------------------------------------------------------------------------------


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder to fill, which takes the name `out` when the block ends well, and is removed if it does not.

    Raises: InputError if `out` exists, if another process is making it, or if the disk refuses.
    """
    with claim(out):
        check_new(out)
        with _filling(out) as work:
            yield work
            _sync_folder(work)
            check_new(out)  # others may have made it, e.g. by hand
            _name(work, out)


@contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """As `new_folder`, but a folder `out` that is there makes room for the new one."""
    with claim(out), _filling(out) as work:
        yield work
        _sync_folder(work)
        remove(out)
        _name(work, out)


@contextmanager
def filled_folder(out: Path, last: str) -> Iterator[Path]:
    """A hidden folder; its files move to `out`, new or there, when the block ends well, the one named `last` at the end.

    Whoever finds `last` there, and nobody writing, has all of them. Files of the same names are replaced, others stay.
    Raises: InputError if `out` is a file, if another process is writing there, or if the disk refuses.
    """
    with claim(out):
        check_folder(out)
        with _filling(out) as work:
            yield work
            _sync_folder(work)
            if not out.exists():
                _name(work, out)
                return
            (out / last).unlink(missing_ok=True)
            for file in sorted(work.iterdir(), key=lambda file: file.name == last):
                _name(file, out / file.name)


@contextmanager
def unfinished_folder(out: Path, key: str) -> Iterator[Path]:
    """A hidden folder in which work on `out` goes on where the last call with the same `key` (any text) stopped.

    It takes the name `out` when the block ends well, and what other calls left unfinished of `out` goes; it stays, unless it is
    empty, when the block fails.
    Raises: InputError if `out` exists, if another process works on it, or if the disk refuses.
    """
    with claim(out):
        check_new(out)
        work = _beside(out.resolve(), hashlib.sha256(key.encode()).hexdigest()[:16], "ifdd-work")
        try:
            with _disk(out, work, again="the same command goes on where this one stopped"):
                work.mkdir(exist_ok=True)
                yield work
                for left in [path for path in work.rglob(".*") if _HIDDEN.fullmatch(path.name)]:
                    _delete(left)  # of a killed process that worked here
                _sync_folder(work)
                check_new(out)
                _name(work, out)
        finally:
            with suppress(OSError):
                work.rmdir()  # where nothing was done
        for other in _works(out.resolve()):
            _delete(other)


def make_once(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a folder of a cache, unless it is there; while another process is at it, wait for that one.

    Raises: InputError when the disk refuses.
    """
    if folder.is_dir():
        return
    with claim(folder, wait=True):
        if not folder.is_dir():
            with new_folder(folder) as work:
                fill(work)


def remove(path: Path) -> None:
    """Remove a file or a folder, so that nobody ever sees half of it.

    Raises: InputError if another process is writing it, or if the disk refuses.
    """
    with claim(path):
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            with _part(path) as gone:
                _name(path, gone)


def check_folder(out: Path) -> None:
    """Refuse a file where files are to be written into a folder, before minutes are spent on them.

    Raises: InputError.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder as --out")


def check_new(out: Path) -> None:
    """Refuse a folder that is there, before minutes are spent on what goes into it.

    Raises: InputError.
    """
    if out.exists():
        raise InputError(f"{out} exists; choose another folder or remove it")


# -- files ------------------------------------------------------------------------------------------------------------------


def write_whole(file: Path, write: Callable[[Path], object], *, before: Path | None = None) -> None:
    """Let `write` make a file under a temporary name, then give it the name `file`; one that is there is replaced.

    The file that was there becomes `before`, if that is given. Who writes the same file at the same time is waited for.
    Raises: InputError when the disk refuses.
    """
    if _unseen(file):
        with _part(file) as part:
            write(part)
            _name(part, file)
        return
    with claim(file, wait=True), _part(file) as part:
        write(part)
        _sync(part)
        if before is not None and file.exists():
            _name(file, before)
        _name(part, file)


def write_text(file: Path, text: str) -> None:
    """Write UTF-8 as `write_whole` does."""
    write_whole(file, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(file: Path, values: Any) -> None:
    """Write indented JSON as `write_whole` does."""
    write_text(file, json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n")


def replace_between(file: Path, mark: str, text: str) -> None:
    """Put `text` between the lines `<!-- mark -->` and `<!-- /mark -->` of a Markdown file.

    Raises: InputError for a file that is not there or lacks the marks.
    """
    before, after = between(file, mark)
    write_text(file, f"{before}{text}{after}")


def between(file: Path, mark: str) -> tuple[str, str]:
    """What stands before and after the place that `replace_between` fills, the marks with it. Raises: InputError as that."""
    first, last = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    try:
        before, rest = file.read_text(encoding="utf-8").split(first)
        _, after = rest.split(last)
    except FileNotFoundError:
        raise InputError(f"{file} is not there; make it, with the lines {first} and {last}") from None
    except ValueError:
        raise InputError(f"{file}: the lines {first} and {last} must stand there once each, in this order") from None
    return f"{before}{first}\n", f"{last}{after}"


# -- names and the disk -----------------------------------------------------------------------------------------------------


def _short(name: str) -> str:
    """A name to which something can be added: file systems take 255 bytes."""
    return name if len(os.fsencode(name)) <= 200 else hashlib.sha256(os.fsencode(name)).hexdigest()[:40]


def _beside(target: Path, *endings: str) -> Path:
    return target.with_name(".".join(["", _short(target.name), *endings]))


def _works(target: Path) -> list[Path]:
    """What unfinished calls left of `target`."""
    pattern = re.compile(re.escape(f".{_short(target.name)}.") + r"[0-9a-f]{16}\.ifdd-work")
    return [path for path in target.parent.iterdir() if pattern.fullmatch(path.name)]


def _unseen(path: Path) -> bool:
    """Whether it lies in a hidden folder: there nobody else looks, and it is synced as a whole before it gets its name."""
    return any(folder.suffix in (".ifdd-part", ".ifdd-work") for folder in path.resolve().parents)


@contextmanager
def _part(out: Path) -> Iterator[Path]:
    """A temporary name beside `out`, of which nothing is left; an error of the disk there is one line."""
    part = _beside(out.resolve(), secrets.token_hex(4), "ifdd-part")
    try:
        with _disk(out, part):
            part.parent.mkdir(parents=True, exist_ok=True)
            yield part
    finally:
        _delete(part)


@contextmanager
def _filling(out: Path) -> Iterator[Path]:
    """An empty folder under such a name."""
    with _part(out) as work:
        work.mkdir()
        yield work


def _name(path: Path, out: Path) -> None:
    """The one place where a name is given."""
    path.replace(out.resolve())
    if not _unseen(out):
        _sync(out.resolve().parent)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Wait until all of a folder is on the disk."""
    if _unseen(folder):
        return
    paths = [path for path in folder.rglob("*") if not path.is_symlink()]
    if len(paths) > _MANY and hasattr(os, "sync"):  # frames of rendered clips: one by one they take longer than the rendering
        os.sync()
        return
    for path in [*paths, folder]:
        _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file, or the list of a folder's names, is on the disk."""
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not is_folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):  # network disks that know no such thing
            raise
    finally:
        os.close(handle)


@contextmanager
def _disk(out: Path, part: Path, again: str = "") -> Iterator[None]:
    """One line for an error of the disk at `out`, or at a file within; that of another file, e.g. one that was read, passes."""
    more = f" ({again})" if again else ""
    try:
        yield
    except DiskError as error:
        if str(part) not in error.finding:
            raise
        raise DiskError(
            error.finding.replace(str(part), str(out)), error.number, more
        ) from error  # who asked knows no other name
    except OSError as error:
        if error.filename is not None:
            named, places = Path(os.fsdecode(error.filename)).absolute(), (out.resolve(), part)
            ours = any(named == place or place in named.parents or named in place.parents for place in places)
            if not ours and not _HIDDEN.fullmatch(named.name):
                raise
        raise DiskError(f"{out}: cannot be written: {error.strerror or error}", error.errno, more) from error
