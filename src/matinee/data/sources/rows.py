"""A table's rows -> ratings: fast if all are good, else row by row, finding every bad one.

The fast path proves a whole table clean with Polars, or says nothing about it; the careful path
knows each bad row's number and reason. What the fast path passes, the careful path reads alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from matinee.console import Advance
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.archives import bar_if_large
from matinee.data.sources.layout import Table
from matinee.data.sources.problems import BadRowError, Problem, cells, good_rows
from matinee.data.sources.records import NUMBER
from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError, NotFoundError

Scale = tuple[float, float]
_CHUNK = 100_000
# 1900 and 2200: what lies outside is no time of a rating, and more likely in another unit.
_EARLIEST = -2_208_988_800
_LATEST = 7_258_118_400
_SCHEMA = {
    "line": pl.Int64,
    "user": pl.String,
    "item": pl.String,
    "rating": pl.Float32,
    "timestamp": pl.Int64,
}


def check_scale(scale: Scale) -> None:
    """Refuse a scale that ratings, which are kept as float32, cannot be held against.

    Raises:
        ConfigError: its ends are upside down, equal, or not finite in float32.
    """
    low, high = _float32(scale[0]), _float32(scale[1])
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ConfigError(
            f"scale {scale[0]:g}–{scale[1]:g}; expected two finite numbers of 32 bits, the lower "
            "rating first; give others (--scale 1:5, in Python scale=(1, 5))"
        )


def _float32(number: float | str) -> float:
    """A number as it comes out of 32 bits; infinite if it does not fit."""
    with np.errstate(over="ignore"):
        return float(np.float32(number))


def read_clean(table: Table, catalog: Catalog | None, scale: Scale | None) -> Ratings | None:
    """The ratings of a table in which every row is good, or None if some row may not be.

    It never says what is wrong or where; `read_rows` finds that out.

    Raises:
        DataError: a file that is not text, or unpacks to too much.
    """
    # Counted first, because Polars unpacks without a limit. And it drops rows without a word
    # between two quotes that stand inside fields.
    expected = table.count()
    if not expected:
        return None
    try:
        frame = _collect(table, expected, {"user": pl.Int64(), "item": pl.Int64()})
        text = [role for role in ("user", "item") if frame[role].null_count()]
        if text:
            # One id that is no 64-bit integer makes all of its column text.
            frame = _collect(
                table,
                expected,
                {role: pl.String() if role in text else pl.Int64() for role in ("user", "item")},
            )
    except (pl.exceptions.PolarsError, OSError):
        return None
    if len(frame) != expected or any(frame.null_count().row(0)) or not _plausible_times(frame):
        return None
    try:
        return ratings_of(frame, catalog, scale)
    except (DataError, NotFoundError):
        return None


def ratings_of(frame: pl.DataFrame, catalog: Catalog | None, scale: Scale | None) -> Ratings:
    """Ratings from columns `user` and `item` (Int64 or String), `rating`, perhaps `timestamp`.

    Columns leave the frame as they are used up, which halves the memory that 25 million rows take.

    Raises:
        DataError: a value out of range or a pair twice.
        NotFoundError: a film that is not in the catalogue.
    """
    user, item = (frame.drop_in_place(role) for role in ("user", "item"))
    users = Vocabulary.of(user, "user")
    user_index = users.numbers(user)
    del user
    items = Vocabulary.of(item, "movie") if catalog is None else catalog.items
    item_index = items.numbers(item)
    del item
    rating = frame.drop_in_place("rating").to_numpy()
    times = frame.drop_in_place("timestamp").to_numpy() if "timestamp" in frame.columns else None
    return Ratings.of(users, items, user_index, item_index, rating, times, scale=scale)


def _plausible_times(frame: pl.DataFrame) -> bool:
    if "timestamp" not in frame.columns:
        return True
    times = frame["timestamp"].to_numpy()
    return bool(times.min() >= _EARLIEST and times.max() < _LATEST)


def _collect(table: Table, rows: int, ids: dict[str, pl.DataType]) -> pl.DataFrame:
    """The table in its final types; whatever doesn't fit them is null."""
    columns = [_id(role, dtype) for role, dtype in ids.items()]
    columns.append(pl.col("rating").cast(pl.Float32, strict=False))
    if "timestamp" in table.columns:
        columns.append(pl.col("timestamp").cast(pl.Int64, strict=False))
    size = table.path.stat().st_size
    with bar_if_large(f"Reading {table.path.name}", size) as advance:
        watched = _watched(table.scan().select(columns), advance, size / rows)
        return watched.collect(engine="streaming")


def _watched(frame: pl.LazyFrame, advance: Advance, bytes_per_row: float) -> pl.LazyFrame:
    """The same frame, which moves a bar on with every batch that has been read."""
    done = 0

    def note(batch: pl.DataFrame) -> pl.DataFrame:
        nonlocal done
        done += len(batch)
        advance(done * bytes_per_row)
        return batch

    return frame.map_batches(note, streamable=True, validate_output_schema=False)


