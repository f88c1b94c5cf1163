"""From whatever a user points at: MovieLens's name, zip or directory, or a table of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from matinee.cluster import HERE, Engine
from matinee.data.catalog import Catalog
from matinee.data.prepared import is_prepared, load_prepared
from matinee.data.ratings import Ratings
from matinee.data.sources.fetch import directory_in_cache, directory_of, movielens_of
from matinee.data.sources.layout import Table
from matinee.data.sources.movielens import (
    DATASETS,
    Dataset,
    MovieLensName,
    check_published,
    ratings_table,
    read_films,
    read_users,
)
from matinee.data.sources.parts import parts_of, read_parts
from matinee.data.sources.problems import OnBadRows, Problem, Report, report_of
from matinee.data.sources.rows import Scale
from matinee.data.sources.sniff import TABLE_SUFFIXES, is_table, open_table
from matinee.data.sources.tables import load_catalog, read_catalog, read_ratings
from matinee.errors import ConfigError, NotFoundError

# What to do about bad rows, given the zip that the tables came out of.
ReportFor = Callable[[Path | None], Report]


class _NothingLeftError(Exception):
    """All rows of a table are bad, so there is nothing to check further."""


def load_data(
    source: str | Path,
    *,
    films: Path | str | None = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    scale: Scale | None = None,
    on_bad_rows: OnBadRows = "raise",
    engine: Engine = HERE,
) -> tuple[Ratings, Catalog]:
    """Ratings and films from any source.

    Args:
        source: a MovieLens name (`100k`, `1m`, …), a MovieLens zip or directory, a table, a
            directory of tables, which are read in the order of their names as if they were one,
            or a directory that `matinee data prepare` wrote, whose columns are mapped, not read.
        films: a table of films that goes with a table of ratings; without it the ids are titles.
        user: the users' column of a table; None looks for the usual names, here and below.
        item: the films' column.
        rating: the ratings' column.
        timestamp: the times' column.
        scale: lowest and highest rating of a table; None takes those that occur.
        on_bad_rows: "raise", or "skip"; see `load_ratings`.
        engine: who reads the tables of a directory.

    Raises:
        NotFoundError: `source` is none of these; the message lists the names.
        ConfigError: films, columns or a scale are given with a MovieLens set; or no scale.
        DataError: data that cannot be trusted.
        DownloadError: a MovieLens set is nowhere to be had.
    """
    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    return _load(source, films, columns, scale, partial(report_of, on_bad_rows), engine)


def check_data(
    source: str | Path,
    *,
    films: Path | str | None = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    scale: Scale | None = None,
) -> list[Problem]:
    """Every bad row that `load_data` would meet, films' before ratings'; [] if all are good.

    Raises:
        MatineeError: as `load_data`, bad rows apart.
    """
    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    problems: list[Problem] = []

    def note(_table: Table, found: list[Problem], good: int) -> None:
        problems.extend(found)
        if not good:
            raise _NothingLeftError

    with suppress(_NothingLeftError):
        _load(source, films, columns, scale, lambda _archive: note)
    return problems


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
    return _load_movielens(_named(name), path, partial(report_of, on_bad_rows))


def load_catalog_of(source: str | Path) -> Catalog:
    """The films of a source, without reading its ratings.

    Args:
        source: a MovieLens name (`100k`, `1m`, …), a MovieLens zip or directory, prepared
            ratings, or a table of films.

    Raises:
        NotFoundError: `source` is none of these, or a table without titles.
        DataError: data that cannot be trusted.
        DownloadError: a MovieLens set is nowhere to be had.
    """
    if is_prepared(Path(source)):
        return load_prepared(source)[1]
    name, path = _resolve(source)
    if name is None:
        return load_catalog(source)
    dataset = _named(name)
    return read_films(_directory(dataset, path), dataset, report_of("raise"))


def _load(
    source: str | Path,
    films: Path | str | None,
    columns: dict[str, str | None],
    scale: Scale | None,
    report_for: ReportFor,
    engine: Engine = HERE,
) -> tuple[Ratings, Catalog]:
    options = {"films": films, **columns, "scale": scale}
    if is_prepared(Path(source)):
        _refuse_options(source, "prepared ratings", options)
        return load_prepared(source)
    report = report_for(None)
    name, path = _resolve(source)
    if name is not None:
        _refuse_options(source, f"MovieLens {name}", options)
        return _load_movielens(_named(name), path, report_for)
    catalog = None if films is None else read_catalog(Path(films), report)
    if Path(source).is_dir():
        parts = parts_of(Path(source))
        ratings = read_parts(parts, columns, catalog, scale, report, engine)
    else:
        ratings = read_ratings(open_table(Path(source), columns), catalog, scale, report)
    return ratings, catalog or Catalog.of_ids(ratings.items)


def _refuse_options(source: str | Path, kind: str, options: Mapping[str, object]) -> None:
    given = [_option(role) for role, value in options.items() if value is not None]
    if given:
        raise ConfigError(
            f"{source} is {kind}, which has its own films, columns and scale; got "
            f"{', '.join(given)}; expected these with a table of ratings alone; leave them out"
        )


def _option(role: str) -> str:
    return f"{role} (--{role})" if role in ("films", "scale") else f"{role} (--{role}-column)"


def _load_movielens(
    dataset: Dataset, path: Path | str | None, report_for: ReportFor
) -> tuple[Ratings, Catalog]:
    archive = Path(path) if path is not None and Path(path).is_file() else None
    report = report_for(archive)
    directory = _directory(dataset, path)
    catalog = read_films(directory, dataset, report)
    table = ratings_table(directory, dataset)
    ratings = read_ratings(table, catalog, dataset.scale, report)
    features = read_users(directory, dataset, ratings.users)
    return (ratings if features is None else replace(ratings, user_features=features)), catalog


def _named(name: str) -> Dataset:
    if name not in DATASETS:
        raise NotFoundError(
            f"no MovieLens set is called {name!r}; expected one of {', '.join(DATASETS)}"
        )
    return DATASETS[name]


def _directory(dataset: Dataset, path: Path | str | None) -> Path:
    """Where the set's files lie; for 100K, with the very ratings that were published."""
    directory = directory_in_cache(dataset) if path is None else directory_of(Path(path), dataset)
    check_published(directory, dataset)
    return directory


def _resolve(source: str | Path) -> tuple[MovieLensName | None, Path | None]:
    """The MovieLens set that a source means, and its path if it is one; no name for a table."""
    if str(source) in DATASETS:
        return cast("MovieLensName", str(source)), None
    path = Path(source)
    if path.is_file() and is_table(path):
        return None, None
    if name := movielens_of(path):
        return cast("MovieLensName", name), path
    if path.is_dir() and parts_of(path):
        return None, None
    kind = "holds no MovieLens set that is known, nor a table" if path.exists() else "is not there"
    raise NotFoundError(
        f"{source} {kind}; expected a MovieLens name ({', '.join(DATASETS)}), the zip or directory "
        f"of one, a table of ratings ({', '.join(TABLE_SUFFIXES)}), a directory of them, or what "
        "`matinee data prepare` wrote"
    )
