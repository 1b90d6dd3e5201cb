"""Tell whether the coded data of a JPEG is whole (ITU-T T.81): decoders mend damage in silence, and show a wrong picture."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ifdd.machine_code import compiled

_SOI, _EOI, _SOS, _DHT, _DQT, _DRI, _DNL = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xDC
_HUFFMAN = {0xC0: "sequential", 0xC1: "sequential", 0xC2: "progressive"}
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {_DHT, 0xC8, 0xCC}
_State = tuple[int, int, int]
_FAULTS = {
    1: "its data ends early",
    2: "a code that no table holds",
    3: "a block with more than 64 values",
    4: "a brightness out of range",
    5: "bytes that belong to no block",
    6: "a restart mark that is missing or wrong",
    7: "a hole of zeros",
}


def damage(data: bytes, *, alone: bool = False) -> str | None:
    """Why the coded data of a JPEG is not whole, or None; `alone`: nothing but zeros may follow it.

    Every Huffman code is walked: it must exist, fill its block exactly, stay within the range of an 8-bit picture, and each
    scan must end with its last block at a marker. A changed bit that leaves a valid stream of the same length cannot be told.
    """
    try:
        return _walk(np.frombuffer(data, np.uint8), alone)
    except (IndexError, KeyError, ValueError):
        return "its header is damaged"


@dataclass(eq=False)
class _Component:
    h: int
    v: int
    quantiser: int
    columns: int = 0  # blocks that hold pixels
    rows: int = 0
    stride: int = 0  # blocks in a row of whole units
    nonzero: np.ndarray = field(default_factory=lambda: np.zeros((0, 64), np.bool_))
    missing_bits: np.ndarray = field(default_factory=lambda: np.full(64, 99))  # per coefficient, until its last scan


@dataclass(eq=False)
class _Headers:
    """What the headers before a scan have said so far; `units` across and down, `restart` 0 for none."""

    tables: dict[tuple[int, int], bytes] = field(default_factory=dict)
    quantisers: dict[int, np.ndarray] = field(default_factory=dict)
    components: dict[int, _Component] = field(default_factory=dict)
    units: tuple[int, int] = (0, 0)
    restart: int = 0
    progressive: bool = False


def _walk(data: np.ndarray, alone: bool) -> str | None:
    if len(data) < 4 or data[0] != 0xFF or data[1] != _SOI:
        return "its header is damaged"
    at, said = 2, _Headers()
    while True:
        if data[at] != 0xFF:
            return _FAULTS[5]
        while data[at] == 0xFF:
            at += 1
        marker = int(data[at])
        at += 1
        if marker == _EOI:
            if not said.components or any(part.missing_bits.any() for part in said.components.values()):
                return "scans are missing"
            return _FAULTS[5] if alone and data[at:].any() else None
        length = int(data[at]) << 8 | int(data[at + 1])
        body = data[at + 2 : at + length]
        if length < 2 or len(body) != length - 2:
            return _FAULTS[1]
        at += length
        if marker == _DRI:
            said.restart = int(body[0]) << 8 | int(body[1])
        elif marker == _DHT:
            _read_tables(body, said.tables)
        elif marker == _DQT:
            _read_quantisers(body, said.quantisers)
        elif marker in _HUFFMAN:
            if body[0] != 8:
                return f"{body[0]} bits a colour, where 8 can be read"
            said.progressive = _HUFFMAN[marker] == "progressive"
            said.units = _read_frame(body, said.components, said.progressive)
        elif marker in _OTHER_FRAMES:
            return "it is lossless, hierarchical or arithmetic-coded, which cannot be checked"
        elif marker == _SOS:
            fault, at = _walk_scan(data, at, body, said)
            if fault:
                return _FAULTS[fault]


def _read_tables(body: np.ndarray, tables: dict[tuple[int, int], bytes]) -> None:
    at = 0
    while at < len(body):
        count = int(body[at + 1 : at + 17].sum())
        tables[int(body[at]) >> 4, int(body[at]) & 15] = body[at + 1 : at + 17 + count].tobytes()
        at += 17 + count


@lru_cache(16)
def _lookup(tables: tuple[bytes, ...]) -> np.ndarray:
    """(tables, 65536): length << 8 | symbol of the Huffman code that 16 bits begin with, else 0 (T.81, annex C)."""
    found = np.zeros((len(tables), 65536), np.uint16)
    for entries, table in zip(found, tables, strict=True):
        lengths = np.repeat(np.arange(1, 17), np.frombuffer(table[:16], np.uint8))
        symbols = np.frombuffer(table[16:], np.uint8)
        ends = np.cumsum(0x10000 >> lengths)
        if len(symbols) != len(lengths) or (len(ends) and ends[-1] > 0x10000):
            raise ValueError("not a Huffman table")
        entries[: ends[-1] if len(ends) else 0] = np.repeat((lengths << 8 | symbols).astype(np.uint16), 0x10000 >> lengths)
    return found


def _read_quantisers(body: np.ndarray, quantisers: dict[int, np.ndarray]) -> None:
    at = 0
    while at < len(body):
        size = 2 if body[at] >> 4 else 1
        values = body[at + 1 : at + 1 + 64 * size].reshape(64, size).astype(np.int64)
        quantisers[int(body[at]) & 15] = values[:, 0] if size == 1 else values[:, 0] << 8 | values[:, 1]
        at += 1 + 64 * size


def _read_frame(body: np.ndarray, components: dict[int, _Component], progressive: bool) -> tuple[int, int]:
    height, width = int(body[1]) << 8 | int(body[2]), int(body[3]) << 8 | int(body[4])
    if components or not height or not width or len(body) != 6 + 3 * body[5]:
        raise ValueError("second frame, or no size")
    for name, factors, quantiser in body[6:].reshape(-1, 3).tolist():
        components[name] = _Component(factors >> 4, factors & 15, quantiser)
    h_max, v_max = max(part.h for part in components.values()), max(part.v for part in components.values())
    units = -(-width // (8 * h_max)), -(-height // (8 * v_max))
    for part in components.values():
        part.columns, part.rows = -(-width * part.h // (8 * h_max)), -(-height * part.v // (8 * v_max))
        part.stride = units[0] * part.h
        if progressive:
            part.nonzero = np.zeros((part.stride * units[1] * part.v, 64), np.bool_)
    return units


def _walk_scan(data: np.ndarray, at: int, body: np.ndarray, said: _Headers) -> tuple[int, int]:
    """(fault, place of the marker after the scan)."""
    count = int(body[0])
    tables = said.tables
    chosen = [(said.components[int(name)], int(t)) for name, t in body[1 : 1 + 2 * count].reshape(count, 2)]
    first, last, bits = body[1 + 2 * count : 4 + 2 * count].tolist()
    high, low = bits >> 4, bits & 15
    if not said.progressive:
        first, last, high, low = 0, 63, 0, 0
    if last > 63 or first > last:
        raise ValueError("spectral selection")
    # one component by itself is coded without the blocks that only fill up a unit
    columns, rows = said.units if count > 1 else (chosen[0][0].columns, chosen[0][0].rows)
    blocks, strides, limits = [], [], []
    codes: list[bytes] = []
    for part, t in chosen:
        blocks.append((part.h, part.v) if count > 1 else (1, 1))
        strides.append(part.stride)
        codes += [tables[0, t >> 4] if first == 0 and high == 0 else bytes(16), tables[1, t & 15] if last > 0 else bytes(16)]
        # an 8-bit picture's values lie within 1024 over the quantiser; rounding and ringing may double it
        limits.append(2048 // np.maximum(said.quantisers[part.quantiser], 1) + 1)
        part.missing_bits[first : last + 1] = low
    shapes, limit = np.array(blocks), np.stack(limits)
    if not said.progressive:
        return _sequential(data, at, columns, rows, said.restart, shapes, _lookup(tuple(codes)), limit)
    return _progressive(
        data,
        at,
        columns,
        rows,
        said.restart,
        shapes,
        np.array(strides),
        _lookup(tuple(codes)),
        chosen[0][0].nonzero,
        limit,
        first,
        last,
        high,
        low,
    )


# the state of reading is (place, bits at hand, those bits): plain numbers, which stay in registers


@compiled()
def _fill(data: np.ndarray, state: _State) -> _State:  # pragma: no cover
    """Read bytes up to a marker."""
    at, held, bits = state
    while held <= 40 and at + 1 < len(data) and (data[at] != 0xFF or data[at + 1] == 0):
        bits = (bits << 8 | data[at]) & 0xFFFFFFFFFFFF
        held += 8
        at += 2 if data[at] == 0xFF else 1
    return at, held, bits


@compiled()
def _bits(data: np.ndarray, state: _State, count: int) -> tuple[_State, int]:  # pragma: no cover
    """The next `count` bits, at most 16; -1 where there are no more."""
    if state[1] < count:
        state = _fill(data, state)
        if state[1] < count:
            return state, -1
    at, held, bits = state
    held -= count
    return (at, held, bits), int(bits >> held & ((1 << count) - 1))


@compiled()
def _symbol(data: np.ndarray, state: _State, table: np.ndarray) -> tuple[_State, int]:  # pragma: no cover
    """The next symbol; less a fault where there is none."""
    if state[1] < 16:
        state = _fill(data, state)
    at, held, bits = state
    left = held - 16
    entry = np.int64(table[(bits >> left if left >= 0 else bits << -left) & 0xFFFF])
    length = entry >> 8
    if length == 0 or length > held:
        return state, -1 if held < 16 else -2
    return (at, int(held - length), bits), int(entry & 255)


@compiled()
def _end(data: np.ndarray, state: _State) -> tuple[int, int]:  # pragma: no cover
    """(place, fault): less than a byte may be left before a marker, filled with equal bits."""
    at, held, bits = _fill(data, state)
    rest = bits & ((1 << held) - 1)
    if held > 7 or (rest != 0 and rest != (1 << held) - 1):
        return at, 5
    return at, 1 if at + 1 >= len(data) else 0


@compiled()
def _refine(
    data: np.ndarray, state: _State, known: np.ndarray, at: int, last: int, skip: int
) -> tuple[_State, int]:  # pragma: no cover
    """Read a bit for each known value, past `skip` unknown ones; the place of the next unknown one, or after the last."""
    while at <= last:
        if known[at]:
            state, bit = _bits(data, state, 1)
            if bit < 0:
                return state, -1
        elif skip == 0:
            break
        else:
            skip -= 1
        at += 1
    return state, at


@compiled()
def _block(
    data: np.ndarray,
    state: _State,
    dc: np.ndarray,
    ac: np.ndarray,
    known: np.ndarray,
    limits: np.ndarray,
    before: int,
    run: int,
    first: int,
    last: int,
    high: int,
    low: int,
) -> tuple[_State, int, int, int]:  # pragma: no cover
    """(state, DC value, blocks left of an end-of-band run, fault) after one block (T.81, F.2.2 and G.1.2)."""
    at = first
    if at == 0:
        at = 1
        if high:
            state, value = _bits(data, state, 1)
        else:
            state, size = _symbol(data, state, dc)
            if size < 0 or size > 11:
                return state, before, run, -size if size < 0 else 4
            state, value = _bits(data, state, size)
            before += value if size == 0 or value >> (size - 1) else value - (1 << size) + 1
            if abs(before << low) > limits[0]:
                return state, before, run, 4
        if value < 0:
            return state, before, run, 1
    if run and at <= last:
        if high:
            state, at = _refine(data, state, known, at, last, 64)
        return state, before, run - 1, 1 if at < 0 else 0
    while at <= last:
        state, symbol = _symbol(data, state, ac)
        if symbol < 0:
            return state, before, run, -symbol
        zeros, size = symbol >> 4, symbol & 15
        if size == 0 and zeros < 15:
            state, value = _bits(data, state, zeros)
            run = (1 << zeros) + value - 1
            if high and value >= 0:
                state, value = _refine(data, state, known, at, last, 64)
            return state, before, run, 1 if value < 0 else 0
        state, value = _bits(data, state, size)
        if value < 0 or (high and size > 1):
            return state, before, run, 1 if value < 0 else 4
        if high:
            state, at = _refine(data, state, known, at, last, zeros)
            if at < 0:
                return state, before, run, 1
        else:
            at += zeros
            if size and not value >> (size - 1):
                value = (1 << size) - 1 - value  # a negative one (F.2.2.1)
            if at <= last and value << low > limits[at]:
                return state, before, run, 4
        if at > last:
            return state, before, run, 3
        if size:
            known[at] = True
        at += 1
    return state, before, run, 0


@compiled()
def _restart(data: np.ndarray, state: _State, number: int) -> tuple[int, int]:  # pragma: no cover
    """(place, fault) after the restart mark of that number."""
    at, fault = _end(data, state)
    while at < len(data) - 1 and data[at + 1] == 0xFF:
        at += 1
    if fault == 0 and data[at + 1] != 0xD0 + number % 8:
        fault = 6
    return at + 2, fault


@compiled()
def _progressive(
    data: np.ndarray,
    at: int,
    columns: int,
    rows: int,
    restart: int,
    blocks: np.ndarray,
    strides: np.ndarray,
    tables: np.ndarray,
    nonzero: np.ndarray,
    limits: np.ndarray,
    first: int,
    last: int,
    high: int,
    low: int,
) -> tuple[int, int]:  # pragma: no cover
    """(fault, place of the marker after it) of all codes of a scan of a progressive picture."""
    state = (at, 0, 0)
    before = np.zeros(len(blocks), np.int64)
    run, nobody = 0, np.zeros(64, np.bool_)
    for unit in range(columns * rows):
        if restart and unit and unit % restart == 0:
            at, fault = _restart(data, state, unit // restart - 1)
            if fault or run:
                return fault or 3, at
            state = (at, 0, 0)
            before[:] = 0
        for c in range(len(blocks)):
            for y in range(blocks[c, 1]):
                for x in range(blocks[c, 0]):
                    row, column = unit // columns * blocks[c, 1] + y, unit % columns * blocks[c, 0] + x
                    # only scans of one component have more than its DC values
                    known = nonzero[row * strides[c] + column] if last > 0 else nobody
                    state, before[c], run, fault = _block(
                        data, state, tables[2 * c], tables[2 * c + 1], known, limits[c], before[c], run, first, last, high, low
                    )
                    if fault:
                        return fault, state[0]
    at, fault = _end(data, state)
    return (3 if fault == 0 and run else fault), at


@compiled()
def _sequential(
    data: np.ndarray, at: int, columns: int, rows: int, restart: int, blocks: np.ndarray, tables: np.ndarray, limits: np.ndarray
) -> tuple[int, int]:  # pragma: no cover
    """As `_progressive`, of a picture that is not: one loop without calls, as most frames of a corpus pass here."""
    held: Any = 0
    bits: Any = np.int64(0)
    before = np.zeros(len(blocks), np.int64)
    # most codes have 10 bits at most, and this small part of the tables stays in the processor's cache
    short = np.where(tables[:, ::64] >> 8 <= 10, tables[:, ::64], 0)
    for unit in range(columns * rows):
        if restart and unit and unit % restart == 0:
            at, fault = _restart(data, (at, held, bits), unit // restart - 1)
            if fault:
                return fault, at
            held = 0
            before[:] = 0
        for c in range(len(blocks)):
            for _ in range(blocks[c, 0] * blocks[c, 1]):
                k: Any = 0
                below: Any = 0
                while k < 64:
                    while held <= 40 and at + 1 < len(data) and (data[at] != 0xFF or data[at + 1] == 0):
                        bits = (bits << 8 | data[at]) & 0xFFFFFFFFFFFF
                        held += 8
                        at += 2 if data[at] == 0xFF else 1
                    left = held - 16
                    code = (bits >> left if left >= 0 else bits << -left) & 0xFFFF
                    entry = np.int64(short[2 * c + (k > 0), code >> 6])
                    if entry == 0:
                        entry = np.int64(tables[2 * c + (k > 0), code])
                    length, zeros, size = entry >> 8, entry >> 4 & 15, entry & 15
                    if length == 0 or length + size > held:
                        return 2 if length == 0 and left >= 0 else 1, at
                    held -= length + size
                    value = bits >> held & ((1 << size) - 1)
                    if size and not value >> (size - 1):
                        value -= (1 << size) - 1
                    if k == 0:
                        before[c] += value
                        if zeros or size > 11 or abs(before[c]) > limits[c, 0]:
                            return 4, at
                    elif size == 0 and zeros == 0:
                        break
                    elif size == 0 and zeros < 15:
                        return 2, at
                    else:
                        k += zeros
                        if k > 63:
                            return 3, at
                        if abs(value) > limits[c, k]:
                            return 4, at
                        below += value == -1
                    k += 1
                if below == 63:  # what zeros mean by the usual tables; no picture has such a block
                    return 7, at
    at, fault = _end(data, (at, held, bits))
    return fault, at
