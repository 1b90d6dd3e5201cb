"""A factor of the clips as levels: names stay, numbers are binned by quantile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ifdd.data.manifest.columns import plain
from ifdd.errors import InputError

MISSING, EMPTY = "missing", "(empty)"


@dataclass(frozen=True, eq=False)
class Levels:
    """`codes` (n,) index `names`, the levels in ascending order, missing values last."""

    codes: np.ndarray
    names: tuple[str, ...]


def levels(name: str, values: ArrayLike, n: int, bins: int = 4) -> Levels:
    """Levels of one factor (n,): numbers with more than `bins` distinct values become `bins` bins of about equal counts.

    A bin is named by its lowest and highest value; equal values never fall into two bins, so there may be fewer.
    Raises: InputError for another length, fewer than two bins, or a name that differs in every clip.
    """
    series = _column(values)
    if series is None or len(series) != n:
        shape = np.shape(values) if series is None else (len(series),)
        raise InputError(f"factor {name} has shape {shape} for {n} clips; pass one value per clip")
    if bins < 2:
        raise InputError(f"bins is {bins}; numbers need 2 bins or more")
    known = series.notna()
    numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if numeric and series[known].nunique() > bins:
        if np.isinf(series[known].to_numpy(float)).any():
            raise InputError(f"factor {name} holds infinity; leave those clips missing")
        parts = pd.qcut(series, bins, labels=False, duplicates="drop")
        parts = parts.map({part: i for i, part in enumerate(sorted(parts.dropna().unique()))})  # a bin may hold no value
        ranges = [(series[parts == i].min(), series[parts == i].max()) for i in range(parts.nunique())]
        text = _shortest([(a,) if a == b else (a, b) for a, b in ranges])
        codes = parts.to_numpy(float)
    else:
        distinct = sorted(series[known].unique().tolist(), key=lambda v: (isinstance(v, str), v))
        if not numeric and len(distinct) == n > 2:
            raise InputError(f"factor {name} has another value in each of the {n} clips; slices need a value that several share")
        text = _shortest([(value,) for value in distinct]) if numeric else [str(value) or EMPTY for value in distinct]
        if len(set(text)) < len(text):
            text = [str(value) for value in distinct]
        codes = series.map({value: i for i, value in enumerate(distinct)}).to_numpy(float)
    if not known.all():
        codes = np.where(known, codes, len(text))
        text = [*text, MISSING]
    return Levels(codes.astype(np.int64), tuple(text))


def _shortest(levels: Sequence[tuple[float, ...]]) -> list[str]:
    """Numbers, or ranges of them, with as few digits as tell the levels apart, three at least.

    >>> _shortest([(0.328125,), (0.640625,), (1200.0,)]), _shortest([(0.0, 0.2501), (0.2502, 0.9)])
    (['0.328', '0.641', '1200'], ['0 to 0.25', '0.25 to 0.9'])
    """
    written = ([" to ".join(_number(value, digits) for value in level) for level in levels] for digits in (3, 5, 8, 17))
    return next((texts for texts in written if len(set(texts)) == len(texts)), [str(level[0]) for level in levels])


def _number(value: float, digits: int) -> str:
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e7 else f"{value:.{digits}g}"


def _column(values: ArrayLike) -> pd.Series | None:
    """Values as numbers, truth values or text; lists and the like as their JSON. None for what is no row of values."""
    if isinstance(values, pd.Series):
        return plain(values.reset_index(drop=True))
    if isinstance(values, np.ndarray):
        return plain(pd.Series(values)) if values.ndim == 1 else None
    if isinstance(values, list | tuple):
        cells = pd.Series(index=range(len(values)), dtype=object)
        cells[:] = [None] * len(values)
        for i, value in enumerate(values):
            cells.iat[i] = value
        return plain(cells)
    return _column(np.asarray(values))


def all_levels(factors: Mapping[str, ArrayLike], n: int, bins: int) -> dict[str, Levels]:
    """Levels of each factor.

    Raises: InputError without a factor, and as `levels`.
    """
    if not factors:
        raise InputError("no factor to slice by; name one or more columns")
    return {name: levels(name, values, n, bins) for name, values in factors.items()}
