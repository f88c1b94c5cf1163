"""What is known of users and films beside the stars, as columns of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.catalog import Catalog
from matinee.data.features import genre_shares, indicators, user_marks
from matinee.data.ratings import Ratings
from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]

# Beyond those asked for, so that the last ones are found well (Halko, Martinsson & Tropp 2011).
_MORE = 16
_POWERS = 3


def user_features(ratings: Ratings) -> Array:
    """Float64 [n_users, f]: a column for each value of each feature, with mean 0."""
    return _centred(user_marks(ratings))


def film_features(catalog: Catalog) -> Array:
    """Float64 [n_items, f]: genres, which share a weight of 1, and years; with mean 0."""
    years = indicators(catalog.films["year"])
    return _centred(np.concatenate([genre_shares(catalog), years], axis=1))


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


def _centred(columns: FloatArray) -> Array:
    table = columns.astype(np.float64)
    return table - table.mean(axis=0) if len(table) else table
