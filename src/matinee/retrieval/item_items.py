"""What one film in a history says of each other film: EASE, and what is rated close in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.ratings import Ratings
from matinee.retrieval.ease import EaseConfig, fit_ease
from matinee.retrieval.histories import Csr, Histories
from matinee.types import FloatArray

# How many ratings before and after one are near, and how fast nearness falls with their number.
_NEAR, _DECAY = 8, 2.0
_NEAR_L2 = 100.0
_SAMPLE_USERS = 1000
_ROUNDS, _SPARE = 4, 16


def item_items(train: Ratings, ease_l2: float, nearby_weight: float) -> FloatArray:
    """The table float32 [n_items, n_items]: row i is what film i in a history says of each.

    Args:
        train: the ratings; their stars are not looked at.
        ease_l2: see `EaseConfig`.
        nearby_weight: of the films rated shortly before and after, at EASE's spread of scores; it
            counts only where ratings have times.
    """
    weights = fit_ease(train, EaseConfig(ease_l2)).weights
    if train.timestamp is None or not nearby_weight:
        return weights
    near = nearby(train)
    histories = Histories(train).matrix[:_SAMPLE_USERS]
    unseen = histories.toarray() == 0
    spread, other = (float((histories @ table)[unseen].std()) for table in (weights, near))
    if other > 0:
        weights += np.float32(nearby_weight * spread / other) * near
    return weights


def nearby(train: Ratings) -> FloatArray:
    """Weights float32 [n_items, n_items] that predict a film from those rated around it.

    Ridge regression of each rating's film, as a row of zeros and a one, on the films rated by the
    same user within eight places of it, each weighed by exp(-places / 2). People rate in sittings,
    and what stands together in a sitting is more alike than what stands in the same history.
    """
    size = len(train.items)
    rows, _ = train.by_user()
    users, films = train.user_index[rows], train.item_index[rows]
    shape = (len(films), size)
    context: Csr = sparse.csr_matrix(shape, dtype=np.float64)
    for step in range(1, _NEAR + 1):
        together = np.flatnonzero(users[step:] == users[:-step])
        weight = np.full(len(together), np.exp(-(step - 1) / _DECAY))
        for target, source in ((together, together + step), (together + step, together)):
            cells = (weight, (target, films[source]))
            context = context + sparse.csr_matrix(cells, shape=shape)
    wanted: Csr = sparse.csr_matrix(
        (np.ones(len(films)), (np.arange(len(films)), films)), shape=shape
    )
    gram: NDArray[np.float64] = (context.T @ context).toarray()
    gram[np.diag_indices(size)] += _NEAR_L2
    seen: NDArray[np.float64] = (context.T @ wanted).toarray()
    solved: Any = np.linalg.solve(gram, seen)
    table = np.asarray(solved, np.float32)
    np.fill_diagonal(table, 0.0)
    return table


def factorized(table: FloatArray, rank: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Two float32 [n, rank] whose product a @ b.T is nearly the best of that rank.

    Randomized subspace iteration (Halko, Martinsson & Tropp 2011).
    """
    size = len(table)
    width = min(rank + _SPARE, size)
    basis = np.random.default_rng(seed).standard_normal((size, width), dtype=np.float32)
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(table.T @ (table @ basis))[0]
    left, strengths, inner = np.linalg.svd(table @ basis, full_matrices=False)
    roots = np.sqrt(strengths[:rank])
    return (
        np.ascontiguousarray(left[:, :rank] * roots),
        np.ascontiguousarray(basis @ (inner[:rank].T * roots)),
    )
