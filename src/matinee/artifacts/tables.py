"""The Parquet files of a saved model, read as data from a stranger."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Mapping

import polars as pl

from matinee.errors import MatineeError, ModelFileError

_IDS = (pl.Int64(), pl.String())
# The types that each column may have. Users may have more columns, their features; times may be
# missing; only a year may be null.
_COLUMNS: Mapping[str, Mapping[str, tuple[pl.DataType, ...]]] = {
    "users.parquet": {"user_id": _IDS},
    "films.parquet": {
        "movie_id": _IDS,
        "title": (pl.String(),),
        "year": (pl.Int16(),),
        "genres": (pl.List(pl.String()),),
    },
    "ratings.parquet": {
        "user_index": (pl.Int32(),),
        "item_index": (pl.Int32(),),
        "rating": (pl.Float32(),),
        "position": (pl.Int64(),),
        "timestamp": (pl.Int64(),),
    },
}
# Every table has a column without repeats (ids, positions), of which zstd never put three rows
# into a byte, not even in files made for it. With four columns beside it that is a dozen cells a
# byte; where more cells are claimed than this, few bytes would become much memory.
_CELLS_PER_BYTE = 64
_CELLS_ALWAYS = 1 << 20


def dump_table(frame: pl.DataFrame) -> bytes:
    """The bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def read_table(name: str, content: bytes, rows: int) -> pl.DataFrame:
    """A model's Parquet file, after its columns and its number of rows were checked.

    Args:
        name: of the file.
        content: its bytes.
        rows: how many the manifest states.

    Raises:
        ModelFileError: no Parquet, other columns, other rows, nulls; names the file.
    """
    with blame(name):
        schema = pl.read_parquet_schema(io.BytesIO(content))
        _check_columns(name, schema)
        claimed = pl.scan_parquet(io.BytesIO(content)).select(pl.len()).collect().item()
        _check_rows(claimed, rows)
        if rows * len(schema) > max(_CELLS_ALWAYS, _CELLS_PER_BYTE * len(content)):
            raise ModelFileError(
                f"{rows:,} rows of {len(schema)} columns in {len(content):,} bytes; expected at "
                f"most {_CELLS_PER_BYTE} values a byte"
            )
        # The footer states rows twice; without a limit, Polars would decode what was not counted.
        frame = pl.read_parquet(io.BytesIO(content), n_rows=rows)
        _check_rows(len(frame), rows)
        _check_nulls(name, frame)
    return frame


@contextlib.contextmanager
def blame(name: str) -> Generator[None]:
    """Make whatever is wrong with a file a `ModelFileError` of one line that names it."""
    try:
        yield
    except (MatineeError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(f"{name}: {reason}; restore it or train again") from error


def _check_columns(name: str, schema: Mapping[str, pl.DataType]) -> None:
    expected = _COLUMNS[name]
    for column, kind in schema.items():
        feature = name == "users.parquet" and column not in expected and not kind.is_nested()
        if not feature and kind not in expected.get(column, ()):
            kinds = " or ".join(map(str, expected.get(column, ()))) or ", ".join(expected)
            raise ModelFileError(f"column {column} of type {kind}; expected {kinds}")
    missing = expected.keys() - schema.keys() - {"timestamp"}
    if missing:
        raise ModelFileError(
            f"columns {', '.join(schema)}; expected {', '.join(sorted(missing))} among them"
        )


def _check_rows(rows: int, expected: int) -> None:
    if rows != expected:
        raise ModelFileError(f"{rows:,} rows; expected {expected:,}, as the manifest states")


def _check_nulls(name: str, frame: pl.DataFrame) -> None:
    for column in _COLUMNS[name]:
        if column == "year" or column not in frame:
            continue
        series = frame[column]
        nulls = series.null_count()
        if series.dtype.is_nested():
            nulls += int((series.list.len() - series.list.drop_nulls().list.len()).sum())
        if nulls:
            raise ModelFileError(f"column {column} has {nulls:,} nulls; expected none")
