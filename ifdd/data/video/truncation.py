"""The truncation check: where a video ends, and whether the file is whole. FFmpeg stops in silence where one is cut short."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av

from ifdd.data.video.transport import cut_within_a_packet

STREAM_STATED = {"avi", "mov,mp4,m4a,3gp,3g2,mj2", "gif"}
"""Containers whose header states how long each stream lasts."""
# here, how long the whole file does; elsewhere FFmpeg estimates it from what is left of the file
_FILE_STATED = {"flv", "matroska,webm", "asf"}


@dataclass
class Reading:
    """What the packets said: seconds at which those of the chosen stream, and of the others, end; the byte after the last;
    how many of the chosen stream hold anything."""

    video: float = 0.0
    others: float = 0.0
    byte: int = 0
    count: int = 0

    def note(self, packet: av.Packet, own: bool) -> None:
        """Add a packet of the chosen stream, or of another."""
        if packet.pos is not None:
            self.byte = max(self.byte, packet.pos + packet.size)
        self.count += own and packet.size > 0
        if packet.pts is None or packet.time_base is None:
            return
        end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
        if own:
            self.video = max(self.video, end)
        else:
            self.others = max(self.others, end)


def stated_end(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path, reading: Reading
) -> float | None:
    """Seconds, on the clock of the stamps, at which the header says that the stream ends; None where it says nothing.

    A file's own length counts only where it goes beyond what its other streams explain.
    """
    if _left_open(container, path):
        return None
    if container.format.name in STREAM_STATED and stream.duration:
        return float(((stream.start_time or 0) + stream.duration) * (stream.time_base or 1))
    if container.format.name in _FILE_STATED and container.duration:
        end = container.duration / av.time_base
        return end if end > reading.others + 0.05 else None
    return None


def cut_short(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path, reading: Reading, step: float
) -> str | None:
    """Why a file is not whole, or None.

    A header that promises more than was read means that the last frame stays, or that the file is cut: its bytes tell which.

    Args:
        container: the open file.
        stream: the stream that was decoded.
        path: of the file.
        reading: all its packets.
        step: seconds of a frame. A header's length may be off by three of them, 0.1 s or 2 %.
    """
    size = path.stat().st_size
    if any(entry.pos + entry.size > size for entry in stream.index_entries):
        return "the file is cut short"
    name = container.format.name
    declared = (container.duration or 0) / av.time_base
    with path.open("rb") as file:
        if (stated := _PICTURES_END[name](file, size) if name in _PICTURES_END else 0) > size:
            return f"the file is cut short, its pictures go on to byte {stated}, it has {size}"
        early = not _left_open(container, path) and max(reading.video, reading.others) < declared - max(
            3 * step, 0.1, 0.02 * declared
        )
        if early and name in _ENDS and not _ENDS[name](file, size, reading.byte):
            return f"the file is cut short, its header says {declared:.2f} s"
        if name == "avi" and (lost := sum(entry.size > 0 for entry in stream.index_entries) - reading.count) > 0:
            return f"{lost} of the frames that its index lists are not where they should be"
        if name == "mpegts" and cut_within_a_packet(path):
            return "the file is cut short"
        if name == "ogg" and not _ogg_ends(file, size):
            return "the file is cut short"
        if name == "gif" and not _gif_ends(file):
            return "the file is cut short or damaged"
    return None


def _left_open(container: av.container.InputContainer, path: Path) -> bool:
    """Whether the header of an AVI was never filled in: the file was written to a pipe, or its recorder stopped."""
    if container.format.name != "avi":
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] in (bytes(4), b"\xff" * 4)


def _avi_pictures_end(file: BinaryIO, size: int) -> int:
    """The byte at which the first list of pictures ends by its own header; 0 where it states nothing. Beside sound, FFmpeg
    works the length of a file that is cut short out anew from its bytes."""
    at = 12
    while at + 12 <= size:
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] == b"LIST" and head[8:] == b"movi":
            return at + 8 + length if 0 < length < 0xFFFFFFFF else 0
        at += 8 + length + length % 2
    return 0


def _asf_pictures_end(file: BinaryIO, size: int) -> int:
    """The byte at which the data object ends by its own header, 0 where it states nothing (ASF specification, 5.1)."""
    file.seek(0)
    header = int.from_bytes(file.read(24)[16:], "little")
    file.seek(header)
    head = file.read(24)
    length = int.from_bytes(head[16:], "little") if head[:4] == b"\x36\x26\xb2\x75" else 0
    return header + length if length > 24 else 0


_PICTURES_END = {"avi": _avi_pictures_end, "asf": _asf_pictures_end}


def _flv_ends(file: BinaryIO, size: int, read: int) -> bool:
    """The file ends with a whole tag, and what was read reaches it but for tags without pictures (FLV 10.1, annex E)."""
    file.seek(max(0, size - 4))
    length = int.from_bytes(file.read(4))
    start = size - 4 - length
    if length < 11 or start < 0:
        return False
    file.seek(start)
    kind, told = file.read(1)[0], int.from_bytes(file.read(3))
    return kind in (8, 9, 18) and told == length - 11 and start <= read + 64


def _avi_ends(file: BinaryIO, size: int, read: int) -> bool:
    """Every RIFF chunk of the file is whole (an AVI above a gigabyte has several)."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(8)
        if head[:4] != b"RIFF" or not (length := int.from_bytes(head[4:], "little")):
            return False
        at += 8 + length + length % 2
    return at <= size + 1


def _asf_ends(file: BinaryIO, size: int, read: int) -> bool:
    """The file is as long as its properties say (ASF specification, 3.2)."""
    file.seek(0)
    head = file.read(1 << 16)
    at = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    return at >= 0 and 0 < int.from_bytes(head[at + 40 : at + 48], "little") <= size


def _matroska_ends(file: BinaryIO, size: int, read: int) -> bool:
    """Every element of the segment is whole, and what was read reaches the end of the last cluster (RFC 8794, RFC 9559)."""

    def number(keep_marker: bool) -> int | None:
        first = (file.read(1) or b"\0")[0]
        if not first:
            return None
        more = 8 - first.bit_length()
        value = int.from_bytes(bytes([first if keep_marker else first & (0x7F >> more)]) + file.read(more))
        return None if not keep_marker and value == (1 << 7 * (more + 1)) - 1 else value  # all ones: unknown

    at = cluster = 0
    while at < size:
        file.seek(at)
        name, length = number(True), number(False)
        if name is None or length is None:
            return False
        at = file.tell() + (0 if name == 0x18538067 else length)  # go into the segment
        if name == 0x1F43B675:
            cluster = at
    return at == size and cluster - read < 64  # after its last frame a cluster holds that frame's length and references


_ENDS = {"flv": _flv_ends, "avi": _avi_ends, "asf": _asf_ends, "matroska,webm": _matroska_ends}


def _ogg_ends(file: BinaryIO, size: int) -> bool:
    """The last page is whole (RFC 3533, 6); what follows it may be anything but the beginning of another."""
    start = max(0, size - (1 << 17))  # a page has 65,307 bytes at most
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    head = tail[at : at + 27]
    if at < 0 or len(head) < 27:
        return at < 0
    table = tail[at + 27 : at + 27 + head[26]]
    return len(table) == head[26] and at + 27 + head[26] + sum(table) <= len(tail)


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
