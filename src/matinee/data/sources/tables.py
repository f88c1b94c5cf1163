"""Ratings and films of your own, from CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.layout import Table
from matinee.data.sources.problems import (
    BadRowError,
    OnBadRows,
    Problem,
    Report,
    cells,
    good_rows,
    report_of,
    settle,
)
from matinee.data.sources.rows import Scale, check_scale, ratings_of, read_clean, read_rows
from matinee.data.sources.sniff import open_table
from matinee.files import atomic_file

# Two words for "nobody said", in MovieLens's older and newer sets.
NO_GENRE = ("unknown", "(no genres listed)")
_LONGEST_TITLE = 1000
_MAY_BE_EMPTY = ("genres", "year")
_GUESSED: Mapping[str, str | None] = dict.fromkeys(("item", "title", *_MAY_BE_EMPTY))
_Film = tuple[str, str, list[str], int | None]


def load_ratings(
    path: Path | str,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    *,
    catalog: Catalog | None = None,
    scale: Scale | None = None,
    on_bad_rows: OnBadRows = "raise",
) -> Ratings:
    """Read ratings from a table: `.csv`, `.tsv` or `.txt`, also with `.gz`, or `.parquet`.

    Text is UTF-8 or else Latin-1; the separator is a comma, semicolon, tab or bar. Times are whole
    seconds since 1970, or dates in ISO's form, which count as UTC; of the years 1900 to 2199.

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
        ConfigError: another word than "raise" or "skip", or a scale upside down or not finite.
    """
    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    return read_ratings(open_table(Path(path), columns), catalog, scale, report_of(on_bad_rows))


def load_catalog(
    path: Path | str,
    item: str | None = None,
    title: str | None = None,
    genres: str | None = None,
    year: str | None = None,
    *,
    on_bad_rows: OnBadRows = "raise",
) -> Catalog:
    """Read films from a table: `.csv`, `.tsv` or `.txt`, also with `.gz`, or `.parquet`.

    Args:
        path: the file.
        item: name of the ids' column; None looks for the usual names, here and below.
        title: of the titles, with or without `(year)`.
        genres: of the genres, separated by `|`; may be absent.
        year: of the years, which go before those in the titles; may be absent.
        on_bad_rows: "raise", or "skip"; see `load_ratings`. A row without an id or a title, with
            an id that stands in an earlier one, or with a year that is none, is bad.

    Raises:
        NotFoundError: no such file or column.
        DataError: an empty file, a bad row under "raise", or no good one under "skip".
        ConfigError: another word than "raise" or "skip".
    """
    columns = {"item": item, "title": title, "genres": genres, "year": year}
    return read_catalog(Path(path), report_of(on_bad_rows), columns)


def read_ratings(
    table: Table, catalog: Catalog | None, scale: Scale | None, report: Report
) -> Ratings:
    """The ratings of a table whose columns have been found; see `load_ratings`."""
    if scale is not None:
        check_scale(scale)
    if (ratings := read_clean(table, catalog, scale)) is not None:
        return ratings
    frame, problems = read_rows(table, catalog, scale)
    settle(table, problems, report, len(frame))
    return ratings_of(frame, catalog, scale)


def read_catalog(
    path: Path, report: Report, columns: Mapping[str, str | None] = _GUESSED
) -> Catalog:
    """The films of a table; see `load_catalog`."""
    table = open_table(path, columns, _MAY_BE_EMPTY)
    problems: list[Problem] = []
    films = list(good_rows(table, _FilmCheck(table), problems))
    settle(table, problems, report, len(films))
    ids, titles, genres, years = zip(*films, strict=True)
    return Catalog.of_titles(ids, titles, genres, years)


def write_ratings(ratings: Ratings, path: Path) -> None:
    """Write ratings as a Parquet file that `load_ratings` reads as the same, in its fast way.

    Args:
        ratings: in whatever order; the file has them in that of their source.
        path: of the file, which is written whole or not at all: `user_id`, `movie_id`, `rating`
            and, where there are times, `timestamp`.
    """
    order = np.argsort(ratings.position)
    columns = {
        "user_id": ratings.users.series.gather(ratings.user_index[order]),
        "movie_id": ratings.items.series.gather(ratings.item_index[order]),
        "rating": pl.Series(ratings.rating[order]),
    }
    if ratings.timestamp is not None:
        columns["timestamp"] = pl.Series(ratings.timestamp[order])
    with atomic_file(path) as temporary:
        pl.DataFrame(columns).write_parquet(temporary)


def split_genres(text: str) -> list[str]:
    """`"Action|War"` -> `["Action", "War"]`; a genre that says "none" is left out."""
    names = (name.strip() for name in text.split("|"))
    return [name for name in names if name and name not in NO_GENRE]


class _FilmCheck:
    """Turns the fields of one row into a film, or says what is wrong with it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.first_line: dict[str, int] = {}

    def __call__(self, line: int, fields: list[str]) -> _Film:
        text = cells(self.table, fields, _MAY_BE_EMPTY)
        film, title = text["item"], text["title"]
        if len(title) > _LONGEST_TITLE:
            raise BadRowError(
                title,
                f"a title of {len(title):,} characters; expected at most {_LONGEST_TITLE:,}; "
                "is a quote not closed?",
            )
        year = _year(text.get("year", ""))
        first = self.first_line.setdefault(film, line)
        if first != line:
            raise BadRowError(
                film, f"{self.table.unit} {first} has this film id already; expected each once"
            )
        return film, title, split_genres(text.get("genres", "")), year


def _year(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) == 4):
        raise BadRowError(text, "expected four digits as year, or nothing")
    return int(text)
