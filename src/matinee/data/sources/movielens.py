"""MovieLens by name: from a path, the cache, GroupLens, or (100K) a package; then parsed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.datasets import DATASETS, U_DATA_MD5, Dataset, MovieLensName
from matinee.data.sources.fetch import directory_in_cache
from matinee.data.sources.formats import ratings_table, read_films, read_users
from matinee.data.sources.local import directory_of
from matinee.data.sources.rows import Problem
from matinee.data.sources.tables import OnBadRows, find_problems, read_table
from matinee.errors import DataError, NotFoundError


def load_movielens(
    name: MovieLensName = "100k",
    path: Path | str | None = None,
    *,
    on_bad_rows: OnBadRows = "raise",
) -> tuple[Ratings, Catalog]:
    """The ratings and films of one of GroupLens's MovieLens sets.

    Looked for at `path` alone if that is given; else in the cache (`MATINEE_CACHE`, or `matinee` in
    the user's cache directory), then at GroupLens by HTTPS, and for 100K then in the package
    `recbole==1.2.1` by pip. What was fetched stays in the cache.

    Args:
        name: which set.
        path: the set's zip, or a directory with its files.
        on_bad_rows: see `load_ratings`; the published sets have none.

    Returns:
        Ratings, with `user_features` (age, gender, occupation) in 100K and 1M, and the catalogue;
        both have the same vocabulary of films.

    Raises:
        NotFoundError: no such set or path.
        DataError: files that are not those of the set, or damaged.
        DownloadError: the set is nowhere to be had; the message says what to put where.
    """
    dataset = _named(name)
    directory = _directory(dataset, path)
    catalog = read_films(directory, dataset)
    table = ratings_table(directory, dataset)
    ratings = read_table(table, catalog, dataset.scale, on_bad_rows)
    features = read_users(directory, dataset, ratings.users)
    return (ratings if features is None else replace(ratings, user_features=features)), catalog


def check_movielens(name: MovieLensName, path: Path | str | None = None) -> list[Problem]:
    """Every bad row of a set's ratings, in the file's order; none in the published ones.

    Raises:
        MatineeError: as `load_movielens`, bad rows apart.
    """
    dataset = _named(name)
    directory = _directory(dataset, path)
    catalog = read_films(directory, dataset)
    return find_problems(ratings_table(directory, dataset), catalog, dataset.scale)


def _named(name: str) -> Dataset:
    if name not in DATASETS:
        raise NotFoundError(
            f"no MovieLens set is called {name!r}; expected one of {', '.join(DATASETS)}"
        )
    return DATASETS[name]


def _directory(dataset: Dataset, path: Path | str | None) -> Path:
    """Where the set's files lie; for 100K, with the very ratings that were published."""
    if path is not None:
        directory = directory_of(Path(path), dataset)
    else:
        directory = directory_in_cache(dataset)
    if dataset.name == "100k":
        file = directory / dataset.ratings_file
        got = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        if got != U_DATA_MD5:
            raise DataError(
                f"{file}: md5 {got}; expected {U_DATA_MD5}, GroupLens's u.data; delete "
                f"{directory} and get the set again, or read ratings of your own with load_ratings"
            )
    return directory
