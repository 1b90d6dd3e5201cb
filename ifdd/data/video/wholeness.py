"""Tell whether a video file that was read to its end is whole: FFmpeg stops in silence where a file is cut short."""

from pathlib import Path
from typing import BinaryIO

import av

# containers whose header states how long they are; elsewhere FFmpeg estimates it from what is left of the file
_STATE_LENGTH = {"flv", "matroska,webm", "avi", "asf"}


def cut_short(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path, reached: float, step: float
) -> str | None:
    """Why a file is not whole, or None.

    Args:
        container: the open file.
        stream: the stream that was decoded.
        path: of the file.
        reached: seconds at which the last packet of any stream ends.
        step: seconds of a frame. A header's length may be off by three of them, 0.1 s or 2 %.
    """
    size = path.stat().st_size
    if any(entry.pos + entry.size > size for entry in stream.index_entries):
        return "the file is cut short"
    declared = (container.duration or 0) / av.time_base
    if container.format.name in _STATE_LENGTH and reached < declared - max(3 * step, 0.1, 0.02 * declared):
        return f"the file is cut short, its header says {declared:.2f} s"
    if container.format.name == "gif":
        with path.open("rb") as file:
            if not _gif_ends(file):
                return "the file is cut short or damaged"
    return None


def _gif_ends(file: BinaryIO) -> bool:
    """Walk the blocks of a GIF to its trailer (GIF89a, appendix A)."""

    def skip_table(flags: int) -> None:
        if flags & 0x80:
            file.seek(3 << ((flags & 0x07) + 1), 1)

    skip_table((file.read(13) + bytes(13))[10])
    while (kind := file.read(1)) in (b",", b"!"):
        if kind == b",":  # an image: position, flags, perhaps a colour table, code size
            skip_table((file.read(9) + bytes(9))[8])
        file.seek(1, 1)
        while length := file.read(1)[:1]:
            if length == b"\0":
                break
            file.seek(length[0], 1)
    return kind == b";"
