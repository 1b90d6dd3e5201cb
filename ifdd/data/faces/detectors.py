"""What finds faces: one protocol, and the detectors that a command may name."""

from pathlib import Path

import numpy as np

from ifdd.data.faces.face import LANDMARKS, Detector, Face
from ifdd.data.faces.haar import Haar
from ifdd.errors import InputError

DETECTORS = ("haar", "yunet", "precropped")
"""Names of detectors: OpenCV's cascades (nothing to download), YuNet (extra `faces`, or a file), clips that are faces already."""


class Precropped:
    """Takes the whole picture as the face: for clips that are face crops already."""

    name = "precropped"
    smallest = 1
    sure = 0.0

    def detect(self, image: np.ndarray) -> list[Face]:
        """One face that fills the picture."""
        height, width = image.shape[:2]
        return [Face(np.array([0, 0, width, height], np.float32), 1.0)]


def make_detector(name: str, model: str | Path | None = None) -> Detector:
    """A detector by its name; `model` is the file of weights of one that has some.

    Raises: InputError for an unknown name, a model that the detector does not read, or one that is not there.

    >>> make_detector("haar").name
    'haar'
    """
    if name not in DETECTORS:
        raise InputError(f"detector {name!r} is unknown; use one of {', '.join(DETECTORS)}")
    if name == "yunet":
        from ifdd.data.faces.yunet import YuNet

        return YuNet(model)
    if model is not None:
        raise InputError(
            f"the detector {name} reads no file of weights; leave out --detector-weights {model}, or use --detector yunet"
        )
    return Haar() if name == "haar" else Precropped()


__all__ = ["DETECTORS", "LANDMARKS", "Detector", "Face", "Haar", "Precropped", "make_detector"]
