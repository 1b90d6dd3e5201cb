"""What a reader of the app may give it: the one place where these numbers stand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of an uploaded file `megabytes`, of one reader `files`; of any video the `seconds` that are read at a time, the second up
    to which anything is decoded (`until`), the `frames` that are read, and the size of its pictures."""

    megabytes: int = 200
    files: int = 6
    seconds: float = 120.0
    until: float = 1800.0
    frames: int = 7200
    width: int = 3840
    height: int = 2160

    @property
    def words(self) -> str:
        """What is said before anything is given."""
        return (
            f"Up to {self.files} files of {self.megabytes} MB, pictures of {self.width} × {self.height}, and "
            f"{clock(self.seconds)} of each; of a longer one give Start and End."
        )


LIMITS = Limits()


def clock(seconds: float) -> str:
    """A length of time as a person says it: 95 s, 12 min, 4 h 5 min."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
