"""Face models by the name or path that a user gives."""

from functools import cache

from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.head.ict import ICTHead
from ifdd.scripted.render.clips import default_model

BUILT_IN = "built-in"
"""The spec of the head that is made in code."""


@cache
def face_model(spec: str) -> FaceModel:
    """The face model of `spec`: 'built-in', else the path of the ICT-FaceKit Light npz or of its folder. Raises: InputError."""
    return default_model() if spec == BUILT_IN else ICTHead(spec)
