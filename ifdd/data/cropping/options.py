"""What crops are asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ifdd.data.faces.detectors import DETECTORS
from ifdd.data.preprocessing import HIDDEN
from ifdd.errors import InputError

Format = Literal["png", "jpg"]
MOST = 2048
"""Pixels of a side."""


OF_SCENES = ("scene", "scene_size")
"""Options that are written where scenes are asked for."""


@dataclass(frozen=True)
class CropOptions:
    """How faces are cropped.

    `detector` and `model` as `make_detector`; `size` in pixels; `margin` widens the face on each side, as a fraction of its side;
    `align` turns faces upright where the detector tells landmarks; every `every`-th frame is kept, as PNG (lossless) or JPEG.
    `scene` writes what is around the face too, the same frames, at most `scene_size` pixels long: in it all faces that are
    followed are kept, blurred or masked; "" for no scenes.

    Raises:
        InputError: an impossible value.
    """

    detector: str = "haar"
    model: Path | None = None
    size: int = 224
    margin: float = 0.15
    align: bool = True
    every: int = 1
    format: Format = "png"
    scene: str = ""
    scene_size: int = 336

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise InputError(f"--detector {self.detector}: is not one of {', '.join(DETECTORS)}")
        if not 8 <= self.size <= MOST:
            raise InputError(f"--size {self.size}: crops have 8 to {MOST} pixels a side")
        if not 0 <= self.margin <= 2:
            raise InputError(f"--margin {self.margin:g}: must lie between 0 and 2")
        if self.every < 1:
            raise InputError(f"--every {self.every}: must be 1 (all frames) or more")
        if self.scene not in ("", *HIDDEN):
            raise InputError(f"--scene {self.scene}: is not one of {', '.join(HIDDEN)}")
        if self.scene and self.detector == "precropped":
            raise InputError("--scene: precropped clips show the face alone, there is nothing around it; leave it out")
        if not 8 <= self.scene_size <= MOST:
            raise InputError(f"--scene-size {self.scene_size}: scenes have 8 to {MOST} pixels on their longer side")
        if self.format not in ("png", "jpg"):
            raise InputError(f"--format {self.format}: is not png or jpg")
