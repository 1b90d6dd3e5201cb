"""MPEG transport streams: tell packets that are lost from files that were joined (ISO 13818-1, 2.4.3)."""

from pathlib import Path

import numpy as np

_SYNC = 0x47
_BLOCK = 1 << 16  # packets


def packets_lost(path: Path, pid: int) -> bool:
    """Whether packets of one stream are lost: its counter, of 4 bits, leaves out a number.

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
        while block := file.read(size * _BLOCK):
            packets = np.frombuffer(block[: len(block) // size * size], np.uint8).reshape(-1, size)
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
                if last is not None and counter not in (last, (last + 1) % 16) and not announced and not (starts and fresh):
                    return True
                last, fresh = counter, False
    return False


def _packets(path: Path) -> tuple[int, int]:
    """(bytes of a packet, offset of the first): 188, with a time stamp before 192, with a checksum 204; 0 where none fits."""
    with path.open("rb") as file:
        head = file.read(204 * 16)
    for size in (188, 192, 204):
        for offset in range(size):
            if len(head) >= 5 * size and all(head[at] == _SYNC for at in range(offset, len(head), size)):
                return size, offset
    return 0, 0
