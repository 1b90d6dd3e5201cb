"""How many visibly damaged files are refused, beside what Pillow and FFmpeg alone refuse; how fast folders of frames are read.

    python benchmarks/damage.py CLIP [ROUNDS]

CLIP is any video. A file counts where the library alone shows another picture (a pixel is off by more than 16 of 255, or a frame
is missing), or refuses it.
"""

import io
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from ifdd.data.video import read_frames
from ifdd.data.video.images import read_image
from ifdd.errors import InputError

IMAGES = {
    "JPEG": ("JPEG", {"quality": 92}),
    "JPEG, own tables": ("JPEG", {"quality": 75, "optimize": True}),
    "JPEG, progressive": ("JPEG", {"quality": 92, "progressive": True}),
    "PNG": ("PNG", {}),
}
VIDEOS = [
    ("mp4", "libx264"),
    ("mp4", "libx265"),
    ("ts", "libx264"),
    ("ts", "mpeg2video"),
    ("avi", "mpeg4"),
    ("avi", "mjpeg"),
    ("webm", "libvpx"),
    ("webm", "libvpx-vp9"),
    ("mkv", "ffv1"),
    ("avi", "huffyuv"),
    ("mov", "cinepak"),
]
FORMS = {"mjpeg": "yuvj420p", "huffyuv": "yuv422p", "cinepak": "rgb24"}
DAMAGE: dict[str, Callable[[bytes, int, np.random.Generator], bytes]] = {
    "zeros": lambda data, at, rng: data[:at] + bytes(400) + data[at + 400 :],
    "noise": lambda data, at, rng: data[:at] + rng.bytes(400) + data[at + 400 :],
    "bit": lambda data, at, rng: data[:at] + bytes([data[at] ^ 1 << rng.integers(8)]) + data[at + 1 :],
    "left out": lambda data, at, rng: data[:at] + data[at + 400 :],
    "cut": lambda data, at, rng: data[:at],
}


def by_pillow(file: Path) -> list[np.ndarray]:
    """The picture as Pillow shows it."""
    return [np.asarray(Image.open(io.BytesIO(file.read_bytes())).convert("RGB"))]


def by_ffmpeg(file: Path) -> list[np.ndarray]:
    """The frames as FFmpeg shows them."""
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def harmed(found: list[np.ndarray], whole: list[np.ndarray]) -> bool:
    """Whether anybody would see it."""
    return len(found) != len(whole) or any(
        a.shape != b.shape or int(cv2.absdiff(a, b).max()) > 16 for a, b in zip(found, whole, strict=True)
    )


def rates(file: Path, plain: Callable[[Path], list[np.ndarray]], ours: Callable[[Path], object], rounds: int) -> str:
    """refused by ours / by the library / of the harmed, for every kind of damage."""
    data, whole, rng, told = file.read_bytes(), plain(file), np.random.default_rng(0), []
    for name, change in DAMAGE.items():
        mine = theirs = count = 0
        for share in np.linspace(0.1, 0.9, rounds):
            file.write_bytes(change(data, int(share * len(data)), rng))
            try:
                refused, seen = False, harmed(plain(file), whole)
            except Exception:  # a reader of damaged bytes may fail in any way
                refused = seen = True
            if not seen:
                continue
            count, theirs = count + 1, theirs + refused
            try:
                ours(file)
            except InputError:
                mine += 1
        told.append(f"{name} {mine}/{theirs}/{count}")
    file.write_bytes(data)
    return ", ".join(told)


def main() -> None:
    """Measure and print."""
    clip, rounds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 25
    warnings.simplefilter("ignore")  # of the pixel format that Motion JPEG has
    frames = [cv2.resize(frame.image, (224, 224), interpolation=cv2.INTER_AREA) for frame in islice(read_frames(clip), 48)]
    print("refused by this project / by the library alone / of the visibly harmed")
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, options) in IMAGES.items():
            file = Path(folder) / f"1.{kind.lower()}"
            Image.fromarray(frames[0]).save(file, **options)
            print(f"  {name:20}", rates(file, by_pillow, lambda file: read_image(file)[2](), 4 * rounds), flush=True)
        for suffix, codec in VIDEOS:
            file = Path(folder) / f"a.{suffix}"
            with av.open(str(file), "w") as container:
                stream = container.add_stream(codec, rate=25)
                stream.width, stream.height, stream.pix_fmt = 224, 224, FORMS.get(codec, "yuv420p")
                stream.options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
                stream.codec_context.bit_rate = 1_500_000
                for image in frames[:24]:
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                container.mux(stream.encode())
            print(
                f"  {suffix + ' ' + codec:20}", rates(file, by_ffmpeg, lambda file: list(read_frames(file)), rounds), flush=True
            )
    print("frames of 224 × 224 a CPU second, read from a folder; by Pillow alone")
    for suffix, options in (("jpg", {"quality": 92}), ("png", {})):
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{number:03}.{suffix}" for number in range(len(frames))]
            for file, image in zip(files, frames, strict=True):
                Image.fromarray(image).save(file, **options)
            list(read_frames(folder))  # the machine code is made
            start = time.process_time()
            for _ in range(5):
                list(read_frames(folder))
            middle = time.process_time()
            for _ in range(5):
                [by_pillow(file) for file in files]
            end, count = time.process_time(), 5 * len(files)
            size = sum(file.stat().st_size for file in files) / len(files) / 1000
            print(f"  {suffix}, {size:.0f} kB each: {count / (middle - start):.0f}; {count / (end - middle):.0f}")


if __name__ == "__main__":
    main()
