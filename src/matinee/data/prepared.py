"""Ratings prepared once: columns that the next process maps into memory instead of reading them.

A directory with a `.npy` file for each column, which NumPy maps as it is (Polars copies an Arrow
file on reading), the ids and films as Parquet, and `prepared.json` with the hash of every file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError, MatineeError
from matinee.files import atomic_directory, sha256_of

PREPARED = "prepared.json"
_SCHEMA = 1
_COLUMNS = ("user_index", "item_index", "rating", "timestamp", "position")
_USERS, _FILMS = "users.parquet", "films.parquet"


def is_prepared(path: Path) -> bool:
    """Whether `path` is a directory of prepared ratings."""
    return (path / PREPARED).is_file()


def save_prepared(ratings: Ratings, catalog: Catalog, path: Path | str) -> None:
    """Write ratings and films so that `load_data(path)` opens them without reading them.

    Args:
        ratings: of the films of the catalogue.
        catalog: the films.
        path: a directory; prepared ratings that stand there are replaced, in one step.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
        DataError: something else stands at `path`.
    """
    path = Path(path)
    catalog.check_items(ratings.items)
    if path.exists() and not is_prepared(path):
        raise DataError(
            f"{path} is there and holds no prepared ratings; expected a new directory, or one to "
            "replace; give another name"
        )
    users = pl.DataFrame({"user_id": ratings.users.series})
    if ratings.user_features is not None:
        users = users.hstack(ratings.user_features)
    with atomic_directory(path) as directory:
        for name in _COLUMNS:
            column = getattr(ratings, name)
            if column is not None:
                np.save(directory / f"{name}.npy", column, allow_pickle=False)
        users.write_parquet(directory / _USERS)
        films = pl.DataFrame({"movie_id": catalog.items.series}).hstack(catalog.films)
        films.write_parquet(directory / _FILMS)
        facts = {
            "schema": _SCHEMA,
            "ratings": len(ratings),
            "scale": list(ratings.scale),
            "files": {file.name: sha256_of(file) for file in sorted(directory.iterdir())},
        }
        (directory / PREPARED).write_text(json.dumps(facts, indent=2) + "\n")


def load_prepared(path: Path | str) -> tuple[Ratings, Catalog]:
    """What `save_prepared` wrote; the columns are mapped, and pages are read as they are used.

    Raises:
        DataError: a file is missing, altered or of another schema.
    """
    path = Path(path)
    try:
        facts = cast("dict[str, Any]", json.loads((path / PREPARED).read_text()))
        if facts["schema"] != _SCHEMA:
            raise DataError(f"schema {facts['schema']}; expected {_SCHEMA}")
        for name, digest in cast("dict[str, str]", facts["files"]).items():
            if sha256_of(path / Path(name).name) != digest:
                raise DataError(f"{name} is not as it was written")
        low, high = (float(end) for end in facts["scale"])
        return _opened(path, cast("dict[str, str]", facts["files"]), (low, high))
    except (MatineeError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} holds no prepared ratings that can be trusted ({error}); expected what "
            "`matinee data prepare` wrote; prepare them again"
        ) from error
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {error}; prepare the ratings again") from error


def _opened(
    path: Path, files: dict[str, str], scale: tuple[float, float]
) -> tuple[Ratings, Catalog]:
    users, films = pl.read_parquet(path / _USERS), pl.read_parquet(path / _FILMS)
    items = Vocabulary(films["movie_id"], "movie")

    def column(name: str) -> NDArray[Any] | None:
        if f"{name}.npy" not in files:
            return None
        return np.asarray(np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    columns: dict[str, Any] = {name: column(name) for name in _COLUMNS}
    ratings = Ratings(
        Vocabulary(users["user_id"], "user"),
        items,
        **columns,
        scale=scale,
        user_features=users.drop("user_id") if users.width > 1 else None,
    )
    return ratings, Catalog(items, films.drop("movie_id"))
