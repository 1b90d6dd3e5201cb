"""Decode a video, or a folder of frames, one upright frame at a time."""

import hashlib
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.stream import Disposition

from ifdd.data.wholeness import cut_short
from ifdd.errors import InputError

FOLDER_FPS = 25.0
"""Frame rate of a folder of frames unless the caller states another one."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

# FFmpeg would draw a text file, and follow a playlist to other files
_NOT_A_VIDEO = {"tty", "concat", "hls", "dash", "sdp"}
_Picture = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Frame:
    """One decoded frame: `image` is (H, W, 3) uint8 RGB, upright; `seconds` counts from the first frame."""

    index: int
    seconds: float
    image: np.ndarray


@dataclass(frozen=True)
class VideoInfo:
    """What a source is: `kind` is "video" or "frames"; `width` and `height` are those of the upright frame."""

    path: Path
    kind: str
    fps: float | None
    width: int
    height: int


def read_frames(
    path: str | Path,
    start: float | None = None,
    end: float | None = None,
    *,
    fps: float | None = None,
    keep: Container[int] | None = None,
) -> Iterator[Frame]:
    """Yield the frames with `start` <= seconds < `end` in presentation order, one in memory at a time.

    Seconds come from the time stamps, less that of the first frame; a frame without a stamp, or with one that does not
    increase, follows its predecessor by one frame of the average rate. The display matrix (rotation, mirroring) and
    non-square pixels are honoured. Frames that cannot be decoded before the first whole picture are left out.

    Args:
        path: video file, or folder of images in natural order (2.png before 10.png; hidden files are left out).
        start: seconds, inclusive.
        end: seconds, exclusive. Nothing after it is decoded.
        fps: frame rate of a folder of frames, `FOLDER_FPS` by default; a video has time stamps of its own.
        keep: frame indexes to convert to RGB and yield; the others are only decoded.

    Raises:
        InputError: no such file, not a video, fewer than two frames, broken or cut short, images of different sizes,
            `start` or `end` outside the video.
    """
    return (Frame(i, t, picture()) for i, t, picture in _stretch(path, start, end, fps) if keep is None or i in keep)


def read_seconds(
    path: str | Path, start: float | None = None, end: float | None = None, *, fps: float | None = None
) -> tuple[int, np.ndarray]:
    """Index of the first frame of the stretch, and the seconds (n,) of all its frames.

    Raises:
        InputError: as `read_frames`; also when no frame begins within the stretch.
    """
    first = 0
    seconds: list[float] = []
    for index, t, _ in _stretch(path, start, end, fps):
        first = index if not seconds else first
        seconds.append(t)
    if not seconds:
        raise InputError(f"{path}: no frame from {stretch_name(start, end)}; choose a longer stretch")
    return first, np.array(seconds)


def probe(path: str | Path, *, fps: float | None = None) -> VideoInfo:
    """Kind, average frame rate and upright size of a source, from its header and first frame.

    Raises:
        InputError: as `read_frames`, as far as the first frame shows it.
    """
    path = _existing(path)
    if path.is_dir():
        rate: float | None = fps or FOLDER_FPS
    else:
        with _open(path) as container:
            average = _stream(container, path).average_rate
            rate = float(average) if average else None
    height, width = next(_decode(path, fps))[1]().shape[:2]
    return VideoInfo(path, "frames" if path.is_dir() else "video", rate, width, height)


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, or over the names and contents of a folder's frames in their order.

    Raises:
        InputError: no such file, a folder without images.
    """
    path = _existing(path)
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for image in image_files(path):
        digest.update(f"{image.name}\0{file_sha256(image)}\n".encode())
    return digest.hexdigest()


