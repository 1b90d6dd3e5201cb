"""The one exception for bad input."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line: what, which file and value, the way out."""
