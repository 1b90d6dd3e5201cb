"""Clips that are read when they are asked for: the same pixels as decoded ones, and no more memory for more clips."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from media import gray_images, write_video
from PIL import Image
from small_corpus import make_corpus

from ifdd.data.crop_cache import crop_file, read_crops
from ifdd.data.decoded import from_inputs
from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import Rule, Take
from ifdd.data.streamed import StreamedPixels, number_of, streamed
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

TINY = Preprocessing(8, (32, 32), "none")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of six clips of 6, 10 and 13 frames."""
    return make_corpus(tmp_path_factory.mktemp("corpus"), 6)


@pytest.mark.parametrize("crop", ["none", "center"])
@pytest.mark.parametrize("size", [(32, 32), (24, 36)])
def test_pixels_are_those_of_decoded_clips(corpus: Path, tmp_path: Path, crop: str, size: tuple[int, int]) -> None:
    frame = read_manifest(corpus).assign(crop=crop)
    frame.attrs["root"] = str(corpus.parent)
    inputs = {"clip": Preprocessing(8, size, crop)}
    decoded = from_inputs(corpus, inputs, EMOTIONS, tmp_path / "cache", False, frame=frame)
    found = streamed(corpus, frame, inputs, EMOTIONS)
    assert found.streamed
    assert not decoded.streamed
    np.testing.assert_array_equal(found.read([4, 0, 1]), decoded.read([4, 0, 1]))
    np.testing.assert_array_equal(found.target, decoded.target)
    for name in ("clip_ids", "subjects", "folds", "files"):
        assert getattr(found, name) == getattr(decoded, name)
    assert found.about == decoded.about


def numbered(folder: Path, count: int) -> Path:
    """Frames whose grey tells their index."""
    folder.mkdir()
    for t in range(count):
        Image.new("L", (8, 8), 5 * t).save(folder / f"{t}.png")
    return folder


