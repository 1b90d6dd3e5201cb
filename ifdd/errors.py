"""The exceptions for bad input."""

import errno

LONGEST = 2000
"""Characters of a message."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line: what, which file and value, the way out.

    A name or value in it may hold line breaks, or be endless: the breaks are left out, and so is the middle.
    """

    def __init__(self, message: object) -> None:
        text = " ".join(str(message).splitlines())
        super().__init__(text if len(text) <= LONGEST else f"{text[: LONGEST * 2 // 3]} … {text[-LONGEST // 3 :]}")

    def __reduce__(self) -> tuple[object, ...]:
        """Come out of a worker process as it was, however a kind of it is made."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[InputError], args: tuple[str, ...], own: dict[str, object]) -> InputError:
    made = kind.__new__(kind, *args)
    made.__dict__.update(own)
    return made


class NoFaceError(InputError):
    """No face was found where one is needed: `finding` says what was searched, `way_out` what the caller can do about it."""

    OPTIONS = "give a stretch that shows one with --start and --end; where the face fills the frame, --crop none reads it whole"
    """The way out of a command that has these options."""

    def __init__(
        self,
        finding: str,
        way_out: str = "where the face fills the frame, crop “none” reads it whole (in a manifest: its column crop)",
    ) -> None:
        super().__init__(f"{finding}; {way_out}")
        self.finding = finding


class DiskError(InputError):
    """A file or folder cannot be written: `finding` says which and why, `number` is the system's (`errno`), if there is one.

    >>> import errno
    >>> str(DiskError("out: cannot be written: Read-only file system", errno.EROFS))
    'out: cannot be written: Read-only file system; choose a folder on another disk'
    """

    def __init__(self, finding: str, number: int | None, more: str = "") -> None:
        way_out = _WAYS_OUT.get(number, "choose another folder")
        super().__init__(f"{finding}; {way_out}{more}")
        self.finding = finding
        self.number = number


_FULL = "free the disk or choose another folder"
_NOT_YOURS = "ask its owner for the right to write there, or choose another folder"
_WAYS_OUT: dict[int | None, str] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NOT_YOURS),
    errno.EROFS: "choose a folder on another disk",
}
