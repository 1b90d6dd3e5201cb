"""Boxes and what lies in them, in upright pixels (x0, y0, x1, y1)."""

import cv2
import numpy as np


def crop(image: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8 of `size` from `box` of `image`; beyond the frame its edge is repeated."""
    x0, y0 = (int(value) for value in np.round(box[:2]))
    # at least one pixel, from the rounded corner on: a box of steady size gives crops of steady size
    width, height = (max(1, round(float(box[i + 2] - box[i]))) for i in (0, 1))
    rows = np.clip(np.arange(y0, y0 + height), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(x0, x0 + width), 0, image.shape[1] - 1)
    inside = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if inside.shape[:2] != (height, width):
        inside = image[rows[:, None], columns]
    shrinks = height >= size[0] and width >= size[1]
    return cv2.resize(inside, (size[1], size[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def widen(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Square boxes (n, 4) grown about their centres to the aspect of `size`, so that nothing is squeezed."""
    height, width = size
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * np.array([max(1, width / height), max(1, height / width)], np.float32)
    centre = (boxes[:, 2:] + boxes[:, :2]) / 2
    return np.hstack([centre - half, centre + half])


def centre_box(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest centred box of the aspect of `size` in a frame's own box."""
    width, height = frame[2:]
    scale = min(width / size[1], height / size[0])
    half = np.array([size[1], size[0]], np.float32) * scale / 2
    centre = frame[2:] / 2
    return np.concatenate([centre - half, centre + half])


def in_crops(points: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Points (n, k, 2) in upright pixels as pixels of the crops of `size` from boxes (n, 4)."""
    boxes = np.asarray(boxes, np.float64)
    scale = np.array(size[::-1]) / (boxes[:, 2:] - boxes[:, :2])
    return (points - boxes[:, None, :2]) * scale[:, None]
