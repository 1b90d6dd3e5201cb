"""Decode a video, or a folder of frames, one upright frame at a time."""

from collections.abc import Container, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import av.error
import numpy as np
from av.stream import Disposition

from ifdd.data.video.frame_folder import FOLDER_FPS, decode_folder
from ifdd.data.video.frames import Frame, Picture, VideoInfo, existing, stretch_name
from ifdd.data.video.pixels import display_matrix, square_pixels, upright
from ifdd.data.video.wholeness import cut_short
from ifdd.errors import InputError

# FFmpeg would draw a text file, and follow a playlist to other files
_NOT_A_VIDEO = {"tty", "concat", "hls", "dash", "sdp"}


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
    path = existing(path)
    if path.is_dir():
        rate: float | None = fps or FOLDER_FPS
    else:
        with _open(path) as container:
            average = _stream(container, path).average_rate
            rate = float(average) if average else None
    height, width = next(_decode(path, fps))[1]().shape[:2]
    return VideoInfo(path, "frames" if path.is_dir() else "video", rate, width, height)


def _stretch(path: str | Path, start: float | None, end: float | None, fps: float | None) -> Iterator[tuple[int, float, Picture]]:
    """(index, seconds, picture) of the frames with start <= seconds < end; the picture is made only when called."""
    path = existing(path)
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


def _decode(path: Path, fps: float | None) -> Iterator[tuple[float, Picture]]:
    return decode_folder(path, fps or FOLDER_FPS) if path.is_dir() else _decode_video(path)


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


def _decode_video(path: Path) -> Iterator[tuple[float, Picture]]:
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
                    shape = square_pixels(frame, stream.sample_aspect_ratio)
                    turn = display_matrix(frame)
                seconds = now if now > seconds else seconds + step
                count += 1
                yield seconds, partial(upright, frame, shape, turn)
        if (missing := cut_short(container, stream, path, reached, step)) and count:
            raise broken(missing)
