"""Where the four columns stand in a file of ratings: text with a separator, or Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from matinee.data.sources.records import NUMBER, Row, records
from matinee.data.sources.text import count_plain_lines, lines_of
from matinee.errors import DataError


class Table(Protocol):
    """A file of ratings whose columns have been found."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def unit(self) -> str:
        """What its rows are counted in: "line" or "row"."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        ...

    @property
    def columns(self) -> dict[str, int]:
        """Role -> place of its column."""
        ...

    def scan(self) -> pl.LazyFrame:
        """Columns named by role; text stays text, times are Int64 seconds if they are readable."""
        ...

    def count(self) -> int | None:
        """How many rows the file has, by a count that does not parse it; None if not sure."""
        ...

    def rows(self) -> Iterator[Row]:
        """Every row with its true number, as text; blank lines are left out."""
        ...

    def seconds(self, value: str) -> int | None:
        """A time in seconds since 1970, or None if the text is not one."""
        ...


@dataclass(frozen=True)
class TextTable:
    """A text file with a separator.

    Attributes:
        path: the file; `.gz` is unpacked on the way.
        separator: one character.
        header: the columns' names.
        columns: role -> place of its column.
        has_header: whether the first line holds the names.
        time_format: of `strptime` for text times; None for integer seconds.
        quoted: whether `"` may enclose a field.
    """

    path: Path
    separator: str
    header: tuple[str, ...]
    columns: dict[str, int]
    has_header: bool = True
    time_format: str | None = None
    quoted: bool = True
    unit: str = "line"

    def scan(self) -> pl.LazyFrame:
        """See `Table.scan`; any text that is not UTF-8 fails when it is collected."""
        frame = pl.scan_csv(
            self.path,
            has_header=False,
            skip_rows=int(self.has_header),
            separator=self.separator,
            schema={str(place): pl.String for place in range(len(self.header))},
            quote_char='"' if self.quoted else None,
            glob=False,
        )
        columns = {role: pl.col(str(at)) for role, at in self.columns.items()}
        last = len(self.header) - 1
        if last not in self.columns.values():
            # Polars fills a row that is too short with nulls; one in the last column betrays it.
            whole = pl.col(str(last)).is_not_null()
            columns["rating"] = pl.when(whole).then(columns["rating"])
        if self.time_format is not None:
            moments = columns["timestamp"].str.to_datetime(self.time_format, strict=False)
            columns["timestamp"] = moments.dt.epoch("s")
        return frame.select(column.alias(role) for role, column in columns.items())

    def count(self) -> int | None:
        """See `Table.count`; every line counts as a row, so blank ones make it too many."""
        lines = count_plain_lines(self.path)
        return None if lines is None else lines - self.has_header

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`; a quoted field may run over several lines."""
        lines = lines_of(self.path)
        if self.quoted:
            rows = records(lines, self.separator, self._is_row)
        else:
            plain = (line.rstrip("\r\n") for line in lines)
            numbered = enumerate(plain, 1)
            rows = (Row(n, line.split(self.separator)) for n, line in numbered if line)
        if self.has_header:
            next(rows, None)
        yield from rows

    def _is_row(self, first: list[str], fields: list[str]) -> bool:
        """Whether fields are a row of this table rather than a line of somebody's comment.

        Args:
            first: the fields of the line where the comment would have begun.
            fields: those of a later line.
        """
        if len(fields) != len(self.header):
            return False
        for role, place in self.columns.items():
            text = fields[place].strip()
            alike = first[place].strip() if place < len(first) else ""
            if role in ("user", "item") and not _is_id_like(text, alike):
                return False
            if role == "rating" and not NUMBER.fullmatch(text):
                return False
            if role == "timestamp" and self.seconds(text) is None:
                return False
            if role == "year" and text and not text.isdecimal():
                return False
            if role == "title" and not text:
                return False
        return True

    def seconds(self, value: str) -> int | None:
        """See `Table.seconds`."""
        if self.time_format is None:
            return integer(value)
        try:
            moment = datetime.strptime(value, self.time_format).replace(tzinfo=UTC)
        except ValueError:
            return None
        return int(moment.timestamp())


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file.

    Attributes:
        path: the file.
        header: the names of the columns that are used.
        columns: role -> place in `header`.
    """

    path: Path
    header: tuple[str, ...]
    columns: dict[str, int]
    unit: str = "row"

    def scan(self) -> pl.LazyFrame:
        """See `Table.scan`."""
        frame = pl.scan_parquet(self.path, glob=False)
        schema = frame.collect_schema()
        return frame.select(
            _epoch_seconds(pl.col(self.header[at]), schema[self.header[at]]).alias(role)
            for role, at in self.columns.items()
        )

    def count(self) -> int:
        """See `Table.count`; a Parquet file's footer tells."""
        return pl.scan_parquet(self.path, glob=False).select(pl.len()).collect().item()

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`; rows are counted from 1."""
        frame = pl.scan_parquet(self.path, glob=False)
        try:
            schema = frame.collect_schema()
            text = frame.select(
                _epoch_seconds(pl.col(name), schema[name]).cast(pl.String).fill_null("")
                for name in self.header
            ).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{self.path} is a damaged Parquet file: {error}; write it again"
            ) from error
        for number, row in enumerate(text.iter_rows(), 1):
            yield Row(number, list(row))

    def seconds(self, value: str) -> int | None:
        """See `Table.seconds`."""
        return integer(value)


def integer(text: str) -> int | None:
    """A 64-bit integer in plain digits, or None."""
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


def _is_id_like(text: str, other: str) -> bool:
    """Whether a text may be an id, another one being known to be."""
    return text.isdecimal() if other.isdecimal() else bool(text) and " " not in text


def _epoch_seconds(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return column.dt.epoch("s") if dtype.is_temporal() else column
