"""How a clip looks, small enough to compare tens of thousands: six frames of 16 × 16 grey levels, hashes of them, their motion.

The hash of a frame is the sign of its 63 lowest cosine coefficients against their median, as pHash's (Zauner, "Implementation and
Benchmarking of Perceptual Image Hash Functions", 2010): compression, another size and brightness hardly change it. It does not
tell two clips of one person before one wall apart; how the picture changes over the clip does, see `agreement`.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from ifdd.progress import tqdm

FRAMES, SIDE, LOW = 6, 16, 8
"""Frames of a clip, their height and width, and coefficients of a frame in each direction."""
BITS = FRAMES * (LOW**2 - 1)
FLATTEST, STILLEST = 2.0, 0.3
"""Grey levels: spread within frames, and over time, below which there is nothing to compare."""
KEYS, KEY_BITS = 16, 20
"""Keys of a clip, and bits of each: two clips that differ in 5 % of the bits have one key at least in common in 99.9 %."""
CROWD, NEIGHBOURS = 64, 32
"""Clips of one key above which each is compared with so many beside it alone, in the order of all bits: time stays linear."""
_CHUNK = 8192


def sampled(count: int) -> list[int]:
    """Indexes of the frames that are looked at: the centres of equal segments."""
    return [int((2 * i + 1) * count / (2 * FRAMES)) for i in range(FRAMES)]


def code_of(images: Sequence[np.ndarray]) -> bytes:
    """The grey levels of `FRAMES` pictures (H, W, 3) uint8, small; b"" where they show nothing."""
    small = np.stack(
        [cv2.resize(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for x in images]
    )
    return small.tobytes() if small.std(axis=(1, 2)).mean() >= FLATTEST else b""


def thumbnails(codes: Sequence[bytes]) -> np.ndarray:
    """(n, FRAMES, SIDE, SIDE) uint8 of what `code_of` made."""
    return np.frombuffer(b"".join(codes), np.uint8).reshape(-1, FRAMES, SIDE, SIDE)


def hashes(small: np.ndarray) -> np.ndarray:
    """(n, BITS) bool of thumbnails."""
    n = np.arange(SIDE)
    basis = np.cos(np.pi * (2 * n + 1) * n[:LOW, None] / (2 * SIDE)).astype(np.float32)
    basis[0] /= np.sqrt(2)
    found = []
    for part in _chunks(small):
        low = (basis @ part.astype(np.float32) @ basis.T).reshape(len(part), FRAMES, -1)[..., 1:]
        found.append((low > np.median(low, axis=-1, keepdims=True)).reshape(len(part), -1))
    return np.concatenate(found) if found else np.zeros((0, BITS), bool)


def distances(bits: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) share of the bits (n, BITS) that differ between the clips of pairs (m, 2)."""
    packed = np.packbits(bits, axis=1)
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
    parts = [np.bitwise_count(words[p[:, 0]] ^ words[p[:, 1]]).sum(1) for p in _chunks(pairs)]
    return np.concatenate(parts) / bits.shape[1] if parts else np.zeros(0)


def agreement(small: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) how alike the pictures of two clips change over time: correlation of thumbnails less their mean, from −1 to 1.

    0 where one of them stands still.
    """
    found = []
    for part in _chunks(pairs):
        one, other = (_motion(small[part[:, i]]) for i in (0, 1))
        scale = np.sqrt((one**2).mean(1) * (other**2).mean(1))
        found.append(np.where(scale > STILLEST**2, (one * other).mean(1) / np.maximum(scale, 1e-9), 0.0))
    return np.concatenate(found) if found else np.zeros(0)


def moving(small: np.ndarray) -> np.ndarray:
    """(n,) whether a clip changes enough over time to be told from another."""
    parts = [np.sqrt((_motion(part) ** 2).mean(1)) >= STILLEST for part in _chunks(small)]
    return np.concatenate(parts) if parts else np.zeros(0, bool)


def candidates(bits: np.ndarray, seed: int = 0) -> tuple[np.ndarray, int]:
    """Pairs (m, 2) of clips that share a key, each once, the smaller first; and how many clips were in crowded keys.

    A key is `KEY_BITS` bits drawn at random (locality-sensitive hashing by bit sampling; Indyk and Motwani, 1998). Equal rows are
    compared in a ring.
    """
    n = len(bits)
    if n < 2:
        return np.zeros((0, 2), np.int64), 0
    rng = np.random.default_rng(seed)
    packed = np.ascontiguousarray(np.packbits(bits, axis=1))
    place = np.empty(n, np.int64)
    place[np.lexsort(packed.T[::-1])] = np.arange(n)  # in the order of all bits
    weights = 1 << np.arange(KEY_BITS, dtype=np.int64)
    found: list[np.ndarray] = []
    crowded = np.zeros(n, bool)
    for _ in tqdm(range(KEYS), "compare looks", delay=2, leave=False, disable=None):
        key = bits[:, rng.choice(bits.shape[1], KEY_BITS, replace=False)] @ weights
        order = np.lexsort((place, key))
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        sizes = np.diff(starts, append=n)
        reach = np.repeat(np.where(sizes > CROWD, NEIGHBOURS, sizes - 1), sizes)
        crowded[order] |= np.repeat(sizes > CROWD, sizes)
        ends = np.repeat(starts + sizes, sizes)
        for step in range(1, int(reach.max()) + 1):
            at = np.flatnonzero((reach >= step) & (np.arange(n) + step < ends))
            found.append(np.sort(np.stack([order[at], order[at + step]], 1), axis=1))
    pairs = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    codes = np.unique(pairs[:, 0] * n + pairs[:, 1])
    return np.stack([codes // n, codes % n], 1), int(crowded.sum())


def _motion(small: np.ndarray) -> np.ndarray:
    """(n, values) float32: thumbnails less each clip's mean picture, and less each frame's change of brightness."""
    values = small.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values -= values.mean(axis=(2, 3), keepdims=True)
    return values.reshape(len(values), -1)


def _chunks(array: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(array), _CHUNK):
        yield array[start : start + _CHUNK]
