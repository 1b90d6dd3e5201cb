"""Large arrays on disk."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt


def new_array(file: Path, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8) -> np.memmap:
    """A memory-mapped .npy file, with all of its room on the disk taken.

    A sparse file that meets a full disk kills the process; this raises OSError before anything is computed.
    """
    array = np.lib.format.open_memmap(file, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    return array
