"""Functions as machine code."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """numba's `njit` with `options`; the code is kept for the next process where there is a folder to keep it in."""

    def compile_one(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # installed read-only, and no home
            return njit(**options)(function)

    return compile_one