def _id(role: str, dtype: pl.DataType) -> pl.Expr:
    raw = pl.col(role)
    if dtype == pl.String:
        raw = raw.cast(pl.String)
        text = raw.str.strip_chars()
        # Quotes and carriage returns inside a field mean different things to different readers.
        sure = (text != "") & ~raw.str.contains('["\r]')
        return pl.when(sure).then(text).alias(role)
    number = raw.cast(pl.Int64, strict=False)
    # "007" is not the id 7: only the canonical spelling is.
    return pl.when(number.cast(pl.String) == raw.cast(pl.String)).then(number).alias(role)


def read_rows(
    table: Table, catalog: Catalog | None, scale: Scale | None, *, lines: bool = False
) -> tuple[pl.DataFrame, list[Problem]]:
    """Part the good rows of a table from the bad.

    Of several ratings of one film by one user the newest is good: the latest by its time, then by
    its place in the file.

    Returns:
        The good rows, in the file's order (`user`, `item` String, `rating` Float32, `timestamp`
        Int64 if the table has times, and `line` Int64 if asked for), and the bad ones, in the
        file's order too.
    """
    problems: list[Problem] = []
    frame = pl.concat([pl.DataFrame(schema=_SCHEMA), *_good_chunks(table, scale, problems)])
    if catalog is not None:
        frame = _reject_unknown(frame, catalog, table.path, problems)
    frame = _reject_repeated(frame, table, problems)
    chosen = [role for role in ("user", "item", "rating", "timestamp") if role in table.columns]
    return frame.select([*chosen, "line"] if lines else chosen), sorted(problems)


def _good_chunks(
    table: Table, scale: Scale | None, problems: list[Problem]
) -> Iterator[pl.DataFrame]:
    """Rows whose own values are good, in frames of `_SCHEMA`; the others go to `problems`."""
    check = _RowCheck(table, scale)
    chunk: list[tuple[int, str, str, float, int | None]] = []
    for row in good_rows(table, check, problems):
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield pl.DataFrame(chunk, schema=_SCHEMA, orient="row")
            chunk = []
    yield pl.DataFrame(chunk, schema=_SCHEMA, orient="row")


class _RowCheck:
    """Turns the fields of one row into values, or says what is wrong with it."""

    def __init__(self, table: Table, scale: Scale | None) -> None:
        self.table = table
        self.ends = None if scale is None else (_float32(scale[0]), _float32(scale[1]))

    def __call__(self, line: int, fields: list[str]) -> tuple[int, str, str, float, int | None]:
        text = cells(self.table, fields)
        return line, text["user"], text["item"], self._rating(text["rating"]), self._time(text)

    def _rating(self, text: str) -> float:
        if not NUMBER.fullmatch(text):
            raise BadRowError(text, "expected a finite number as rating")
        # As float32, because that is how it is kept and compared later.
        rating = _float32(text)
        if not np.isfinite(rating):
            raise BadRowError(text, "expected a finite number as rating")
        if self.ends and not self.ends[0] <= rating <= self.ends[1]:
            low, high = self.ends
            raise BadRowError(text, f"expected a rating within the scale {low:g}–{high:g}")
        return rating

    def _time(self, text: dict[str, str]) -> int | None:
        if "timestamp" not in text:
            return None
        seconds = self.table.seconds(text["timestamp"])
        if seconds is None:
            raise BadRowError(
                text["timestamp"],
                "expected a time in whole seconds since 1970, or the first row's format",
            )
        if not _EARLIEST <= seconds < _LATEST:
            raise BadRowError(
                text["timestamp"],
                "expected seconds since 1970, of the years 1900 to 2199" + _other_unit(seconds),
            )
        return seconds


def _other_unit(time: int) -> str:
    """The unit that a time may have been meant in, and the remedy; nothing if none fits."""
    for unit, factor in (("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)):
        if _EARLIEST <= time // factor < _LATEST:
            return f"; {unit}? divide by {factor}"
    return ""


def _reject_unknown(
    frame: pl.DataFrame, catalog: Catalog, path: Path, problems: list[Problem]
) -> pl.DataFrame:
    numbers = catalog.items.numbers(frame["item"], unknown="row")
    unknown = pl.Series(numbers == len(catalog))
    reason = f"expected a film of the catalogue ({len(catalog):,} films)"
    problems += [
        Problem(line, item, reason, path)
        for line, item in frame.filter(unknown).select("line", "item").iter_rows()
    ]
    return frame.filter(~unknown)


def _reject_repeated(frame: pl.DataFrame, table: Table, problems: list[Problem]) -> pl.DataFrame:
    repeated = frame.select(pl.struct("user", "item").is_duplicated()).to_series()
    if not repeated.any():
        return frame
    newest = pl.col("line").sort_by("timestamp", "line").last().over("user", "item")
    older = frame.filter(repeated).with_columns(kept=newest).filter(pl.col("line") != newest)
    for line, user, item, kept in older.select("line", "user", "item", "kept").iter_rows():
        reason = (
            f"{table.unit} {kept} is the newest rating of this film by this user; "
            "expected one a pair"
        )
        problems.append(Problem(line, f"user {user}, film {item}", reason, table.path))
    return frame.join(older.select("line"), on="line", how="anti", maintain_order="left")
