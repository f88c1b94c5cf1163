"""Finding out how a file of ratings is laid out, and which of its columns is which."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from matinee.data.sources.layout import ParquetTable, Table, TextTable
from matinee.data.sources.records import Row, records
from matinee.data.sources.text import beginning, need_file
from matinee.errors import ConfigError, DataError, NotFoundError

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


class NoRowsError(DataError):
    """A table of nothing but the names of its columns."""


def is_table(path: Path) -> bool:
    """Whether a file's name says that it is one of the tables that can be read."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


def open_table(
    path: Path, named: Mapping[str, str | None], optional: Sequence[str] = ("timestamp",)
) -> Table:
    """Find the columns of a table.

    Args:
        path: `.csv`, `.tsv` or `.txt`, also with `.gz`; or `.parquet`.
        named: role -> the name of its column, or None to guess it from the usual names.
        optional: roles that may be absent.

    Raises:
        NotFoundError: no such file, or a column is not there; the message lists those that are.
        DataError: an empty file, another kind of file, two columns of one name, or Parquet columns
            of an unusable type.
        ConfigError: one column is named for two roles.
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
    path: Path, named: Mapping[str, str | None], optional: Sequence[str]
) -> TextTable:
    text = beginning(path)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    rows = records(io.StringIO(text, newline=""), separator, _as_many)
    header = _header_of(path, next(rows, None))
    first = next(rows, None)
    if first is None:
        raise NoRowsError(f"{path} has no rows below its header; expected at least one")
    sample = (next((row for row in rows if not row.fault), first) if first.fault else first).fields
    columns = _find_columns(path, header, named, optional)
    table = TextTable(path, separator, header, columns)
    if "timestamp" not in columns or columns["timestamp"] >= len(sample):
        return table
    return TextTable(
        path, separator, header, columns, time_format=_time_format(sample[columns["timestamp"]])
    )


def _as_many(first: list[str], fields: list[str]) -> bool:
    """Whether a line has as many fields as an earlier one, so that it may be a row."""
    return len(fields) == len(first) > 1


def _header_of(path: Path, row: Row | None) -> tuple[str, ...]:
    if row is None or row.line != 1:
        return ()
    if row.fault:
        raise DataError(f"{path}, line 1: {row.fault}, in the names of the columns; correct it")
    return tuple(name.strip() for name in row.fields)


def _open_parquet(
    path: Path, named: Mapping[str, str | None], optional: Sequence[str]
) -> ParquetTable:
    try:
        schema = pl.scan_parquet(path, glob=False).collect_schema()
        rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} is not a whole Parquet file: {error}; write it again") from error
    if not rows:
        raise NoRowsError(f"{path} has no rows; expected at least one")
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
    path: Path, header: tuple[str, ...], named: Mapping[str, str | None], optional: Sequence[str]
) -> dict[str, int]:
    """Role -> place of its column, for every role that has one."""
    columns: dict[str, int] = {}
    for role, name in named.items():
        place = _find_column(path, header, role, named)
        if place is not None:
            columns[role] = place
        elif name is not None or role not in optional:
            wanted = repr(name) if name else f"one of {', '.join(_USUAL_NAMES[role])}"
            raise NotFoundError(
                f"{path} has no column for the {role}: expected {wanted}; it has "
                f"{', '.join(header)}; {_remedy(role, named)}"
            )
    _check_distinct(path, header, columns)
    return columns


def _find_column(
    path: Path, header: tuple[str, ...], role: str, named: Mapping[str, str | None]
) -> int | None:
    """The one place whose name is the given one, or else the first of the usual ones."""
    if (name := named[role]) is not None:
        places = [at for at, own in enumerate(header) if own == name]
    else:
        plain = ["".join(c for c in own.lower() if c.isalnum()) for own in header]
        usual = next((usual for usual in _USUAL_NAMES[role] if usual in plain), None)
        places = [at for at, own in enumerate(plain) if own == usual]
    if len(places) > 1:
        alike = ", ".join(header[at] for at in places)
        same = len({header[at] for at in places}) < len(places)
        raise DataError(
            f"{path} has {len(places)} columns for the {role} ({alike}); expected one; "
            + ("rename one of them" if same else _remedy(role, named))
        )
    return places[0] if places else None


def _check_distinct(path: Path, header: tuple[str, ...], columns: Mapping[str, int]) -> None:
    role_at: dict[int, str] = {}
    for role, place in columns.items():
        if (other := role_at.setdefault(place, role)) != role:
            raise ConfigError(
                f"{path}: column {header[place]!r} is given for the {other} and for the {role}; "
                f"expected a column for each; it has {', '.join(header)}"
            )


def _remedy(role: str, named: Mapping[str, str | None]) -> str:
    """How to say which column is meant; those of a table of films have no option."""
    if "title" in named:
        return f"name it {_USUAL_NAMES[role][0]}, or in Python say {role}=…"
    return f"name the column with --{role}-column (in Python {role}=…)"


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
