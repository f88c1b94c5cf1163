"""From a store to ratings and films to train on, alone or on top of another data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError
from matinee.store.operations import hash_of
from matinee.store.protocol import Store
from matinee.store.types import StoredFilm

_RATINGS = {
    "user_id": pl.String,
    "movie_id": pl.String,
    "stars": pl.Float64,
    "at_s": pl.Float64,
}
_FILMS = {
    "movie_id": pl.String,
    "title": pl.String,
    "year": pl.Int16,
    "genres": pl.List(pl.String),
}


def ratings_with_store(
    store: Store, base: tuple[Ratings, Catalog] | None = None
) -> tuple[Ratings, Catalog]:
    """What people said, as a store has it, on top of a data set.

    A rating of the store replaces that of the same person and film; one taken back removes it. All
    older ratings of a person who was erased are left out, as are removed films and their ratings.

    Args:
        store: with ratings and films that were added.
        base: what to begin with.

    Raises:
        DataError: no rating is left.
    """
    newer = pl.DataFrame(
        [(row.user_id, row.movie_id, row.stars, row.at_s) for row in store.all_ratings()],
        schema=_RATINGS,
        orient="row",
    )
    older, films = _tables(base)
    gone = store.erased_users()
    hashes = older["user_id"].unique().to_list() if gone else []
    erased = [user_id for user_id in hashes if hash_of(user_id) in gone]
    older = older.filter(~pl.col("user_id").is_in(erased))
    older = older.join(newer, on=["user_id", "movie_id"], how="anti", maintain_order="left")
    rows = pl.concat([older, newer.filter(pl.col("stars").is_not_null())])
    changes = store.films()
    removed = [film.movie_id for film in changes if film.removed]
    rows = rows.filter(~pl.col("movie_id").is_in(removed))
    if not len(rows):
        raise DataError("the store leaves no rating to train on; expected at least one")
    catalog = _catalog(films, changes, rows["movie_id"])
    return _ratings(rows, catalog, base), catalog


def _tables(base: tuple[Ratings, Catalog] | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    if base is None:
        return pl.DataFrame(schema=_RATINGS), pl.DataFrame(schema=_FILMS)
    ratings, catalog = base
    times = ratings.timestamp
    rows = pl.DataFrame(
        {
            "user_id": ratings.users.series.cast(pl.String).gather(ratings.user_index),
            "movie_id": ratings.items.series.cast(pl.String).gather(ratings.item_index),
            "stars": ratings.rating.astype(np.float64),
            "at_s": np.zeros(len(ratings)) if times is None else times.astype(np.float64),
        },
        schema=_RATINGS,
    )
    ids = catalog.items.series.cast(pl.String).alias("movie_id").to_frame()
    return rows, ids.hstack(catalog.films)


def _catalog(films: pl.DataFrame, changes: Sequence[StoredFilm], rated: pl.Series) -> Catalog:
    """The films of the data set with the store's changes, and every film that is rated."""
    kept = films.filter(~pl.col("movie_id").is_in([film.movie_id for film in changes]))
    added = [
        (film.movie_id, film.title, film.year, list(film.genres))
        for film in changes
        if not film.removed
    ]
    known = pl.concat([kept, pl.DataFrame(added, schema=_FILMS, orient="row")])
    nameless = sorted(set(rated.to_list()) - set(known["movie_id"].to_list()))
    unknown = [(movie_id, f"film {movie_id}", None, list[str]()) for movie_id in nameless]
    known = pl.concat([known, pl.DataFrame(unknown, schema=_FILMS, orient="row")])
    items = Vocabulary.of(known["movie_id"], "movie")
    numbers = pl.Series("number", items.numbers(known["movie_id"]))
    table = known.with_columns(numbers).sort("number").drop("number", "movie_id")
    return Catalog(items, table)


def _ratings(rows: pl.DataFrame, catalog: Catalog, base: tuple[Ratings, Catalog] | None) -> Ratings:
    users = Vocabulary.of(rows["user_id"], "user")
    older = None if base is None else base[0]
    times = rows["at_s"].floor().cast(pl.Int64).to_numpy()
    return Ratings.of(
        users,
        catalog.items,
        users.numbers(rows["user_id"]),
        catalog.items.numbers(rows["movie_id"]),
        rows["stars"].cast(pl.Float32).to_numpy(),
        None if older is not None and older.timestamp is None else times,
        scale=None if older is None else older.scale,
        # A row a user, so they are kept while nobody came or went.
        user_features=older.user_features if older is not None and older.users == users else None,
    )
