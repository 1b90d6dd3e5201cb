"""Every frame of a stretch, or evenly many of them."""

from pathlib import Path

import numpy as np
from PIL import Image

from workbench.app.every_frame import every_frame


def folder(place: Path, frames: int) -> Path:
    """Frames whose gray tells their index."""
    for index in range(frames):
        Image.fromarray(np.full((200, 320, 3), 10 * index, np.uint8)).save(place / f"{index:03d}.png")
    return place


def test_each_frame_of_the_stretch_small_and_whole(tmp_path: Path) -> None:
    found = every_frame(folder(tmp_path, 12), 0.4, 1.0, fps=10)
    assert found.index.tolist() == [4, 5, 6, 7, 8, 9]
    np.testing.assert_allclose(found.seconds, np.arange(4, 10) / 10)
    assert found.pixels.shape == (6, 100, 160, 3)
    assert found.pixels[:, 0, 0, 0].tolist() == [40, 50, 60, 70, 80, 90]
    assert found.words == "6 frames"


def test_of_many_frames_evenly_some(tmp_path: Path) -> None:
    found = every_frame(folder(tmp_path, 25), 0, 2.5, fps=10, most=5)
    assert found.index.tolist() == [0, 6, 12, 18, 24]
    assert found.pixels[:, 0, 0, 0].tolist() == [0, 60, 120, 180, 240]
    assert found.words == "5 of 25 frames"
