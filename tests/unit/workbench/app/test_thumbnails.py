"""Small pictures: made once, kept on the disk, made again when the clip changes, and shown where nothing can be kept."""

import io
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ifdd import InputError
from workbench.app import thumbnails
from workbench.app.clipview import thumbnail
from workbench.app.thumbnails import Thumbnails
from workbench.store.dataset import Dataset


def frames(folder: Path, grey: int) -> None:
    folder.mkdir(parents=True)
    for i in range(4):
        Image.new("RGB", (200, 100), (grey, grey, 40 * i)).save(folder / f"{i}.png")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for name, grey in (("a", 30), ("b c/ü", 200)):
        frames(tmp_path / name, grey)
    pd.DataFrame({"path": ["a", "b c/ü"], "n_frames": 4, "fps": 8.0}).to_csv(tmp_path / "clips.csv", index=False)
    return Dataset("some", tmp_path / "clips.csv", tmp_path / "collections")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clips that were decoded."""
    seen: list[str] = []

    def told(path: Path, *more: object) -> np.ndarray:
        seen.append(path.name)
        time.sleep(0.05)
        return thumbnail(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails, "thumbnail", told)
    return seen


def pixel(webp: bytes) -> tuple[int, ...]:
    with Image.open(io.BytesIO(webp)) as image:
        assert (image.format, image.size) == ("WEBP", (96, 48))
        value = image.convert("RGB").getpixel((48, 24))
    assert isinstance(value, tuple)
    return value


def test_a_picture_is_made_once_and_kept_for_the_next_start(dataset: Dataset, tmp_path: Path, made: list[str]) -> None:
    file = tmp_path / "results/thumbnails/some.sqlite"
    first = Thumbnails(file).picture(dataset, "b c/ü")
    assert pixel(first) == pytest.approx((200, 200, 80), abs=6)  # the frame in the middle, as no apex is known
    assert Thumbnails(file).picture(dataset, "b c/ü") == first
    assert made == ["ü"]


def test_another_file_under_the_same_id_has_another_picture(dataset: Dataset, tmp_path: Path, made: list[str]) -> None:
    store = Thumbnails(tmp_path / "some.sqlite")
    store.picture(dataset, "a")
    shutil.rmtree(tmp_path / "a")
    frames(tmp_path / "a", 120)
    assert pixel(store.picture(dataset, "a")) == pytest.approx((120, 120, 80), abs=6)
    assert made == ["a", "a"]


def test_those_who_ask_at_once_wait_for_one(dataset: Dataset, tmp_path: Path, made: list[str]) -> None:
    store = Thumbnails(tmp_path / "some.sqlite")
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: store.picture(dataset, "a"), range(8)))
    assert len(found) == 1
    assert made == ["a"]


def test_a_damaged_file_is_made_anew(dataset: Dataset, tmp_path: Path, made: list[str]) -> None:
    file = tmp_path / "some.sqlite"
    file.write_bytes(b"no database at all" * 100)
    Thumbnails(file).picture(dataset, "a")
    Thumbnails(file).picture(dataset, "a")
    assert made == ["a"]


def _nowhere(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.write_text("a file where a folder should be")


def _full(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Thumbnails, "_insert", refuse)


@pytest.mark.parametrize("disk", [_nowhere, _full])
def test_a_disk_that_takes_nothing_is_no_error(
    dataset: Dataset,
    tmp_path: Path,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
    disk: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    file = tmp_path / "results" / "some.sqlite"
    disk(file, monkeypatch)
    monkeypatch.setattr(thumbnails, "IN_MEMORY", 1)
    store = Thumbnails(file)
    assert store.picture(dataset, "a") == store.picture(dataset, "a")
    assert made == ["a"]
    store.picture(dataset, "b c/ü")
    store.picture(dataset, "a")
    assert made == ["a", "ü", "a"]  # memory has room for one


def test_what_cannot_be_shown_says_why(dataset: Dataset, tmp_path: Path) -> None:
    store = Thumbnails(tmp_path / "some.sqlite")
    with pytest.raises(KeyError):
        store.picture(dataset, "../a")
    for i in range(4):
        (tmp_path / f"a/{i}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"a/.*png"):
        store.picture(dataset, "a")
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        store.picture(dataset, "a")
