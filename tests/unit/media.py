"""Tiny videos for the tests, with a known picture and a number that can be read back from every frame."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition
from PIL import Image

CORNERS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 255)]], np.uint8)
"""Red, green / blue, white: tells every turn and mirroring apart."""


def corners_image(height: int = 64, width: int = 96) -> np.ndarray:
    """(height, width, 3): four coloured quarters."""
    return np.repeat(np.repeat(CORNERS, height // 2, axis=0), width // 2, axis=1)


def gray_images(values: Iterable[int], height: int = 48, width: int = 64) -> list[np.ndarray]:
    """One even gray frame per value."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    milliseconds: Sequence[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """Encode `images` at 25 frames per second, or at the given time stamps."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "g": "10"}
        unit = Fraction(1, 25) if milliseconds is None else Fraction(1, 1000)
        stream.time_base = stream.codec_context.time_base = unit
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = unit
            frame.pts = index if milliseconds is None else milliseconds[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for start in range(0, 8192, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


BITS = 8
"""Of a frame's number: it counts from 0 to 255."""


def numbered_image(number: int, height: int = 96, width: int = 128) -> np.ndarray:
    """(height, width, 3): four coloured quarters and, in the central square, `number` in bars over its complement.

    The upper row of bars has a white one for every bit that is set, highest first; the lower row has the opposite. Both stay
    whole under the largest centred square crop, survive lossy coding, and tell a mixture of two frames from either.
    """
    image = corners_image(height, width)
    bits = np.array([number >> bit & 1 for bit in reversed(range(BITS))])
    rows, columns = _bars(height, width)
    for row, values in zip(rows, (bits, 1 - bits), strict=True):
        for column, value in zip(columns, values, strict=True):
            image[row, column] = 255 * value
    return image


def read_number(image: np.ndarray) -> int:
    """The number that an upright frame shows; a frame that shows none, or two at once, fails the test."""
    rows, columns = _bars(*image.shape[:2])
    upper, lower = np.array([[_centre(image[row, column]) for column in columns] for row in rows])
    assert (abs(upper - lower) > 100).all(), f"no number in the picture: bars {upper.round()} over {lower.round()}"
    return int("".join("1" if bar else "0" for bar in upper > lower), 2)


def _bars(height: int, width: int) -> tuple[list[slice], list[slice]]:
    """Two rows and BITS columns of the bars: three quarters of the central square wide, a quarter of it high."""
    side = min(height, width)
    across = np.linspace(width / 2 - 3 * side / 8, width / 2 + 3 * side / 8, BITS + 1).round().astype(int)
    down = np.linspace(height / 2 - side / 8, height / 2 + side / 8, 3).round().astype(int)
    first, second = ([slice(a, b) for a, b in pairwise(edges)] for edges in (down, across))
    return first, second


def _centre(cell: np.ndarray) -> float:
    """Mean of the middle of a bar: coding blurs its edges."""
    height, width = (length // 4 for length in cell.shape[:2])
    return float(cell[height : cell.shape[0] - height, width : cell.shape[1] - width].mean())


@dataclass(frozen=True)
class Track:
    """A video stream whose frame i shows the number `first` + i.

    `durations` are milliseconds, one a frame, the last one's own included; `stamps` (milliseconds, one a frame) stand in for
    the stamps that follow from `begins` and the durations. `size` (height, width) is that of the picture as it is to be seen:
    it is written turned by `rotation` (quarter turns, in degrees) and `mirrored`, with pixels of the width `aspect`.
    `edit` takes every packet and gives it back, changed, or None to lose it. `then` follows in the same stream, from an
    encoder of its own: of another size, perhaps.
    """

    durations: Sequence[int] = (40,) * 20
    codec: str = "libx264"
    size: tuple[int, int] = (96, 128)
    first: int = 0
    begins: int = 0
    stamps: Sequence[int] | None = None
    rotation: int = 0
    mirrored: bool = False
    aspect: Fraction = Fraction(1)
    b_frames: int = 0
    disposition: Disposition | None = None
    pix_fmt: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    edit: Callable[[av.Packet], av.Packet | None] = lambda packet: packet
    then: "Track | None" = None
    image: Callable[[int, int, int], np.ndarray] = numbered_image

    @property
    def seconds(self) -> np.ndarray:
        """(n,) at which the frames begin, from the first on; without what `stamps` and `edit` change."""
        return np.array([0, *np.cumsum(self.durations)[:-1]]) / 1000

    @property
    def length(self) -> float:
        """Seconds from the first frame to the end of the last one."""
        return sum(self.durations) / 1000

    def pictures(self) -> list[np.ndarray]:
        """As they are to be seen."""
        return [self.image(self.first + index, *self.size) for index in range(len(self.durations))]

    def coded(self, image: np.ndarray) -> np.ndarray:
        """What is written of a picture: turned back, mirrored, its pixels narrowed."""
        image = image[:, ::-1] if self.mirrored else image
        image = np.rot90(image, -self.rotation // 90)
        height, width = image.shape[0], max(2, 2 * round(image.shape[1] / float(self.aspect) / 2))
        return cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_AREA)


_CODECS = {
    ".webm": "libvpx",
    ".flv": "flv",
    ".gif": "gif",
    ".apng": "apng",
    ".mpg": "mpeg2video",
    ".wmv": "wmv2",
    ".avi": "mpeg4",
}
_FORMATS = {"gif": "rgb8", "apng": "rgb24", "qtrle": "rgb24", "png": "rgb24", "mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}
_EXACT = {
    "libx264": {"crf": "10"},
    "libx265": {"crf": "10", "x265-params": "log-level=none"},
    "libvpx": {"crf": "4", "b": "4M"},
    "libvpx-vp9": {"crf": "4", "b": "4M", "cpu-used": "8"},
}


def default_codec(path: Path) -> str:
    """The codec that `write_film` gives a file of this suffix."""
    return _CODECS.get(path.suffix, "libx264")


def write_film(path: Path, *tracks: Track, options: dict[str, str] | None = None) -> Path:
    """Write the tracks into one file, in the container of its suffix; by default one, with `default_codec`.

    GIF, PNG and WebP are written by PIL, which keeps every delay; GIF counts in hundredths of a second, AVI in frames of 40 ms.
    """
    tracks = tracks or (Track(codec=default_codec(path)),)
    if path.suffix in (".gif", ".png", ".webp"):
        [track] = tracks
        first, *rest = (Image.fromarray(image) for image in track.pictures())
        how = {"lossless": True} if path.suffix == ".webp" else {}
        first.save(path, save_all=True, append_images=rest, duration=list(track.durations), loop=0, **how)
        return path
    with av.open(str(path), "w", options=options or {}) as container:
        streams = [_stream(container, track) for track in tracks]
        packets = [packet for track, stream in zip(tracks, streams, strict=True) for packet in _packets(track, stream)]
        for packet in sorted(packets, key=lambda packet: packet.dts):
            container.mux(packet)
    return path


def _stream(container: av.container.OutputContainer, track: Track) -> av.VideoStream:
    stream = container.add_stream(track.codec, rate=25)
    _set_up(stream.codec_context, track)
    stream.sample_aspect_ratio = track.aspect
    stamps = [*track.durations, *(track.stamps or []), track.begins]
    stream.time_base = Fraction(1, 1000) if any(stamp % 40 for stamp in stamps) else Fraction(1, 25)
    if track.disposition is not None:
        stream.disposition = track.disposition
    if track.rotation or track.mirrored:
        stream.set_display_rotation(track.rotation, hflip=track.mirrored)
    return stream


def _set_up(encoder: av.VideoCodecContext, track: Track) -> None:
    encoder.height, encoder.width = track.coded(track.pictures()[0]).shape[:2]
    encoder.pix_fmt = track.pix_fmt or _FORMATS.get(track.codec, "yuv420p")
    encoder.framerate, encoder.time_base, encoder.sample_aspect_ratio = 25, Fraction(1, 25), track.aspect
    # one thread: the same file every time
    encoder.options = {"g": "10", "bf": str(track.b_frames), "threads": "1"} | _EXACT.get(track.codec, {"qmin": "1", "qmax": "2"})
    encoder.options |= track.options


def _packets(track: Track, stream: av.VideoStream) -> Iterable[av.Packet]:
    """The encoder counts frames; the stamps are put on its packets afterwards, in milliseconds."""
    begins, encoder = track.begins, stream.codec_context
    part: Track | None = track
    while part is not None:
        stamps = part.stamps or (begins + 1000 * part.seconds).round().astype(int).tolist()
        found = []
        for index, image in enumerate(part.pictures()):
            frame = av.VideoFrame.from_ndarray(part.coded(image), format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 25), index
            found += encoder.encode(frame)
        for packet in found + encoder.encode(None):
            index = packet.pts
            packet.dts = stamps[packet.dts] if packet.dts >= 0 else stamps[0] + 40 * packet.dts
            packet.pts, packet.duration, packet.time_base = stamps[index], part.durations[index], Fraction(1, 1000)
            packet.stream = stream
            if (edited := part.edit(packet)) is not None:
                yield edited
        begins, part = begins + sum(part.durations), part.then
        if part is not None:
            encoder = av.CodecContext.create(part.codec, "w")
            _set_up(encoder, part)
