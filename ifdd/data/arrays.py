"""Large arrays on disk."""

import os
from collections.abc import Sequence
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


def keep_rows(file: Path, rows: Sequence[int], count: int) -> None:
    """Leave some of the `count` rows of a .npy file, in their order; one that has been shortened already stays.

    The file is whole at any moment: the shorter one is written beside it and takes its name.
    """
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    if len(array) != count:
        return
    part = file.with_name(f".{file.name}.part")
    shorter = new_array(part, (len(rows), *array.shape[1:]), array.dtype)
    for to, at in enumerate(rows):
        shorter[to] = array[at]
    shorter.flush()
    part.replace(file)
