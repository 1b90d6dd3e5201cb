"""Face models by the name or path that a user gives."""

from functools import cache

from ifdd.data.scripted.clips import default_model
from ifdd.data.scripted.face import FaceModel
from ifdd.data.scripted.ict import ICTHead

BUILT_IN = "built-in"
"""The spec of the head that is made in code."""


@cache
def face_model(spec: str) -> FaceModel:
    """The face model of `spec`: 'built-in', else the path of the ICT-FaceKit Light npz or of its folder. Raises: InputError."""
    return default_model() if spec == BUILT_IN else ICTHead(spec)
