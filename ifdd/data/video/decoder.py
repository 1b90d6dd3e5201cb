"""Decode packets, and hear what FFmpeg mutters: it conceals damage, and gives a picture that was never filmed."""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import av
import av.error
import av.logging

from ifdd.data.video.frames import MAX_PIXELS

# FFmpeg's errors come here only to be heard while decoding; nothing of them is printed
av.logging.set_level(av.logging.ERROR)
av.logging.set_skip_repeated(False)
logging.getLogger("libav").addHandler(logging.NullHandler())
logging.getLogger("libav").propagate = False

_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read the transparency of WebM; FFmpeg's own ones show what is under it."""
_HOLES = {
    # the standards forbid a row of zeros but before a start code
    "h264": re.compile(rb"\0{32,}[^\0\1]"),
    "hevc": re.compile(rb"\0{32,}[^\0\1]"),
    # an arithmetic code never holds a long one
    "vp8": re.compile(rb"\0{64}"),
    "vp9": re.compile(rb"\0{64}"),
}
_WALKED = re.compile(rb"\xff\xc4.*\xff[\xc0-\xc2]|\xff[\xc0-\xc2].*\xff\xc4", re.DOTALL)
"""JPEGs with Huffman tables of their own (some cameras leave them out), neither lossless nor arithmetic-coded."""


class Decoder:
    """The decoder of a stream, in one thread, so that what it says belongs to the packet at hand."""

    def __init__(self, stream: av.video.stream.VideoStream, container: str) -> None:
        self._level = av.logging.DEBUG if container == "mpegts" else av.logging.ERROR  # to hear of gaps, which costs a little
        self._alone = container in ("mjpeg", "jpeg_pipe")  # JPEGs one after the other, which may hide another
        name = stream.codec_context.name
        self._context: Any = stream.codec_context  # decodes frames of pictures, which a stub of one just made does not say
        if name in _WITH_ALPHA and stream.metadata.get("alpha_mode") == "1":
            self._context = av.CodecContext.create(_WITH_ALPHA[name], "r")
        if self._context.codec.name != "libdav1d":  # which raises what it says, and is slow alone
            self._context.thread_count = 1
        self._context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "crccheck"}
        self._hole = _HOLES.get(name)
        self._damage = _walker() if name == "mjpeg" else None
        self.gap = False
        """Whether the last packet follows another picture than the one before it (H.264); FFmpeg goes on in silence."""

    def decode(self, packet: av.Packet) -> tuple[list[av.VideoFrame], str | None]:
        """The frames that a packet yields, and what is wrong with it, or None.

        Raises: EOFError of FFmpeg after the end.
        """
        if self._damage and _WALKED.search(data := bytes(packet)) and (why := self._damage(data, alone=self._alone)):
            return [], why
        if self._hole and (found := self._hole.search(bytes(packet))):
            return [], f"a hole of {len(found[0])} zeros or more"
        try:
            av.logging.set_level(self._level)
            with av.logging.Capture(local=True) as said:
                try:
                    frames = self._context.decode(packet)
                except av.error.EOFError:
                    raise
                except av.error.FFmpegError as error:
                    return [], first_error(said) or error.strerror
        finally:
            av.logging.set_level(av.logging.ERROR)
        self.gap = any(text.startswith("Frame num gap") for _, _, text in said)
        return frames, first_error(said)


def next_packet(container: av.container.InputContainer, packets: Iterator[av.Packet]) -> tuple[av.Packet, str | None]:
    """The next packet, and what the container's reader says is wrong before it, or None.

    Raises: StopIteration, FFmpegError.
    """
    with av.logging.Capture(local=True) as said:
        packet = next(packets)
    return packet, first_error(said, container.format.name)


def first_error(said: list[tuple[int, str, str]], by: str | None = None) -> str | None:
    """The first error that was said, in one line."""
    return next((" ".join(text.split()) for level, name, text in said if level <= av.logging.ERROR and by in (None, name)), None)


def _walker() -> Callable[..., str | None]:
    from ifdd.data.video.jpeg import damage  # machine code, which takes most of a second to load

    return damage
