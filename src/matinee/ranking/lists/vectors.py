"""Films' vectors from what is rated in one sitting."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from matinee.data.ratings import Ratings
from matinee.types import FloatArray

# How many ratings before and after one are near, and how fast nearness falls with their number.
_NEAR, _DECAY = 8, 2.0
# Added to a film's weight, so that few meetings prove little.
_SHRINKAGE = 20.0
_ROUNDS, _SPARE = 4, 16


def sitting_vectors(train: Ratings, size: int, seed: int) -> FloatArray:
    """Vectors float32 [n_items, size] whose inner product says which films are rated together.

    The best ones for the table n_ij / √((n_i + s)(n_j + s)), where n_ij counts how often a user
    rated i and j within eight places of each other, each time weighed by exp(-places / 2), and
    n_i = Σ_j n_ij. By randomized subspace iteration (Halko, Martinsson & Tropp 2011).

    Args:
        train: the ratings; their stars are not looked at.
        size: length of the vectors; what goes past the number of films is 0.
        seed: of the iteration's start.
    """
    n = len(train.items)
    near = _near(train)
    weight = np.asarray(near.sum(axis=1), np.float32).ravel()
    scale = sparse.diags(1 / np.sqrt(weight + np.float32(_SHRINKAGE)))
    table: Any = scale @ near @ scale
    start = np.random.default_rng(seed).standard_normal((n, min(size + _SPARE, n)), np.float32)
    basis: Any = np.linalg.qr(table @ start)[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(table @ basis)[0]
    # Within the basis the table is small and symmetric; directions of less than nothing are noise.
    strengths, turns = np.linalg.eigh(basis.T @ (table @ basis))
    kept = np.argsort(-strengths)[: min(size, n)]
    roots = np.sqrt(np.maximum(strengths[kept], 0))
    vectors = np.zeros((n, size), np.float32)
    vectors[:, : len(kept)] = basis @ turns[:, kept] * roots
    return vectors


def _near(train: Ratings) -> Any:
    """How often films stand near each other, weighed: float32 CSR [n_items, n_items]."""
    rows, _ = train.by_user()
    users, films = train.user_index[rows], train.item_index[rows]
    shape = (len(train.items), len(train.items))
    near: Any = sparse.csr_matrix(([], ([], [])), shape=shape, dtype=np.float32)
    for step in range(1, _NEAR + 1):
        together = np.flatnonzero(users[step:] == users[:-step])
        weight = np.full(len(together), np.exp(-(step - 1) / _DECAY), np.float32)
        cells = (weight, (films[together], films[together + step]))
        near = near + sparse.csr_matrix(cells, shape=shape)
    return near + near.T
