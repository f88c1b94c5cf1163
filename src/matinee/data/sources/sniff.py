"""Finding out how a file of ratings is laid out, and which of its columns is which."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from matinee.data.sources.layout import ParquetTable, Table, TextTable
from matinee.data.sources.text import beginning, need_file
from matinee.errors import DataError, NotFoundError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, ".parquet")

_USUAL_NAMES = {
    "user": ("userid", "user", "uid", "customerid", "reviewerid"),
    "item": ("movieid", "itemid", "filmid", "item", "movie", "film", "iid"),
    "rating": ("rating", "stars", "score"),
    "timestamp": ("timestamp", "time", "ts", "unixtime", "date", "datetime"),
    "title": ("title", "movietitle", "filmtitle", "name"),
    "genres": ("genres", "genre"),
    "year": ("year", "releaseyear"),
}
_SEPARATORS = ",;\t|"
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")


def is_table(path: Path) -> bool:
    """Whether a file's name says that it is one of the tables that can be read."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


def open_table(
    path: Path, named: dict[str, str | None], optional: Sequence[str] = ("timestamp",)
) -> Table:
    """Find the columns of a table.

    Args:
        path: `.csv`, `.tsv` or `.txt`, also with `.gz`; or `.parquet`.
        named: role -> the name of its column, or None to guess it from the usual names.
        optional: roles that may be absent.

    Raises:
        NotFoundError: no such file, or a column is not there; the message lists those that are.
        DataError: an empty file, another kind of file, or Parquet columns of an unusable type.
    """
    need_file(path)
    if not is_table(path):
        raise DataError(
            f"{path}: expected a table ({', '.join(TABLE_SUFFIXES)}); convert it to one of these"
        )
    if path.suffix.lower() == ".parquet":
        return _open_parquet(path, named, optional)
    return _open_text_table(path, named, optional)


def _open_text_table(
    path: Path, named: dict[str, str | None], optional: Sequence[str]
) -> TextTable:
    text = beginning(path)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = tuple(name.strip() for name in next(reader, list[str]()))
    sample = next((row for row in reader if row), None)
    if sample is None:
        raise DataError(f"{path} has no rows below its header; expected at least one")
    columns = _find_columns(path, header, named, optional)
    table = TextTable(path, separator, header, columns)
    if "timestamp" not in columns or columns["timestamp"] >= len(sample):
        return table
    return TextTable(
        path, separator, header, columns, time_format=_time_format(sample[columns["timestamp"]])
    )


def _open_parquet(
    path: Path, named: dict[str, str | None], optional: Sequence[str]
) -> ParquetTable:
    try:
        schema = pl.scan_parquet(path, glob=False).collect_schema()
        rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} is not a whole Parquet file: {error}; write it again") from error
    if not rows:
        raise DataError(f"{path} has no rows; expected at least one")
    places = _find_columns(path, tuple(schema), named, optional)
    names = {role: list(schema)[place] for role, place in places.items()}
    for role, name in names.items():
        if reason := _unusable(role, schema[name]):
            raise DataError(
                f"{path}, column {name} is {schema[name]}; expected {reason}; convert the column"
            )
    return ParquetTable(
        path, tuple(names.values()), {role: place for place, role in enumerate(names)}
    )


def _find_columns(
    path: Path, header: tuple[str, ...], named: dict[str, str | None], optional: Sequence[str]
) -> dict[str, int]:
    """Role -> place of its column, for every role that has one."""
    columns: dict[str, int] = {}
    for role, name in named.items():
        place = _place_of(header, role) if name is None else _place_named(header, name)
        if place is not None:
            columns[role] = place
        elif name is not None or role not in optional:
            wanted = repr(name) if name else f"one of {', '.join(_USUAL_NAMES[role])}"
            raise NotFoundError(
                f"{path} has no column for the {role}: expected {wanted}; it has "
                f"{', '.join(header)}; name the column with {role}=…"
            )
    return columns


def _place_named(header: tuple[str, ...], name: str) -> int | None:
    return header.index(name) if name in header else None


def _place_of(header: tuple[str, ...], role: str) -> int | None:
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in header]
    return next((plain.index(name) for name in _USUAL_NAMES[role] if name in plain), None)


def _time_format(sample: str) -> str | None:
    """The format of text times, or None if the sample is a number or of no known format."""
    for text_format in _TIME_FORMATS:
        try:
            datetime.strptime(sample.strip(), text_format)
        except ValueError:
            continue
        return text_format
    return None


def _unusable(role: str, dtype: pl.DataType) -> str | None:
    """What a Parquet column of this type should have been, or None if it will do."""
    if dtype == pl.String:
        return None
    match role:
        case "user" | "item":
            return None if dtype.is_integer() else "integers or text"
        case "rating":
            return None if dtype.is_numeric() else "numbers"
        case _:
            good = dtype.is_integer() or dtype.is_(pl.Date) or isinstance(dtype, pl.Datetime)
            return None if good else "integer seconds or a datetime"
