"""Copies under another compression, size or light are found, other takes of a person are none, and it takes linear time."""

import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from moving_clips import face_like, write_frames
from scipy.fft import dctn

from ifdd.data.doctor import examine
from ifdd.data.doctor.looks import (
    BITS,
    FRAMES,
    LOW,
    SIDE,
    agreement,
    candidates,
    code_of,
    distances,
    hashes,
    moving,
    sampled,
    thumbnails,
)
from ifdd.data.doctor.near import called_copies
from ifdd.data.manifest import write_manifest


def small(clips: list[list[np.ndarray]]) -> np.ndarray:
    return thumbnails([code_of([clip[i] for i in sampled(len(clip))]) for clip in clips])


def changed(frames: list[np.ndarray], how: str) -> list[np.ndarray]:
    height, width = frames[0].shape[:2]
    if how == "brighter":
        return [np.clip(frame.astype(int) + 35, 0, 255).astype(np.uint8) for frame in frames]
    if how == "darker":
        return [(frame * 0.65).astype(np.uint8) for frame in frames]
    if how == "half the size":
        return [cv2.resize(frame, (width // 2, height // 2), interpolation=cv2.INTER_AREA) for frame in frames]
    if how == "twice the size":
        return [cv2.resize(frame, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC) for frame in frames]
    if how == "16 frames":
        return [frames[int((i + 0.5) * len(frames) / 16)] for i in range(16)]
    return [cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR) for frame in frames]


CHANGES = ("brighter", "darker", "half the size", "twice the size", "16 frames", "strong compression")


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_copy_is_found_by_key_and_by_look(how: str) -> None:
    clips = [face_like(person, 0) for person in range(12)]
    both = small([*clips, *(changed(clip, how) for clip in clips)])
    pairs, _ = candidates(hashes(both))
    found = {(int(i), int(j)) for i, j in pairs[called_copies(both, hashes(both), pairs)]}
    assert found == {(i, i + 12) for i in range(12)}


def test_other_takes_of_a_person_are_no_copies() -> None:
    """The stated rate: of 1,140 pairs of takes of one person before one wall, at most 1 in 200 is called a copy."""
    takes = [face_like(person, take) for person in range(6) for take in range(20)]
    codes = small(takes)
    pairs = np.array([(a, b) for p in range(6) for a in range(20 * p, 20 * p + 20) for b in range(a + 1, 20 * p + 20)])
    assert len(pairs) == 1140
    assert called_copies(codes, hashes(codes), pairs).mean() <= 0.005
    strangers = np.array([(a, b) for a in range(20) for b in range(20, 120)])
    assert not called_copies(codes, hashes(codes), strangers).any()


def test_real_takes_of_one_actor_are_no_copies_and_their_copies_are(shared: Path) -> None:
    """Six clips of CREMA-D: the same person, sentence, light and wall."""
    from ifdd.data.video import read_frames

    files = sorted((shared / "data" / "clips" / "crema_d_actor1001").glob("*.flv"))
    clips = [[frame.image for frame in read_frames(file)] for file in files]
    both = small([*clips, *(changed(clip, CHANGES[i % len(CHANGES)]) for i, clip in enumerate(clips))])
    pairs = np.stack(np.triu_indices(12, 1), 1)
    found = pairs[called_copies(both, hashes(both), pairs)]
    assert found.tolist() == [[i, i + 6] for i in range(6)]


def test_near_duplicates_across_folds_are_told_with_the_null(tree: Path) -> None:
    copy = changed(face_like(0, 1), "brighter")
    write_frames(tree / "clips" / "012", copy, quality=60)
    frame = pd.read_parquet(tree / "clips.parquet")
    extra = frame.iloc[[1]].assign(clip_id="012", path="clips/012", fold=2, subject="P9")
    write_manifest(pd.concat([frame, extra], ignore_index=True), tree)
    found = examine([tree], workers=1)
    (warned,) = [one for one in found.findings if one.check == "near-duplicates" and one.severity == "warning"]
    assert warned.examples[0].startswith("001 (fold 1) ~ 012 (fold 2)")
    assert warned.count == 1
    (null,) = [one for one in found.findings if one.check == "near-duplicates" and one.severity == "note"]
    assert "random pairs" in null.what
    assert "would be called copies" in null.what


def test_clips_that_all_look_alike_are_not_accused(tmp_path: Path) -> None:
    rows = []
    for i in range(8):
        write_frames(tmp_path / f"{i}", face_like(0, 0), quality=70 + i)
        rows.append({"path": f"{i}", "label": "happy", "fold": 1 + i % 2})
    write_manifest(pd.DataFrame(rows), tmp_path)
    (one,) = [one for one in examine([tmp_path], workers=1).findings if one.severity == "warning" and one.check[0] == "n"]
    assert "too much alike" in one.what


def test_flat_and_still_clips_are_left_out() -> None:
    assert code_of([np.full((30, 30, 3), 128, np.uint8)] * FRAMES) == b""
    still = small([[face_like(0, 0)[0]] * 20, face_like(0, 0)])
    assert moving(still).tolist() == [False, True]
    assert agreement(still, np.array([[0, 1]])) == 0


def test_the_hash_is_that_of_the_cosine_transform() -> None:
    codes = small([face_like(0, 0)])
    low = dctn(codes[0, 0].astype(float), norm="ortho")[:LOW, :LOW].ravel()[1:]
    assert (hashes(codes)[0, : LOW**2 - 1] == (low > np.median(low))).all()


def test_distances_and_agreement_by_hand() -> None:
    rng = np.random.default_rng(0)
    bits = rng.random((5, BITS)) < 0.5
    pairs = np.array([(0, 1), (2, 4), (3, 3)])
    assert distances(bits, pairs) == pytest.approx([(bits[i] != bits[j]).mean() for i, j in pairs])
    codes = rng.integers(0, 256, (3, FRAMES, SIDE, SIDE)).astype(np.uint8)

    def motion(code: np.ndarray) -> np.ndarray:
        change = code.astype(float) - code.mean(0)
        return np.asarray(change - change.mean((1, 2), keepdims=True)).ravel()

    one = np.corrcoef(motion(codes[0]), motion(codes[2]))[0, 1]
    assert agreement(codes, np.array([(0, 2), (1, 1)])) == pytest.approx([one, 1], abs=1e-5)


def test_keys_find_what_a_twentieth_of_the_bits_hides() -> None:
    """Of 300 copies with 5 % of the bits turned at least 99 % are candidates; of random pairs next to none."""
    rng = np.random.default_rng(1)
    bits = rng.random((300, BITS)) < 0.5
    pairs, crowded = candidates(np.concatenate([bits, bits ^ (rng.random(bits.shape) < 0.05)]))
    copies = pairs[:, 1] - pairs[:, 0] == 300
    assert copies.sum() >= 297
    assert (~copies).sum() < 60
    assert crowded == 0


def test_equal_clips_take_linear_work() -> None:
    pairs, crowded = candidates(np.zeros((3000, BITS), bool))
    assert crowded == 3000
    assert len(pairs) < 3000 * 40
    assert len(np.unique(pairs)) == 3000


def test_time_is_linear() -> None:
    rng = np.random.default_rng(2)

    def seconds(n: int) -> float:
        bits = rng.random((n, BITS)) < 0.5
        started = time.process_time()
        candidates(bits)
        return time.process_time() - started

    seconds(1000)
    assert seconds(20_000) < 8 * 4 * seconds(2500)  # quadratic time would be 64 fold
