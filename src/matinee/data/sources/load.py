"""From whatever a user points at: MovieLens's name, zip or directory, or a table of their own."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.datasets import DATASETS, MovieLensName
from matinee.data.sources.films import load_catalog
from matinee.data.sources.local import movielens_of
from matinee.data.sources.movielens import check_movielens, load_movielens
from matinee.data.sources.rows import Problem
from matinee.data.sources.sniff import TABLE_SUFFIXES, is_table
from matinee.data.sources.tables import OnBadRows, check_ratings, load_ratings
from matinee.errors import NotFoundError


def load_data(
    source: str | Path,
    *,
    films: Path | str | None = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    scale: tuple[float, float] | None = None,
    on_bad_rows: OnBadRows = "raise",
) -> tuple[Ratings, Catalog]:
    """Ratings and films from any source.

    Args:
        source: a MovieLens name (`100k`, `1m`, …), a MovieLens zip or directory, or a table.
        films: a table of films that goes with a table of ratings; without it the ids are titles.
        user: the users' column of a table; None looks for the usual names, here and below.
        item: the films' column.
        rating: the ratings' column.
        timestamp: the times' column.
        scale: lowest and highest rating of a table; None takes those that occur.
        on_bad_rows: "raise", or "skip"; see `load_ratings`.

    Raises:
        NotFoundError: `source` is none of these; the message lists the names.
        DataError: data that cannot be trusted.
        DownloadError: a MovieLens set is nowhere to be had.
    """
    name, path = _resolve(source)
    if name is not None:
        return load_movielens(name, path, on_bad_rows=on_bad_rows)
    catalog = None if films is None else load_catalog(films)
    ratings = load_ratings(
        source, user, item, rating, timestamp,
        catalog=catalog, scale=scale, on_bad_rows=on_bad_rows,
    )  # fmt: skip
    return ratings, catalog or Catalog.of_ids(ratings.items)


def check_data(
    source: str | Path,
    *,
    films: Path | str | None = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    scale: tuple[float, float] | None = None,
) -> list[Problem]:
    """Every bad row that `load_data` would meet, with line, value and reason; [] if all are good.

    Raises:
        MatineeError: as `load_data`, bad rows apart.
    """
    name, path = _resolve(source)
    if name is not None:
        return check_movielens(name, path)
    catalog = None if films is None else load_catalog(films)
    return check_ratings(source, user, item, rating, timestamp, catalog=catalog, scale=scale)


def _resolve(source: str | Path) -> tuple[MovieLensName | None, Path | None]:
    """The MovieLens set that a source means, and its path if it is one; no name for a table."""
    if str(source) in DATASETS:
        return cast("MovieLensName", str(source)), None
    path = Path(source)
    if path.is_file() and is_table(path):
        return None, None
    if name := movielens_of(path):
        return cast("MovieLensName", name), path
    kind = "holds no MovieLens set that is known" if path.exists() else "is not there"
    raise NotFoundError(
        f"{source} {kind}; expected a MovieLens name ({', '.join(DATASETS)}), the zip or directory "
        f"of one, or a table of ratings ({', '.join(TABLE_SUFFIXES)})"
    )
