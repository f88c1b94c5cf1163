"""Ratings and films of your own, from CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from matinee.console import say
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.clean import ratings_of, read_clean
from matinee.data.sources.layout import Table
from matinee.data.sources.rows import Problem, read_rows, write_rejected
from matinee.data.sources.sniff import open_table
from matinee.errors import ConfigError, DataError

OnBadRows = Literal["raise", "skip"]


def load_ratings(
    path: Path | str,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    *,
    catalog: Catalog | None = None,
    scale: tuple[float, float] | None = None,
    on_bad_rows: OnBadRows = "raise",
) -> Ratings:
    """Read ratings from a table: `.csv`, `.tsv` or `.txt`, also with `.gz`, or `.parquet`.

    Text is UTF-8 or else Latin-1; the separator is a comma, semicolon, tab or bar. Times are whole
    seconds since 1970, or dates in ISO's form, which count as UTC.

    Args:
        path: the file.
        user: name of the users' column; None looks for the usual names, here and below.
        item: of the films' column.
        rating: of the ratings' column.
        timestamp: of the times' column, which may be absent.
        catalog: the films; its vocabulary becomes that of the ratings, and a film outside it is a
            bad row. None makes a vocabulary of the films that were rated.
        scale: lowest and highest rating; None takes those that occur.
        on_bad_rows: "raise", or "skip", which writes every bad row with its line and reason to
            `NAME.rejected.csv` beside the data and keeps the rest. Of several ratings of one film
            by one user, the newest is kept.

    Raises:
        NotFoundError: no such file or column.
        DataError: an empty file, a bad row under "raise", or no good one under "skip".
        ConfigError: another word than "raise" or "skip", or a scale upside down.
    """
    table = open_table(Path(path), _named(user, item, rating, timestamp))
    return read_table(table, catalog, scale, on_bad_rows)


def read_table(
    table: Table,
    catalog: Catalog | None,
    scale: tuple[float, float] | None,
    on_bad_rows: OnBadRows,
) -> Ratings:
    """The ratings of a table whose columns have been found; see `load_ratings`."""
    _check_options(scale, on_bad_rows)
    if (ratings := read_clean(table, catalog, scale)) is not None:
        return ratings
    frame, problems = read_rows(table, catalog, scale)
    if problems and on_bad_rows == "raise":
        first = problems[0]
        raise DataError(
            f"{table.path}, {table.unit} {first.line}: {first} (bad rows in all: "
            f"{len(problems):,}); correct them, or leave them out with on_bad_rows='skip' "
            "(--on-bad-rows skip)"
        )
    if problems:
        target = write_rejected(table, problems)
        say(f"{table.path}: bad rows left out: {len(problems):,}; see {target}")
    if not len(frame):
        raise DataError(
            f"{table.path}: none of its {len(problems):,} rows is good; expected at least one"
            + (
                f"; the first, {table.unit} {problems[0].line}, is {problems[0]}"
                if problems
                else ""
            )
        )
    return ratings_of(frame, catalog, scale)


def find_problems(
    table: Table, catalog: Catalog | None, scale: tuple[float, float] | None
) -> list[Problem]:
    """Every bad row of a table, in its order; none if it is clean."""
    _check_options(scale, "skip")
    if read_clean(table, catalog, scale) is not None:
        return []
    return read_rows(table, catalog, scale)[1]


def check_ratings(
    path: Path | str,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    *,
    catalog: Catalog | None = None,
    scale: tuple[float, float] | None = None,
) -> list[Problem]:
    """Every bad row that `load_ratings` would meet, in the file's order."""
    table = open_table(Path(path), _named(user, item, rating, timestamp))
    return find_problems(table, catalog, scale)


def _named(
    user: str | None, item: str | None, rating: str | None, timestamp: str | None
) -> dict[str, str | None]:
    return {"user": user, "item": item, "rating": rating, "timestamp": timestamp}


def _check_options(scale: tuple[float, float] | None, on_bad_rows: str) -> None:
    if on_bad_rows not in ("raise", "skip"):
        raise ConfigError(f"on_bad_rows={on_bad_rows!r}; expected 'raise' or 'skip'")
    if scale is not None and not scale[0] < scale[1]:
        raise ConfigError(f"scale {scale[0]:g}–{scale[1]:g}; expected the lower rating first")
