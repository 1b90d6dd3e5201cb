"""Clips of persons that move in another way each take, written as folders of frames."""

from pathlib import Path

import cv2
import numpy as np


def face_like(person: int, take: int, frames: int = 20, size: int = 56) -> list[np.ndarray]:
    """Frames (size, size, 3) uint8: a picture of one's own per person, in which two spots move in another way each take."""
    own, moving = np.random.default_rng([person, 1]), np.random.default_rng([person, take, 2])
    wall = cv2.resize(own.uniform(60, 180, (7, 7, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:size, :size] / size
    paths = moving.uniform(0.2, 0.8, (2, 4, 2))
    made = []
    for t in np.linspace(0, 3, frames):
        picture = wall.copy()
        for sign, path in zip((90, -90), paths, strict=True):
            at = [np.interp(t, range(4), path[:, axis]) for axis in (0, 1)]
            picture += sign * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.01)[..., None].astype(np.float32)
        made.append(np.clip(picture, 0, 255).astype(np.uint8))
    return made


def write_frames(folder: Path, frames: list[np.ndarray], quality: int = 95) -> Path:
    folder.mkdir(parents=True)
    for t, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"{t:05d}.jpg"), frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return folder
