"""How long and how large a source is, before any of its pictures is decoded."""

from dataclasses import dataclass
from pathlib import Path

import av.error

from ifdd.data.video.animation import frame_ends
from ifdd.data.video.frame_folder import FOLDER_FPS, image_files
from ifdd.data.video.frames import existing
from ifdd.data.video.images import image_size
from ifdd.data.video.opening import choose_stream, open_video
from ifdd.errors import InputError


@dataclass(frozen=True)
class Extent:
    """A source by its container: `seconds` (None where nothing tells), how many `frames`, and their size in pixels."""

    seconds: float | None
    frames: int
    width: int
    height: int


def extent_of(path: str | Path, *, fps: float | None = None, at_most: float | None = None) -> Extent:
    """Length, frames and size of a video or of a folder of frames; `fps` of a folder.

    Of a video the packets are counted and their time stamps read, as a header may say anything; not so where it says more than
    `at_most` seconds, which is then believed.

    Raises: InputError for what is no video, or a folder without frames.
    """
    path = existing(path)
    if path.is_dir():
        files = image_files(path)
        return Extent(len(files) / (fps or FOLDER_FPS), len(files), *image_size(files[0]))
    if len(ends := frame_ends(path)):
        return Extent(float(ends[-1]), len(ends), *image_size(path))
    container, _ = open_video(path)
    with container:
        stream = choose_stream(container, path)
        unit, size = float(stream.time_base or 0), (stream.codec_context.width, stream.codec_context.height)
        told = [container.duration / av.time_base if container.duration else 0.0, (stream.duration or 0) * unit]
        seconds = max(told)
        if at_most is not None and seconds > at_most:
            return Extent(seconds, stream.frames or int(seconds * float(stream.average_rate or 0)), *size)
        frames, first, last = 0, None, None
        try:
            for packet in container.demux(stream):
                frames += packet.size > 0
                if packet.pts is not None:
                    first = packet.pts if first is None else min(first, packet.pts)
                    last = packet.pts if last is None else max(last, packet.pts)
        except av.error.FFmpegError as error:
            raise InputError(f"{path}: damaged ({error.strerror}); give a whole video") from error
        if first is not None and last is not None:
            seconds = max(seconds, (last - first) * unit)
        if not seconds and stream.average_rate:
            seconds = frames / float(stream.average_rate)
        return Extent(seconds or None, frames, *size)
