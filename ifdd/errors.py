"""The exception for bad input."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line: what, which file and value, the way out."""


class NoFaceError(InputError):
    """No face was found where one is needed; reading the frames without a face is the way out."""