def shown(pixels: np.ndarray) -> list[int]:
    return (pixels[0, :, 0, 0, 0] // 5).tolist()


def test_a_training_shows_other_frames_in_every_epoch(tmp_path: Path) -> None:
    source = StreamedPixels(
        (str(numbered(tmp_path / "clip", 40)),),
        ("none",),
        (None,),
        np.array([1], np.uint64),
        Preprocessing(8, (8, 8), "none"),
        Rule("segments"),
    )
    epochs = [shown(source.taken([0], Take(epoch))) for epoch in range(6)]
    assert all(5 * i <= index < 5 * i + 5 for frames in epochs for i, index in enumerate(frames))
    assert len({tuple(frames) for frames in epochs}) == 6
    assert shown(source.taken([0], Take(2))) == epochs[2]
    assert shown(source[[0]]) == [2, 7, 12, 17, 22, 27, 32, 37]


@pytest.mark.parametrize("cached", [False, True])
def test_videos_and_their_cached_crops_have_the_same_pixels(tmp_path: Path, cached: bool) -> None:
    file = write_video(tmp_path / "a.mp4", gray_images(range(0, 200, 10)))
    (tmp_path / "list.csv").write_text("path,label,crop\na.mp4,sad,center\n")
    frame, inputs = read_manifest(tmp_path / "list.csv"), {"clip": Preprocessing(8, (32, 32), "center")}
    decoded = from_inputs(tmp_path / "list.csv", inputs, EMOTIONS, tmp_path / "decoded", False)
    cache = tmp_path / "cache" if cached else None
    found = streamed(tmp_path / "list.csv", frame, inputs, EMOTIONS, rule=Rule("window"), cache=cache)
    for _ in range(2):  # written, then read
        np.testing.assert_array_equal(found.read([0]), decoded.read([0]))
    grey = found.read([0], Take(4))[0, :, 16, 16, 0].astype(int)  # type: ignore[index]
    np.testing.assert_allclose(np.diff(grey), 10, atol=3)  # frames that follow each other
    if cached:
        kept = crop_file(tmp_path / "cache", file, Preprocessing(8, (32, 32), "center"), None)
        content = bytearray(kept.read_bytes())
        content[len(content) // 2] ^= 1
        kept.write_bytes(content)
        assert read_crops(kept) is None
        np.testing.assert_array_equal(found.read([0]), decoded.read([0]))  # made anew
        assert read_crops(kept) is not None


def test_a_changed_video_is_cropped_anew(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.mp4", gray_images(range(0, 200, 10)))
    read = Preprocessing(8, (32, 32), "center")
    before = crop_file(tmp_path, file, read, None)
    os.utime(file, (1, 1))
    assert crop_file(tmp_path, file, read, None) != before
    assert crop_file(tmp_path, file, dataclasses.replace(read, size=(16, 16)), None) != before
    assert crop_file(tmp_path, file, dataclasses.replace(read, frames=32), None) == crop_file(tmp_path, file, read, None)


def test_missing_and_empty_clips_are_found_at_once(corpus: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(corpus.parent, tmp_path / "corpus", ignore=shutil.ignore_patterns("cache")))
    frame = read_manifest(root / "clips.parquet")
    shutil.rmtree(root / "00001")
    (root / "00004" / "00002.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 6 clips .*00001: no such file or folder; 00004: 00002\.jpg is empty; mend"):
        streamed(root / "clips.parquet", frame, {"clip": TINY}, EMOTIONS)
    frame = pd.concat([frame] * 2, ignore_index=True).assign(clip_id=[f"{i}" for i in range(12)])
    frame.attrs["root"] = str(root)
    frame = frame[~frame["clip_id"].isin(["1", "7"])]
    found = streamed(root / "clips.parquet", frame, {"clip": TINY}, EMOTIONS, on_error="skip")
    assert len(found) == 8
    assert found.notes[0].startswith("2 of 10 clips left out, they cannot be read: 4: 00002.jpg is empty; 10:")
    assert found.about["left_out"]["clips"] == 2


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "00003.jpg").write_bytes(b"no picture"), "not an image that can be read"),
        (lambda folder: Image.new("L", (9, 9)).save(folder / "00003.jpg"), r"00001\.jpg is 40x40, 00003\.jpg is 9x9"),
        (lambda folder: [file.unlink() for file in sorted(folder.iterdir())[1:]], "holds 1 frame; a clip needs at least 2"),
        (lambda folder: (folder / "00003.jpg").rename(folder / "depth_3.jpg"), "no number tells whether"),
    ],
)
def test_what_cannot_be_read_says_why(corpus: Path, tmp_path: Path, damage: object, message: str) -> None:
    folder = Path(shutil.copytree(corpus.parent / "00000", tmp_path / "00000"))
    damage(folder)  # type: ignore[operator]
    source = StreamedPixels((str(folder),), ("none",), (None,), np.array([1], np.uint64), TINY)
    with pytest.raises(InputError, match=message):
        source[[0]]


def test_short_clips_are_told(corpus: Path) -> None:
    found = streamed(corpus, read_manifest(corpus), {"clip": TINY}, EMOTIONS)
    found.read([0, 1])
    assert found.pixels.told == {0: ("6 frames for 8; the last one is repeated",)}  # type: ignore[union-attr]


def test_numbers_of_clips_are_their_own() -> None:
    names = [f"{i:05d}" for i in range(5000)]
    assert len({number_of(name) for name in names}) == 5000
    assert number_of("00001") == 0xE4697E72A7A0CA39  # the same on every machine


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts pages as Linux does")
def test_memory_does_not_grow_with_the_clips(tmp_path: Path) -> None:
    """Clips of 2.4 MB: 96 more of them would take 230 MB at once."""
    (tmp_path / "one").mkdir()
    for t in range(16):
        Image.fromarray(np.random.default_rng(t).integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "one" / f"{t}.jpg")
    grown = []
    for count in (32, 128):
        root = tmp_path / str(count)
        root.mkdir()
        for i in range(count):
            (root / f"{i}").symlink_to(tmp_path / "one")
        (root / "clips.csv").write_text("path,label\n" + "".join(f"{i},sad\n" for i in range(count)))
        inputs = {"clip": Preprocessing(16, (224, 224), "none")}
        clips = streamed(root / "clips.csv", read_manifest(root / "clips.csv"), inputs, EMOTIONS)
        clips.read([0, 1])
        before, most = resident(), 0.0
        for i in range(0, count, 2):
            assert clips.read([i, i + 1]).shape == (2, 16, 224, 224, 3)  # type: ignore[union-attr]
            most = max(most, resident())
        grown.append(most - before)
    assert grown[1] < grown[0] + 12
