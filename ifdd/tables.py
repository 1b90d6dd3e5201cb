"""Tables from strangers' files, and tables for others' programs."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ifdd.documents import one_line
from ifdd.errors import InputError
from ifdd.plain import sheet_text

MAX_CELLS = 100_000_000
"""Rows times columns; DFEW has 16 000 rows."""
FROM_ITS_METADATA = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)
"""What pandas raises of the JSON that it keeps in a parquet file, when that is damaged."""


def read_table(file: Path, renew: str, *, exact: bool = False) -> pd.DataFrame:
    """A parquet file as a frame with text column names, without an index; `renew` is the way out.

    Pages that carry a checksum are checked by it. With `exact`, whole numbers stay whole beside empty cells, times are objects,
    and what pandas has noted of its own types and index in the file is left aside.
    Raises: InputError for a file that is missing, damaged or no table, one of absurd size, or a column that is there twice.
    """
    if not file.is_file():
        raise InputError(f"{file} is no file; {renew}")
    try:
        options: dict[str, bool] = {}
        if exact:
            options = {"ignore_metadata": True, "integer_object_nulls": True, "timestamp_as_object": True}
        with pq.ParquetFile(file, page_checksum_verification=True) as table:
            about = table.metadata
            if about.num_rows * about.num_columns > MAX_CELLS:
                raise InputError(f"{file} claims {about.num_rows} rows of {about.num_columns} columns; {renew}")
            frame = table.read().to_pandas(**options)
    except InputError:
        raise
    except (pa.ArrowException, OSError, MemoryError, *FROM_ITS_METADATA) as error:
        raise InputError(f"{file} cannot be read as a table ({one_line(error)}); {renew}") from error
    frame = frame.reset_index(drop=True)
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise InputError(f"{file}: column {next(n for n in names if names.count(n) > 1)!r} is there twice; {renew}")
    return frame


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV without its index; names and texts in it are no formulas to the spreadsheet that opens it."""
    plain = table.rename(columns=lambda name: sheet_text(str(name)))
    for at, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            values = [sheet_text(value) if isinstance(value, str) else value for value in table.iloc[:, at]]
            plain.isetitem(at, values)
    return plain.to_csv(index=False)
