"""Files and folders: whole or not there, made by one process at a time, and nothing left of those that were killed."""

import errno
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from ifdd.errors import DiskError, InputError, NoFaceError
from ifdd.io import (
    claim,
    clear_folder,
    filled_folder,
    make_once,
    new_folder,
    remove,
    replaced_folder,
    unfinished_folder,
    write_json,
    write_text,
    write_whole,
)

ROOT = Path(__file__).resolve().parents[3]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def other_process(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has printed its first line."""
    begin = "import sys, time\nfrom pathlib import Path\nfrom ifdd import io\n"
    process = subprocess.Popen(
        [sys.executable, "-c", begin + code], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def hold(target: Path, how: str = "new_folder") -> str:
    """Code that begins to write `target`, says so, and never ends."""
    return (
        f"with io.{how} as work:\n    (Path(work) / 'half').write_text('x')\n    print('half', flush=True)\n    time.sleep(600)\n"
    ).replace(how, f"{how}(Path({str(target)!r}))")


def test_a_folder_is_made_once_however_many_want_it(tmp_path: Path):
    made: list[int] = []

    def fill(work: Path) -> None:
        made.append(1)
        (work / "half.npy").write_text("")
        time.sleep(0.2)
        (work / "whole.npy").write_text("")

    threads = [threading.Thread(target=make_once, args=(tmp_path / "cache" / "key", fill)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert names(tmp_path / "cache" / "key") == ["half.npy", "whole.npy"]
    assert names(tmp_path / "cache") == ["key"]


def test_a_second_process_is_told_who_writes_and_what_to_do(tmp_path: Path):
    with other_process(hold(tmp_path / "out")) as process:
        with pytest.raises(InputError) as refused, new_folder(tmp_path / "out"):
            pytest.fail("two at once")
        told = str(refused.value)
        assert f"process {process.pid} on " in told
        assert told.startswith(f"{tmp_path / 'out'}: is being written by '-c', process")
        assert told.endswith("; wait until it has ended, or choose another place")
        # what it does goes on as if nothing had been
        with new_folder(tmp_path / "another"):
            pass
        assert len([name for name in names(tmp_path) if name.endswith("ifdd-part")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_killed_process_holds_nothing_and_what_it_left_goes_with_the_next_call_into_the_folder(tmp_path: Path):
    with other_process(hold(tmp_path / "out")) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(names(tmp_path)) == 2  # the part and the lock
    write_text(tmp_path / "other.json", "{}")
    assert names(tmp_path) == ["other.json"]
    with new_folder(tmp_path / "out"):
        pass
    assert names(tmp_path) == ["other.json", "out"]


def test_a_cache_that_another_process_makes_is_waited_for(tmp_path: Path):
    code = "def fill(work):\n    print('half', flush=True)\n    time.sleep(1)\n    (work / 'by').write_text('the other')\n" + (
        f"io.make_once(Path({str(tmp_path / 'key')!r}), fill)\n"
    )
    with other_process(code):
        make_once(tmp_path / "key", lambda work: pytest.fail("made twice"))  # type: ignore[arg-type]
        assert (tmp_path / "key" / "by").read_text() == "the other"


def test_what_belongs_to_the_living_or_to_other_tools_stays(tmp_path: Path):
    for name in (".other-left", ".package.lock", ".out.partial", ".out.0123456789abcdef.ifdd-work"):
        (tmp_path / name).mkdir()
    (tmp_path / ".dead.01234567.ifdd-part").mkdir()
    (tmp_path / ".dead.lock").write_text("")
    with claim(tmp_path / "living"):
        (tmp_path / ".living.01234567.ifdd-part").mkdir()
        with claim(tmp_path / "own"):  # of the same thread
            clear_folder(tmp_path)
        assert (tmp_path / ".living.01234567.ifdd-part").is_dir()
        thread = threading.Thread(target=clear_folder, args=(tmp_path,))
        thread.start()
        thread.join()
        assert (tmp_path / ".living.01234567.ifdd-part").is_dir()
    clear_folder(tmp_path)
    assert names(tmp_path) == [".dead.lock", ".other-left", ".out.0123456789abcdef.ifdd-work", ".out.partial", ".package.lock"]


def test_work_that_fails_leaves_no_folder_and_can_be_done_again(tmp_path: Path):
    def fail(work: Path) -> None:
        (work / "half.npy").write_text("")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        make_once(tmp_path / "deep" / "key", fail)
    assert not names(tmp_path)
    make_once(tmp_path / "deep" / "key", lambda work: None)
    assert names(tmp_path / "deep") == ["key"]


def test_a_disk_that_refuses_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"key: cannot be written: .*; choose another folder"):
        make_once(tmp_path / "file" / "key", lambda work: None)
    with pytest.raises(InputError, match=r"key: cannot be written: No such file"), new_folder(tmp_path / "key") as work:
        (work / "missing" / "a").write_text("")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "folder", [new_folder, replaced_folder, partial(filled_folder, last="z"), partial(unfinished_folder, key="a")]
)
def test_a_file_within_that_the_disk_refuses_is_called_as_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Callable[[Path], AbstractContextManager[Path]]
):
    def fail(part: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiskError) as told, folder(Path("results/figures")) as work:
        make_once(work / "clips" / "one", lambda inner: write_whole(inner / "frame.png", fail))
    assert str(told.value).startswith(
        "results/figures/clips/one/frame.png: cannot be written: No space left on device; free the disk"
    )
    assert told.value.number == errno.ENOSPC
    assert not names(tmp_path)


@pytest.mark.parametrize("error", [InputError("a; b"), DiskError("a", errno.ENOSPC, " (more)"), NoFaceError("no face", "look")])
def test_an_error_comes_out_of_a_worker_as_it_was(error: InputError):
    made = pickle.loads(pickle.dumps(error))
    assert (type(made), str(made), vars(made)) == (type(error), str(error), vars(error))


def test_an_error_of_a_file_that_is_read_is_its_own(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="video"), new_folder(tmp_path / "out"):
        (tmp_path / "elsewhere" / "video.mp4").read_bytes()


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path):
    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    write_json(tmp_path / "metrics.json", {"WAR": 1})
    with pytest.raises(InputError, match=r"metrics\.json: cannot be written: No space left on device; free the disk"):
        write_whole(tmp_path / "metrics.json", fail)
    assert names(tmp_path) == ["metrics.json"]
    assert "WAR" in (tmp_path / "metrics.json").read_text()


def test_the_file_before_is_kept_where_that_is_asked_for(tmp_path: Path):
    for text in "abc":
        write_whole(tmp_path / "last", lambda part, text=text: part.write_text(text), before=tmp_path / "before")
    assert ((tmp_path / "before").read_text(), (tmp_path / "last").read_text()) == ("b", "c")


def test_unfinished_work_goes_on_with_the_same_call_alone(tmp_path: Path):
    out = tmp_path / "out"

    def interrupted(key: str) -> None:
        with unfinished_folder(out, key) as work:
            (work / "done").write_text(key)
            (work / ".clip.01234567.ifdd-part").mkdir()  # of a killed process
            raise KeyboardInterrupt

    for key in ("a", "b"):
        with pytest.raises(KeyboardInterrupt):
            interrupted(key)
    assert not out.exists()
    with unfinished_folder(out, "a") as work:
        assert (work / "done").read_text() == "a"
    assert names(tmp_path) == ["out"]
    assert names(out) == ["done"]
    with pytest.raises(InputError, match="out exists; choose another folder or remove it"), unfinished_folder(out, "c"):
        pass


def test_nothing_is_left_of_unfinished_work_that_never_began(tmp_path: Path):
    with pytest.raises(InputError, match="too little room"), unfinished_folder(tmp_path / "deep" / "out", "key"):
        raise InputError("too little room")
    assert not names(tmp_path)


def test_files_join_those_of_a_folder_the_last_one_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    order: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, out: (order.append(Path(out).name), replace(path, out))[1])
    for number in "12":
        with filled_folder(tmp_path / "out", last="all.md") as work:
            for name in ("all.md", "z.png", "a.png"):
                (work / name).write_text(number)
        (tmp_path / "out" / "mine").write_text("kept")
    assert order == ["out", "a.png", "z.png", "all.md"]
    assert names(tmp_path / "out") == ["a.png", "all.md", "mine", "z.png"]
    assert (tmp_path / "out" / "z.png").read_text() == "2"


def test_a_folder_is_replaced_or_removed_at_once(tmp_path: Path):
    for text in "ab":
        with replaced_folder(tmp_path / "out") as work:
            (work / text).write_text(text)
    assert names(tmp_path / "out") == ["b"]
    (tmp_path / "link").symlink_to(tmp_path / "out")
    remove(tmp_path / "link")
    assert names(tmp_path) == ["out"]
    remove(tmp_path / "out")
    remove(tmp_path / "out")
    assert not names(tmp_path)


@pytest.mark.parametrize("name", ["x" * 255, "ö" * 127, "a.01234567", "a\nb", ".hidden"])
def test_names_at_the_edge(tmp_path: Path, name: str):
    write_text(tmp_path / name, "text")
    (tmp_path / ".x.01234567.ifdd-part").write_text("")
    write_text(tmp_path / name, "other")
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "other"


def test_a_link_is_written_through(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "file.json")
    write_text(tmp_path / "link.json", "{}")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real" / "file.json").read_text() == "{}"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_every_file_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (steps.append(Path(f"/proc/self/fd/{handle}").readlink().name), fsync(handle))
    )
    monkeypatch.setattr(Path, "replace", lambda path, out: (steps.append(f"name {Path(out).name}"), replace(path, out))[1])
    with new_folder(tmp_path / "out") as work:
        (work / "deep").mkdir()
        write_text(work / "deep" / "a", "text")
    at = steps.index("name out")
    assert {"a", "deep"} <= set(steps[:at])
    assert any(step.endswith("ifdd-part") for step in steps[:at])
    assert steps[at + 1 :] == [tmp_path.name]


def test_nothing_else_gives_names_to_files():
    """`ifdd.io` is the one place; temporary folders for a moment's use are the pages' and the documents' alone."""
    forbidden = re.compile(r"\.rename\((?!columns=|index=)|mkstemp|mkdtemp|os\.replace|os\.rename|shutil\.move|\.partial\"")
    found = [
        f"{file.relative_to(ROOT)}: {word}"
        for folder in ("ifdd", "workbench", "pages", "docs")
        for file in (ROOT / folder).rglob("*.py")
        for word in forbidden.findall(file.read_text(encoding="utf-8"))
        if file != ROOT / "ifdd" / "io.py"
    ]
    assert not found
