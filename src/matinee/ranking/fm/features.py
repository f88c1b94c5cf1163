"""What is known of users and films beside the stars, as columns of numbers."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.types import IntArray

Array = NDArray[np.float64]

# Numbers with more distinct values than this are cut into as many groups of about one size.
_GROUPS = 12
# Of a text column the most frequent values count; a rare one says nothing of its own.
_MOST_VALUES = 64
# Beyond those asked for, so that the last ones are found well (Halko, Martinsson & Tropp 2011).
_MORE = 16
_POWERS = 3


def user_features(ratings: Ratings) -> Array:
    """Float64 [n_users, f]: a column for each value of each feature, with mean 0."""
    table = ratings.user_features
    columns = [] if table is None else [_indicators(table[name]) for name in table.columns]
    return _centred(columns, len(ratings.users))


def film_features(catalog: Catalog) -> Array:
    """Float64 [n_items, f]: genres, which share a weight of 1, and years; with mean 0."""
    genres = catalog.films["genres"].to_list()
    names = sorted({name for own in genres for name in own})
    place = {name: column for column, name in enumerate(names)}
    marks = np.zeros((len(genres), len(names)))
    for film, own in enumerate(genres):
        for name in own:
            marks[film, place[name]] = 1 / np.sqrt(len(own))
    return _centred([marks, _indicators(catalog.films["year"])], len(genres))


def implicit_features(own: IntArray, other: IntArray, shape: tuple[int, int]) -> Any:
    """Who rated what as a sparse matrix [n, m] whose rows have length 1 (Koren 2008)."""
    count = np.maximum(np.bincount(own, minlength=shape[0]), 1)
    entries: Any = (1 / np.sqrt(count)[own], (own, other))
    return sparse.csr_array(entries, shape=shape)


def leading(matrix: Any, size: int, seed: int) -> tuple[Array, Array, Array]:
    """The largest singular values of a matrix [n, m] and their vectors.

    Found by randomized subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).

    Returns:
        left float64 [n, r], values float64 [r], right float64 [m, r]; r is at most `size` and the
        rank.
    """
    width = min(size + _MORE, *matrix.shape)
    if width == 0:
        return np.zeros((matrix.shape[0], 0)), np.zeros(0), np.zeros((matrix.shape[1], 0))
    basis = matrix @ np.random.default_rng(seed).standard_normal((matrix.shape[1], width))
    for _ in range(_POWERS):
        basis, _ = np.linalg.qr(basis)
        basis = matrix @ (matrix.T @ basis)
    basis, _ = np.linalg.qr(basis)
    small, values, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    kept = np.flatnonzero(values[:size] > 1e-6 * max(float(values[0]), 1e-300))
    return basis @ small[:, kept], values[kept], right[kept].T


def _indicators(column: pl.Series) -> Array:
    """A column of 0 and 1 for each value or group of values; a missing one has none."""
    if column.dtype.is_numeric() and column.n_unique() > _GROUPS:
        edges = [column.quantile(part / _GROUPS) for part in range(1, _GROUPS)]
        inner = np.unique(np.array(edges, np.float64))
        numbers = column.cast(pl.Float64).to_numpy()
        column = pl.Series(np.searchsorted(inner, numbers)).set(column.is_null(), None)
    text = column.cast(pl.String)
    counts = text.drop_nulls().value_counts(sort=True)
    values = sorted(counts[counts.columns[0]].head(_MOST_VALUES).to_list())
    marks = [(text == value).fill_null(value=False).to_numpy() for value in values]
    return np.stack(marks, axis=1).astype(np.float64) if marks else np.zeros((len(column), 0))


def _centred(columns: list[Array], rows: int) -> Array:
    table = np.concatenate([np.zeros((rows, 0)), *columns], axis=1)
    return cast(Array, table - table.mean(axis=0)) if rows else table
