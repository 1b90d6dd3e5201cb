"""Damage, by seed: bytes that are changed as disks, downloads and attackers change them, and values of the wrong kind."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

WEIRD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    16,
    10**9,
    2**31,
    2**63,
    -(2**63) - 1,
    10**40,
    0.0,
    -0.0,
    0.5,
    -1.5,
    1e-320,
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    " ",
    "a",
    "1",
    "nan",
    "1e9",
    "\0",
    "a\0b",
    "\n",
    "\r\n\t",
    "\ud800",
    "é",
    "😀",
    "a" * 5000,
    "../../etc/passwd",
    "/",
    "/dev/zero",
    "/dev/null",
    ".",
    "..",
    "~nosuchuser/x",
    "![x](http://x.test/i.png)",
    "<script>",
    "%s%n",
    "{}",
    "{seed}",
    "2024-02-30",
    [],
    [[]],
    {},
    [1],
    [1, 2],
    [1e9, 1e9],
    [0, 0],
    [-1, -1],
    ["a"],
    ["a", "a"],
    [None],
    {"a": 1},
    {"": {}},
    list(range(300)),
    {str(i): i for i in range(300)},
)


def nested(depth: int, rng: random.Random) -> Any:
    """Lists or mappings in one another."""
    value: Any = 0
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def weird(rng: random.Random) -> Any:
    """A value that is seldom the right one."""
    return nested(rng.choice((10, 70, 300)), rng) if rng.random() < 0.05 else deepcopy(rng.choice(WEIRD))


def changed(values: Any, rng: random.Random) -> Any:
    """A copy of a document with one to three of its values, keys or sections changed."""
    values = deepcopy(values)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(values))
        if not places:
            return weird(rng)
        holder, key = rng.choice(places)
        act = rng.random()
        if act < 0.55:
            holder[key] = weird(rng)
        elif act < 0.7:
            del holder[key]
        elif act < 0.8:
            holder[key] = [holder[key]]
        elif act < 0.9 and isinstance(holder, dict):
            holder[str(weird(rng))] = holder.pop(key)
        else:
            other, name = rng.choice(places)
            holder[key] = deepcopy(other[name]) if name in (other if isinstance(other, dict) else range(len(other))) else 0
    return weird(rng) if rng.random() < 0.02 else values


def _places(values: Any) -> Any:
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            yield values, key
            yield from _places(values[key])


def json_bytes(values: Any, rng: random.Random) -> bytes:
    """A document as JSON of a careless program: NaN, surrogates, other encodings, a byte order mark."""
    text = json.dumps(values, ensure_ascii=rng.random() < 0.8)
    coding = rng.choices(("utf-8", "utf-8-sig", "utf-16", "latin-1"), (20, 1, 1, 1))[0]
    return text.encode(coding, "surrogatepass" if coding.startswith("utf") else "replace")


def json_file(values: Any, rng: random.Random) -> bytes:
    """A damaged JSON file: values changed, bytes changed, or both."""
    text = json_bytes(changed(values, rng) if rng.random() < 0.8 else values, rng)
    return damaged(text, rng) if rng.random() < 0.25 else text


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to four kinds of damage."""
    if rng.random() < 0.02:
        return rng.choice((b"", b"\0", b"\n", b"{}", rng.randbytes(64), b"\0" * 4096))
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(DAMAGES)(data, rng)
    return data


def _somewhere(data: bytes, rng: random.Random, longest: int = 512) -> tuple[int, int]:
    """Bounds of a stretch; headers and ends, which decide most, come up more often."""
    size = max(len(data), 1)
    kind = rng.random()
    start = (
        rng.randrange(min(size, 64)) if kind < 0.3 else max(0, size - rng.randrange(1, 65)) if kind < 0.4 else rng.randrange(size)
    )
    return start, min(size, start + rng.randrange(1, longest))


def _flip(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 32))):
        if found:
            found[_somewhere(data, rng)[0]] ^= 1 << rng.randrange(8)
    return bytes(found)


def _number(data: bytes, rng: random.Random) -> bytes:
    start, _ = _somewhere(data, rng)
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    number = rng.choice(NUMBERS) % 256**size
    return data[:start] + number.to_bytes(size, order) + data[start + size :]  # type: ignore[arg-type]


def _hole(data: bytes, rng: random.Random) -> bytes:
    start, end = _somewhere(data, rng, max(2, len(data) // 3))
    return data[:start] + rng.choice((b"\0", b"\xff")) * (end - start) + data[end:]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: _somewhere(data, rng)[0]]


def _drop(data: bytes, rng: random.Random) -> bytes:
    start, end = _somewhere(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: random.Random) -> bytes:
    start, end = _somewhere(data, rng)
    return data[:end] + data[start:]


def _noise(data: bytes, rng: random.Random) -> bytes:
    start, end = _somewhere(data, rng, 64)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(_somewhere(data, rng)[0] for _ in range(2))
    size = rng.randrange(1, 64)
    return data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size] + data[b + size :]


def _append(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((b"\0" * 100, rng.randbytes(100), data[:500]))


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _number,
    _number,
    _hole,
    _cut,
    _drop,
    _double,
    _noise,
    _swap,
    _append,
)
