"""What a face model has to give so that scripts can be drawn with it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ifdd.scripted.script.elements import Appearance


@dataclass(frozen=True, eq=False)
class Eyeball:
    """One eye: a ball that turns with the gaze, and the vertices that must stay outside of it."""

    centre: np.ndarray  # (3,) cm
    radius: float  # cm
    vertices: slice  # of the person's vertices
    lids: np.ndarray  # indices of the lid's vertices


@dataclass(frozen=True, eq=False)
class Person:
    """One person's head, ready to be moved and drawn. V vertices, F triangles, A units, lengths in cm, linear colours.

    The head looks along +z, x is to the image's right, y up; the origin is the axis of the head's turns.
    """

    vertices: np.ndarray  # (V, 3) float32, resting
    triangles: np.ndarray  # (F, 3) int32, counter-clockwise from outside
    displacements: np.ndarray  # (A, V, 3) float32, added at weight 1
    colour: np.ndarray  # (V, 3) float32, times the texture where uv >= 0
    uv: np.ndarray  # (V, 2) float32, -1 without texture
    gloss: np.ndarray  # (V,) float32; above 0.8 is wet
    follow: np.ndarray  # (V,) float32: share of the head's turn that the vertex takes (neck, shoulders < 1)
    texture: np.ndarray  # (h, w, 3) float32
    creases: np.ndarray  # (h, w, K) float32, darkening at weight 1
    crease_mix: np.ndarray  # (K, A) float32: unit weights -> crease weights
    eyes: tuple[Eyeball, ...]
    frame_centre: np.ndarray  # (2,) cm: middle of the face box in front view
    frame_side: float  # cm: side of the face box with its margin
    regions: np.ndarray | None = None  # (V,) uint8: index into `regions.REGIONS`; None: no region maps


class FaceModel(Protocol):
    """Makes persons. `units` is the order of the unit axis."""

    units: tuple[str, ...]

    def person(self, identity: int, appearance: Appearance) -> Person:
        """The person of an identity seed; equal arguments give equal persons."""
        ...
