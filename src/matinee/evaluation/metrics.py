"""Metrics as pure functions of arrays, one value a user (or a rating); means are the caller's.

`hits` is a bool array [b, k]: is the item at each place of a user's list one that they did rate in
the test part? `relevant` is int [b]: how many such items the user has, each at least 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray, IntArray

Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]
PerUser = NDArray[np.float64]


def hits_of(items: IntArray, truth: Sequence[IntArray], n_items: int) -> Hits:
    """Which places of each list hold a relevant item: bool [b, k].

    Args:
        items: int32 [b, k]; -1 is an empty place, never a hit.
        truth: per user, the numbers of the relevant items.
        n_items: how many items there are.
    """
    rows = np.repeat(np.arange(len(truth)), [len(own) for own in truth])
    keys = np.sort(rows * n_items + np.concatenate([*truth, np.empty(0, np.int32)]))
    wanted = np.arange(len(items))[:, None] * n_items + items
    if not len(keys):
        return np.zeros(items.shape, np.bool_)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return (keys[at] == wanted) & (items >= 0)


def hit_rate(hits: Hits, k: int) -> PerUser:
    """HR@k: 1 if any of the first k is relevant, else 0."""
    return np.any(hits[:, :k], axis=1).astype(np.float64)


def recall(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """Recall@k: relevant among the first k / relevant in all."""
    return np.asarray(hits[:, :k].sum(axis=1) / relevant)


def precision(hits: Hits, k: int) -> PerUser:
    """Precision@k: relevant among the first k / k, however few were returned."""
    return np.asarray(hits[:, :k].sum(axis=1) / k)


def ndcg(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """NDCG@k with gains 0 and 1 and discount 1 / log2(place + 1) (Järvelin & Kekäläinen 2002).

    The ideal list has min(k, relevant) relevant items in front.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    gained = hits[:, :k] @ discount[: hits[:, :k].shape[1]]
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(relevant, k)]
    return gained / ideal


def reciprocal_rank(hits: Hits, k: int) -> PerUser:
    """RR@k: 1 / place of the first relevant item among the first k, else 0."""
    top = hits[:, :k]
    return np.where(top.any(axis=1), 1.0 / (np.argmax(top, axis=1) + 1), 0.0)


def squared_errors(stars: FloatArray, truth: FloatArray) -> NDArray[np.float64]:
    """(predicted - given)² of each rating: float64 [n]."""
    return (stars.astype(np.float64) - truth.astype(np.float64)) ** 2


def rmse(stars: FloatArray, truth: FloatArray) -> float:
    """Root of the mean squared error over all ratings."""
    return float(np.sqrt(squared_errors(stars, truth).mean()))


def mae(stars: FloatArray, truth: FloatArray) -> float:
    """Mean absolute error over all ratings."""
    return float(np.abs(stars.astype(np.float64) - truth.astype(np.float64)).mean())
