"""GroupLens's file formats -> a table of ratings, a catalogue, users' features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.sources.datasets import Dataset
from matinee.data.sources.films import load_catalog, split_genres
from matinee.data.sources.layout import TextTable
from matinee.data.sources.text import need_file, read_text
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError

# The order of the flags in u.item.
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
# 1M's README spells its occupation codes out; the order is theirs.
OCCUPATIONS_1M = (
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist"),
    *("self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)

_RATINGS_HEADER = ("userId", "movieId", "rating", "timestamp")
# With ":" as the separator, "::" leaves every other field empty.
_DAT_HEADER = ("userId", "", "movieId", "", "rating", "", "timestamp")
T = TypeVar("T")
_Film = tuple[str, str, list[str]]
_User = tuple[str, int, str, str]
_USERS_SCHEMA = {
    "id": pl.String,
    "age": pl.Int16,
    "gender": pl.String,
    "occupation": pl.String,
}


def ratings_table(directory: Path, dataset: Dataset) -> TextTable:
    """The file of ratings, with its columns known.

    Raises:
        DataError: an empty file.
    """
    path = directory / dataset.ratings_file
    need_file(path)
    if dataset.style == "dat":
        columns = {"user": 0, "item": 2, "rating": 4, "timestamp": 6}
        return TextTable(path, ":", _DAT_HEADER, columns, has_header=False, quoted=False)
    columns = {"user": 0, "item": 1, "rating": 2, "timestamp": 3}
    if dataset.style == "100k":
        return TextTable(path, "\t", _RATINGS_HEADER, columns, has_header=False, quoted=False)
    return TextTable(path, ",", _RATINGS_HEADER, columns)


def read_films(directory: Path, dataset: Dataset) -> Catalog:
    """The catalogue, in which films that nobody rated stand too.

    Raises:
        DataError: a line that is not of the format, with its number; or an id twice.
    """
    path = directory / dataset.films_file
    if dataset.style == "csv":
        return load_catalog(path, "movieId", "title", "genres")
    need_file(path)
    read = _u_item_line if dataset.style == "100k" else _movies_dat_line
    ids, titles, genres = zip(*_parsed_lines(path, read), strict=True)
    return Catalog.of_titles(ids, titles, genres)


def read_users(directory: Path, dataset: Dataset, users: Vocabulary) -> pl.DataFrame | None:
    """Age (Int16), gender and occupation (String) of each user, row u that of user number u.

    In 1M an age is the lowest of its bracket (1 for "under 18"). None where the set has no users'
    file; a user whom it leaves out has nulls.

    Raises:
        DataError: a line that is not of the format, with its number.
    """
    if dataset.users_file is None:
        return None
    path = directory / dataset.users_file
    need_file(path)
    read = _u_user_line if dataset.style == "100k" else _users_dat_line
    frame = pl.DataFrame(_parsed_lines(path, read), schema=_USERS_SCHEMA, orient="row")
    ids = pl.DataFrame({"id": users.series.cast(pl.String)})
    return ids.join(frame, on="id", how="left", maintain_order="left").drop("id")


def _parsed_lines(path: Path, read: Callable[[str], T]) -> list[T]:
    """What `read` makes of every line that is not blank."""
    parsed: list[T] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            parsed.append(read(line))
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{path}, line {number}: {line[:80]!r}: {error}; expected a line of GroupLens's "
                "format; get the set again"
            ) from error
    if not parsed:
        raise DataError(f"{path} holds blank lines alone; get the set again")
    return parsed


def _u_item_line(line: str) -> _Film:
    film, title, _, _, _, *flags = line.split("|")
    if len(flags) != len(GENRES_100K) or set(flags) - {"0", "1"}:
        raise ValueError(f"{len(flags)} genre flags; expected {len(GENRES_100K)}, each 0 or 1")
    names = (name for name, flag in zip(GENRES_100K, flags, strict=True) if flag == "1")
    return film, title, split_genres("|".join(names))


def _movies_dat_line(line: str) -> _Film:
    film, rest = line.split("::", 1)
    title, genres = rest.rsplit("::", 1)
    return film, title, split_genres(genres)


def _u_user_line(line: str) -> _User:
    user, age, gender, occupation, _ = line.split("|")
    return user, int(age), gender, occupation


def _users_dat_line(line: str) -> _User:
    user, gender, age, occupation, _ = line.split("::")
    return user, int(age), gender, OCCUPATIONS_1M[int(occupation)]
