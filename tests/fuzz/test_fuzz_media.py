"""Damaged pictures, folders of frames and videos."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from harness import swarm
from media import numbered_image, write_video
from mutations import damaged
from PIL import Image

from ifdd.data.clips import load_clip
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import probe

Use = Callable[[], object]
READ = Preprocessing(frames=4, size=(32, 32), crop="none")
FORMATS = (("jpg", "JPEG"), ("png", "PNG"), ("bmp", "BMP"), ("webp", "WEBP"), ("tiff", "TIFF"))


def picture(number: int, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(numbered_image(number, 48, 64)).save(stream, kind)
    return stream.getvalue()


def use_clip(path: Path, fps: float | None = None) -> None:
    """What a command does with a source: look at it, read it; the pixels are of the right shape."""
    probe(path)
    clip = load_clip(path, READ, fps=fps)
    assert clip.pixels.shape == (4, 32, 32, 3)


def test_pictures(tmp_path: Path, count: int) -> None:
    whole = {suffix: [picture(number, kind) for number in range(3)] for suffix, kind in FORMATS}

    def write(rng: random.Random, place: Path) -> Use:
        suffix = rng.choice(list(whole))
        folder = place / "clip"
        folder.mkdir()
        bad = rng.randrange(3)
        for number, data in enumerate(whole[suffix]):
            (folder / f"{number}.{suffix}").write_bytes(damaged(data, rng) if number == bad else data)
        return lambda: use_clip(folder, 8)

    swarm("picture", count, tmp_path, write)


NAMES = (
    "0",
    "1",
    "2",
    "10",
    "-1",
    "0.5",
    "frame_0.1",
    "é",
    " ",
    "a b",
    "1_1",
    "٣",
    "²",
    "1e5",
    "9" * 60,
    ".hidden",
    "x" * 200,
    "%d",
    "🙂",
    "nan",
    "1 (copy)",
    "-",
    "--help",
    "~",
    "$HOME",
    "a\nb",
    "00",
    "000001",
)
CROPS = ("none", "center", "face")


def test_folders_of_frames(tmp_path: Path, count: int) -> None:
    whole = [(suffix, picture(number, kind)) for suffix, kind in FORMATS for number in range(2)]

    def write(rng: random.Random, place: Path) -> Use:
        folder = place / "clip"
        folder.mkdir()
        for name in rng.sample(NAMES, rng.randrange(0, 6)):
            suffix, data = rng.choice(whole)
            file = folder / f"{name}.{rng.choice((suffix, suffix, suffix, suffix.upper(), 'txt', 'jpg', ''))}"
            act = rng.random()
            if act < 0.05:
                file.mkdir()
            elif act < 0.1:
                file.symlink_to(rng.choice((file, place / "none", Path("/dev/zero"), folder)))
            elif act < 0.2:
                size = rng.choice(((1, 1), (1, 300), (63, 48)))
                file.write_bytes(cv2.imencode(".png", np.zeros((*size, 3), np.uint8))[1].tobytes())
            elif act < 0.25:
                file.write_bytes(b"")
            else:
                file.write_bytes(data)
        fps = rng.choice((None, 8.0, 0.0, -1.0, 1e-9, 1e9, float("nan"), float("inf")))
        read = Preprocessing(frames=4, size=(32, 32), crop=rng.choice(CROPS))

        def use() -> None:
            assert load_clip(folder, read, fps=fps).pixels.shape == (4, 32, 32, 3)

        return use

    swarm("frames", count, tmp_path, write)


VIDEOS = {"mp4": "libx264", "mov": "mpeg4", "avi": "mpeg4", "mkv": "libx264", "webm": "libvpx-vp9", "ts": "mpeg2video"}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A film of ten small frames in each container."""
    folder = tmp_path_factory.mktemp("films")
    images = [numbered_image(number, 48, 64) for number in range(10)]
    films = {suffix: write_video(folder / f"film.{suffix}", images, codec=codec) for suffix, codec in VIDEOS.items()}
    found = {suffix: path.read_bytes() for suffix, path in films.items()}
    for suffix in ("gif", "png", "webp"):
        stream = io.BytesIO()
        first, *others = [Image.fromarray(image) for image in images]
        first.save(stream, suffix, save_all=True, append_images=others, duration=[40, 40, 80] + [40] * 7)
        found[suffix] = stream.getvalue()
    return found


def test_videos(videos: dict[str, bytes], tmp_path: Path, count: int) -> None:
    def write(rng: random.Random, place: Path) -> Use:
        suffix = rng.choice(list(videos))
        file = place / f"film.{rng.choice((suffix, suffix, suffix, 'mp4', 'avi', 'gif', 'txt'))}"
        file.write_bytes(damaged(videos[suffix], rng))
        return lambda: use_clip(file)

    swarm("video", count, tmp_path, write)


def test_whole_media_are_read(videos: dict[str, bytes], tmp_path: Path) -> None:
    for suffix, data in videos.items():
        if suffix not in ("png", "webp"):  # refused or read: test_video says which
            (tmp_path / f"film.{suffix}").write_bytes(data)
            use_clip(tmp_path / f"film.{suffix}")
