"""Joins of two clips that are found as cuts, cuts found where there are none, and what a search for faces costs.

    python benchmarks/faces.py FOLDER

Every video under FOLDER that shows a face in its first frames is joined to those of other folders, which show other people; each
video by itself is a control.
"""

import sys
import time
from itertools import islice, permutations
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.faces.tracking import FaceTracker
from ifdd.data.video import read_frames
from ifdd.errors import InputError

FRAMES = 100
SUFFIXES = {".mp4", ".mov", ".flv", ".gif", ".avi", ".mkv", ".webm"}


def beginning(file: Path) -> list[np.ndarray]:
    """Up to `FRAMES` frames, 360 lines high."""
    frames = (frame.image for frame in read_frames(file))
    return [cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA) for image in islice(frames, FRAMES)]


def cuts_of(images: list[np.ndarray]) -> list[int]:
    """Where the picture cuts; empty without a face."""
    tracker = FaceTracker()
    for image in images:
        tracker.update(image)
    try:
        return list(tracker.result().cuts)
    except InputError:
        return []


def search(image: np.ndarray, size: tuple[int, int]) -> float:
    """CPU seconds of the first search, in a frame of that size; the best of three."""
    large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    taken = []
    for _ in range(3):
        tracker, start = FaceTracker(), time.process_time()
        tracker.update(large)
        taken.append(time.process_time() - start)
    return min(taken)


def share_of_face(images: list[np.ndarray]) -> float:
    """The share of the first frames in which a face is followed."""
    tracker = FaceTracker()
    for image in images[:20]:
        tracker.update(image)
    try:
        return tracker.result().share
    except InputError:
        return 0.0


def main() -> None:
    """Measure and print."""
    files = sorted(file for file in Path(sys.argv[1]).rglob("*") if file.suffix in SUFFIXES)
    clips = {file.stem: beginning(file) for file in files}
    false = {name: cuts for name, images in clips.items() if (cuts := cuts_of(images))}
    print(f"{len(false)} of {len(clips)} clips of up to {FRAMES} frames have a cut in them: {false or 'none'}")
    shares = {file: share_of_face(clips[file.stem]) for file in files}
    people = [file for file in files if shares[file] > 0.8]
    joins = [(one.stem, two.stem) for one, two in permutations(people, 2) if one.parent != two.parent]
    missed, wrong = [], 0
    for one, two in joins:
        found = cuts_of(clips[one][-20:] + clips[two][:20])
        at = len(clips[one][-20:])
        missed += [f"{one} → {two}"] * (at not in found)
        wrong += len([cut for cut in found if cut != at])
    print(
        f"{len(joins) - len(missed)} of {len(joins)} joins found, {wrong} cuts elsewhere; missed: {', '.join(missed) or 'none'}"
    )
    face, none = people[0].stem, next((file.stem for file in files if shares[file] == 0), None)
    for size in ((1920, 1080), (3840, 2160)):
        told = [f"{search(clips[face][0], size):.2f} s with a face ({face})"]
        told += [f"{search(clips[none][0], size):.2f} s without ({none})"] if none else []
        print(f"a search in {size[0]} × {size[1]}: {', '.join(told)}")


if __name__ == "__main__":
    main()
