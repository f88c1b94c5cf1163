"""The careful path: read a table row by row and find every bad one, with its number and reason."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.sources.layout import Table
from matinee.errors import DataError
from matinee.files import atomic_file

_CHUNK = 100_000
_LONGEST = 80
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SCHEMA = {
    "line": pl.Int64,
    "user": pl.String,
    "item": pl.String,
    "rating": pl.Float32,
    "timestamp": pl.Int64,
}


@dataclass(frozen=True, order=True)
class Problem:
    """One bad row.

    Attributes:
        line: its number in the file, from 1; a row over several lines has that of its first.
        value: what stands there.
        reason: what was expected instead.
    """

    line: int
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.value!r}: {self.reason}"


class _BadRowError(Exception):
    def __init__(self, value: str, reason: str) -> None:
        self.value = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        self.reason = reason


def read_rows(
    table: Table, catalog: Catalog | None, scale: tuple[float, float] | None
) -> tuple[pl.DataFrame, list[Problem]]:
    """Part the good rows of a table from the bad.

    Of several ratings of one film by one user the newest is good: the latest by its time, then by
    its place in the file.

    Returns:
        The good rows, in the file's order (`user`, `item` String, `rating` Float32, and
        `timestamp` Int64 if the table has times), and the bad ones, in the file's order too.
    """
    problems: list[Problem] = []
    frame = pl.concat([pl.DataFrame(schema=_SCHEMA), *_good_chunks(table, scale, problems)])
    if catalog is not None:
        frame = _reject_unknown(frame, catalog, problems)
    frame = _reject_repeated(frame, table.unit, problems)
    chosen = [role for role in ("user", "item", "rating", "timestamp") if role in table.columns]
    return frame.select(chosen), sorted(problems)


def write_rejected(table: Table, problems: list[Problem]) -> Path:
    """Write the bad rows, each with its number and reason, to `NAME.rejected.csv` beside the data.

    Raises:
        DataError: the directory cannot be written to.
    """
    target = table.path.with_name(f"{table.path.name.split('.')[0]}.rejected.csv")
    reasons = {problem.line: problem.reason for problem in problems}
    try:
        with (
            atomic_file(target) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow([table.unit, "reason", *table.header])
            for line, fields in table.rows():
                if line in reasons:
                    writer.writerow([line, reasons[line], *fields])
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error}), and {len(problems):,} bad rows would be lost; "
            "make its directory writable, or copy the data to one that is"
        ) from error
    return target


def _good_chunks(
    table: Table, scale: tuple[float, float] | None, problems: list[Problem]
) -> Iterator[pl.DataFrame]:
    """Rows whose own values are good, in frames of `_SCHEMA`; the others go to `problems`."""
    check = _RowCheck(table, scale)
    chunk: list[tuple[int, str, str, float, int | None]] = []
    for line, fields in table.rows():
        try:
            chunk.append((line, *check(fields)))
        except _BadRowError as bad:
            problems.append(Problem(line, bad.value, bad.reason))
        if len(chunk) == _CHUNK:
            yield pl.DataFrame(chunk, schema=_SCHEMA, orient="row")
            chunk = []
    yield pl.DataFrame(chunk, schema=_SCHEMA, orient="row")


class _RowCheck:
    """Turns the fields of one row into values, or says what is wrong with it."""

    def __init__(self, table: Table, scale: tuple[float, float] | None) -> None:
        self.table = table
        self.width = len(table.header)
        self.scale = scale

    def __call__(self, fields: list[str]) -> tuple[str, str, float, int | None]:
        if len(fields) != self.width:
            names = ", ".join(name for name in self.table.header if name)
            raise _BadRowError(
                ",".join(fields), f"{len(fields)} fields; expected {self.width} ({names})"
            )
        text = {role: fields[place].strip() for role, place in self.table.columns.items()}
        for role, value in text.items():
            if not value:
                raise _BadRowError(",".join(fields), f"no {role}; expected one in every row")
        return text["user"], text["item"], self._rating(text["rating"]), self._time(text)

    def _rating(self, text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise _BadRowError(text, "expected a finite number as rating")
        # As float32, because that is how it is kept and compared later.
        with np.errstate(over="ignore"):
            rating = float(np.float32(text))
        if not np.isfinite(rating):
            raise _BadRowError(text, "expected a finite number as rating")
        if self.scale and not self.scale[0] <= rating <= self.scale[1]:
            low, high = self.scale
            raise _BadRowError(text, f"expected a rating within the scale {low:g}–{high:g}")
        return rating

    def _time(self, text: dict[str, str]) -> int | None:
        if "timestamp" not in text:
            return None
        seconds = self.table.seconds(text["timestamp"])
        if seconds is None:
            raise _BadRowError(
                text["timestamp"],
                "expected a time in whole seconds since 1970, or the first row's format",
            )
        return seconds


def _reject_unknown(frame: pl.DataFrame, catalog: Catalog, problems: list[Problem]) -> pl.DataFrame:
    numbers = catalog.items.numbers(frame["item"], unknown="row")
    unknown = pl.Series(numbers == len(catalog))
    problems += [
        Problem(line, item, f"expected a film of the catalogue ({len(catalog):,} films)")
        for line, item in frame.filter(unknown).select("line", "item").iter_rows()
    ]
    return frame.filter(~unknown)


def _reject_repeated(frame: pl.DataFrame, unit: str, problems: list[Problem]) -> pl.DataFrame:
    repeated = frame.select(pl.struct("user", "item").is_duplicated()).to_series()
    if not repeated.any():
        return frame
    newest = pl.col("line").sort_by("timestamp", "line").last().over("user", "item")
    older = frame.filter(repeated).with_columns(kept=newest).filter(pl.col("line") != newest)
    for line, user, item, kept in older.select("line", "user", "item", "kept").iter_rows():
        reason = (
            f"{unit} {kept} is the newest rating of this film by this user; expected one a pair"
        )
        problems.append(Problem(line, f"user {user}, film {item}", reason))
    return frame.join(older.select("line"), on="line", how="anti", maintain_order="left")
