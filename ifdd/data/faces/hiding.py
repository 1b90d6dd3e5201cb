"""What becomes of a face in the picture of a scene: it is kept, blurred, or masked."""

from collections.abc import Iterable

import cv2
import numpy as np

MASK = 128
"""Grey of a masked face."""
SOFT = 0.25
"""Standard deviation of a blurred face's filter, in sides of its box: no feature is left."""


def hide(image: np.ndarray, boxes: Iterable[np.ndarray], how: str) -> np.ndarray:
    """The picture (H, W, 3) uint8 with what lies in boxes (x0, y0, x1, y1) kept, blurred or masked."""
    if how == "kept":
        return image
    image = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        x0, y0 = (max(int(np.floor(value)), 0) for value in box[:2])
        x1, y1 = min(int(np.ceil(box[2])), width), min(int(np.ceil(box[3])), height)
        if x1 <= x0 or y1 <= y0:
            continue
        inside = image[y0:y1, x0:x1]
        if how == "masked":
            inside[:] = MASK
        else:
            sigma = SOFT * float(box[2] - box[0])
            inside[:] = cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return image
