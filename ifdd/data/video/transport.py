"""MPEG transport streams: tell packets that are lost from files that were joined (ISO 13818-1, 2.4.3)."""

from pathlib import Path

import numpy as np

_SYNC = 0x47
_DATA = 188
"""Bytes of a packet without the time stamp before it, which belongs to the next one, or the check sum after it."""
_BLOCK = 1 << 16  # packets


def packets_lost(path: Path, pid: int) -> bool:
    """Whether packets of one stream are lost: its counter, of 4 bits, leaves out a number, or a unit of data has another length.

    Where files were joined the counter begins anew too, but with a new picture, behind a new table of programmes.
    """
    size, offset = _packets(path)
    if not size:
        return True
    with path.open("rb") as file:
        file.seek(offset)
        last: int | None = None
        table: int | None = None
        fresh = False
        stated = held = 0  # bytes of the data unit at hand by its header, and found
        while block := file.read(size * _BLOCK):
            packets = _rows(block, size)
            if (packets[:, 0] != _SYNC).any():
                return True
            pids = (packets[:, 1].astype(int) & 0x1F) << 8 | packets[:, 2]
            # with data, of the stream or of the table of programmes (stream 0)
            for packet in packets[((pids == pid) | (pids == 0)) & (packets[:, 3] & 0x10 > 0)]:
                counter, starts = int(packet[3] & 0x0F), bool(packet[1] & 0x40)
                if not packet[1] & 0x1F and not packet[2]:
                    fresh = table is None or counter != (table + 1) % 16 or counter == 0
                    table = counter
                    continue
                announced = packet[3] & 0x20 and packet[4] and packet[5] & 0x80
                data = packet[5 + int(packet[4]) if packet[3] & 0x20 else 4 : 188]
                if starts:
                    if stated and held != stated:
                        return True
                    stated, held = int(data[4]) << 8 | int(data[5]) if len(data) > 5 else 0, -6
                if last != counter:  # a packet may be sent twice
                    held += len(data)
                if last is not None and counter not in (last, (last + 1) % 16) and not announced and not (starts and fresh):
                    return True
                last, fresh = counter, False
    return False


def doubts(path: Path, seconds: np.ndarray, *, to_end: bool) -> tuple[str, ...]:
    """What a transport stream cannot tell, in words: whether a picture is held or 16 packets, or 32, … are lost; whether the
    last picture is whole. Nothing for other files.

    Args:
        path: of the file.
        seconds: (n,) at which its frames begin.
        to_end: whether its last frame is among them.
    """
    if not path.is_file() or not _packets(path)[0]:
        return ()
    told = []
    gaps = np.diff(seconds)
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    long = gaps > 1.5 * usual
    if long.any() and (abs(gaps - usual) < 0.25 * usual).mean() > 0.8:  # where distances vary, a longer one says nothing
        at = ", ".join(
            f"{second:.2f} s ({gap:.2f} s)" for second, gap in zip(seconds[:-1][long][:4], gaps[long][:4], strict=True)
        )
        told.append(f"the picture stays, or packets are lost (a transport stream does not tell which), from {at}")
    if to_end and not _ends_whole(path):
        told.append("the file may be cut off within its last picture")
    return tuple(told)


def cut_within_a_packet(path: Path) -> bool:
    """Whether a transport stream ends before its last packet does."""
    size, offset = _packets(path)
    return bool(size) and 0 < (path.stat().st_size - offset) % size < _DATA


def _ends_whole(path: Path) -> bool:
    """Whether the last packet of pictures has room to spare, as the last of a picture has but once in 184 times."""
    size, offset = _packets(path)
    count = -(-(path.stat().st_size - offset) // size)
    skip = max(0, count - _BLOCK)
    with path.open("rb") as file:
        file.seek(offset + skip * size)
        packets = _rows(file.read(), size)
    filled = packets[packets[:, 3] & 0x10 > 0]
    pids = (filled[:, 1].astype(int) & 0x1F) << 8 | filled[:, 2]
    places = np.where(filled[:, 3] & 0x20 > 0, 5 + filled[:, 4].astype(int), 4)  # of the data
    heads = np.take_along_axis(filled, np.minimum(places[:, None] + np.arange(4), size - 1), axis=1)
    pictures = (filled[:, 1] & 0x40 > 0) & (heads[:, :3] == (0, 0, 1)).all(axis=1) & (heads[:, 3] & 0xF0 == 0xE0)
    clocks = 6 * ((filled[:, 5] & 0x10 > 0) + 1 * (filled[:, 5] & 0x08 > 0))  # in the field before the data
    spare = (places > 4) & ((filled[:, 4] == 0) | (places > 6 + clocks))
    return all(spare[pids == pid][-1] for pid in np.unique(pids[pictures]))


def _rows(block: bytes, size: int) -> np.ndarray:
    """Packets (n, size); of what may follow the last one nothing is missed."""
    whole = len(block) % size >= _DATA
    block = block + bytes(-len(block) % size) if whole else block[: len(block) // size * size]
    return np.frombuffer(block, np.uint8).reshape(-1, size)


def _packets(path: Path) -> tuple[int, int]:
    """(bytes of a packet, offset of the first): 188, with a time stamp before 192, with a checksum 204; 0 where none fits."""
    with path.open("rb") as file:
        head = file.read(204 * 16)
    for size in (188, 192, 204):
        for offset in range(size):
            if len(head) >= 5 * size and all(head[at] == _SYNC for at in range(offset, len(head), size)):
                return size, offset
    return 0, 0