def image_files(folder: Path) -> list[Path]:
    """Images of a folder in natural order; hidden and other files are left out.

    Raises:
        InputError: the folder holds no image.
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]
    if not files:
        raise InputError(f"{folder}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)}); give a video or a folder of frames")
    return sorted(files, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key that counts: 2.png before 10.png."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name


def stretch_name(start: float | None, end: float | None) -> str:
    """A stretch in words, for messages."""
    return f"{start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the spelling")
    return path


def _stretch(
    path: str | Path, start: float | None, end: float | None, fps: float | None
) -> Iterator[tuple[int, float, _Picture]]:
    """(index, seconds, picture) of the frames with start <= seconds < end; the picture is made only when called."""
    path = _existing(path)
    first = 0.0 if start is None else start
    if not first >= 0 or (end is not None and not end > first):
        raise InputError(f"{path}: the stretch from {stretch_name(start, end)} is empty; choose 0 <= start < end")
    if fps is not None and not fps > 0:
        raise InputError(f"{path}: a frame rate of {fps:g} is impossible; give --fps above 0")
    if fps is not None and path.is_file():
        raise InputError(f"{path}: a video has time stamps of its own; --fps is for a folder of frames, leave it out")
    seconds, step, count = 0.0, 0.0, 0
    for count, (now, picture) in enumerate(_decode(path, fps), start=1):
        if end is not None and now >= end:
            return
        seconds, step = now, now - seconds
        if seconds >= first:
            yield count - 1, seconds, picture
    if count < 2:
        raise InputError(f"{path}: holds {count} frame{'' if count else 's'}; a clip needs at least 2: give a longer video")
    length = seconds + step
    # half a frame of grace: the length is known no better than that
    if first >= length or (end is not None and end > length + step / 2):
        raise InputError(f"{path}: {first if first >= length else end:g} s is outside the video, which lasts {length:.2f} s")


def _decode(path: Path, fps: float | None) -> Iterator[tuple[float, _Picture]]:
    return _decode_folder(path, fps or FOLDER_FPS) if path.is_dir() else _decode_video(path)


def _decode_folder(folder: Path, fps: float) -> Iterator[tuple[float, _Picture]]:
    first: tuple[Path, tuple[int, ...]] | None = None
    for index, file in enumerate(image_files(folder)):
        data = np.fromfile(file, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
        if image is None:
            raise InputError(f"{file}: not an image that can be read; remove it or write it anew")
        first = first or (file, image.shape)
        if image.shape != first[1]:
            (h0, w0), (h, w) = first[1][:2], image.shape[:2]
            raise InputError(
                f"{folder}: frames of different sizes: {first[0].name} is {w0}x{h0}, {file.name} is {w}x{h}; make them one size"
            )
        yield index / fps, partial(np.asarray, image)


def _open(path: Path) -> av.container.InputContainer:
    try:
        # "file:" and the whitelist: a name with a colon is no address, and no file makes us fetch another
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise InputError(f"{path}: not a video that can be read ({error.strerror}); give a whole video") from error
    if container.format.name in _NOT_A_VIDEO:
        container.close()
        raise InputError(f"{path}: text or a playlist, not a video; give the video itself")
    return container


def _stream(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        found = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise InputError(f"{path}: holds no video, only {found}; give a video with pictures")
    if streams[0].codec_context is None:
        raise InputError(f"{path}: no decoder for its video codec; convert it to H.264 first")
    return streams[0]


def _decode_video(path: Path) -> Iterator[tuple[float, _Picture]]:
    with _open(path) as container:
        stream = _stream(container, path)
        step = float(1 / (stream.average_rate or Fraction(25)))
        origin, seconds, count = 0.0, -step, 0
        shape, turn, reached = (0, 0), (1, 0, 0, 1), 0.0

        def broken(why: object) -> InputError:
            return InputError(
                f"{path}: breaks after frame {count - 1} ({seconds:.2f} s): {why}; "
                f"repair the file, or read what is whole of it with --end {seconds:.2f}"
            )

        packets = container.demux()
        while True:
            try:
                packet = next(packets)
                if packet.pts is not None and packet.time_base is not None:
                    reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                frames = stream.decode(packet) if packet.stream is stream else []
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                if count == 0 and not isinstance(error, av.error.EOFError):
                    continue  # a stream may begin within a group of pictures
                raise broken(error.strerror) from error
            for frame in frames:
                if frame.is_corrupt:
                    if count == 0:
                        continue
                    raise broken("the next frame is damaged")
                stamp = frame.dts if frame.pts is None else frame.pts
                now = seconds + step if stamp is None else float(stamp * (stream.time_base or 1)) - origin
                if count == 0:
                    origin, now = now, 0.0
                    shape = _square_pixels(frame, stream.sample_aspect_ratio)
                    turn = _display_matrix(frame)
                seconds = now if now > seconds else seconds + step
                count += 1
                yield seconds, partial(_upright, frame, shape, turn)
        if (missing := cut_short(container, stream, path, reached, step)) and count:
            raise broken(missing)


def _square_pixels(frame: av.VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) to scale to before turning; an aspect within 1 % of square is a header's rounding."""
    if not aspect or abs(float(aspect) - 1) < 0.01:
        return frame.width, frame.height
    return max(1, round(frame.width * float(aspect))), frame.height


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of x' = a·x + c·y, y' = b·x + d·y; the identity where a frame states none."""
    side_data: Any = frame.side_data  # a mapping that also takes names, which its stub does not say
    if "DISPLAYMATRIX" not in side_data:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(side_data["DISPLAYMATRIX"], np.int32)[:5].tolist()
    return a, b, c, d


def _upright(frame: av.VideoFrame, shape: tuple[int, int], turn: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned and mirrored in quarter turns as the display matrix asks."""
    image = frame.to_ndarray(format="rgb24", width=shape[0], height=shape[1])
    a, b, c, d = turn
    if abs(b) > abs(a):
        image, (a, d) = image.transpose(1, 0, 2), (c, b)
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])
