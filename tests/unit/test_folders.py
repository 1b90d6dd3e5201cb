"""Folders of the cache: whole or not there, made once."""

import threading
import time
from pathlib import Path

import pytest

from ifdd.errors import InputError
from ifdd.folders import make_once, whole_folder


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
    assert sorted(path.name for path in (tmp_path / "cache" / "key").iterdir()) == ["half.npy", "whole.npy"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["key"]


def test_what_a_killed_process_left_goes_and_what_belongs_to_others_stays(tmp_path: Path):
    (tmp_path / ".key-left").mkdir()
    (tmp_path / ".other-left").mkdir()
    make_once(tmp_path / "key", lambda work: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other-left", "key"]


def test_work_that_fails_leaves_no_folder_and_can_be_done_again(tmp_path: Path):
    def fail(work: Path) -> None:
        (work / "half.npy").write_text("")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        make_once(tmp_path / "key", fail)
    assert not (tmp_path / "key").exists()
    make_once(tmp_path / "key", lambda work: None)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_disk_that_refuses_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: File exists; free the disk or choose another folder"):
        make_once(tmp_path / "file" / "key", lambda work: None)
    with pytest.raises(InputError, match="cannot be written"), whole_folder(tmp_path / "key") as work:
        (work / "missing" / "a").write_text("")
    assert not (tmp_path / "key").exists()
