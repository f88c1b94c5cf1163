"""Metrics of what lists are made of, whether or not anybody liked it.

`items` is int32 [b, k], the lists as shown; -1 is an empty place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import EMPTY_ITEM, FloatArray, IntArray

PerUser = NDArray[np.float64]
Counts = NDArray[np.int64]


def exposure(items: IntArray, n_items: int) -> Counts:
    """In how many lists each film stands: int64 [n_items]."""
    return np.bincount(items[items != EMPTY_ITEM], minlength=n_items)


def coverage(shown: Counts) -> float:
    """Catalogue coverage: the share of films that stand in anybody's list (Ge et al. 2010)."""
    return float((shown > 0).mean())


def gini(shown: Counts) -> float:
    """Gini index of exposure: 0 if every film is shown as often, near 1 if few get all places.

    Σ_i (2i - n - 1) x_i / (n Σ x) with x ascending, i from 1 (Fleder & Hosanagar 2009); 0 where
    nothing is shown.
    """
    size, total = len(shown), shown.sum()
    if not total:
        return 0.0
    weights = 2 * np.arange(1, size + 1) - size - 1
    return float((weights * np.sort(shown)).sum() / (size * total))


def average_popularity(items: IntArray, share: NDArray[np.float64]) -> PerUser:
    """How much of the audience has rated the films of a list, on average (Steck 2011).

    Args:
        items: int32 [b, k].
        share: float64 [n_items], the share of users that rated each film in the training part.
    """
    return _mean(np.where(items != EMPTY_ITEM, share[items], 0.0), items)


def novelty(items: IntArray, share: NDArray[np.float64], n_users: int) -> PerUser:
    """Mean self-information -log2(share) of a list's films, in bits (Zhou et al. 2010).

    A film that nobody rated counts as one that one user did.

    Args:
        items: int32 [b, k].
        share: as in `average_popularity`.
        n_users: how many users there are.
    """
    bits = -np.log2(np.maximum(share, 1.0 / n_users))
    return _mean(np.where(items != EMPTY_ITEM, bits[items], 0.0), items)


def intra_list_diversity(items: IntArray, features: FloatArray) -> PerUser:
    """1 - the mean cosine of the pairs of films in a list (Ziegler et al. 2005); NaN if no pair.

    Args:
        items: int32 [b, k].
        features: float32 [n_items, f], such as a column of 0 and 1 a genre. A film without any
            feature is like nothing.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    units = features / np.where(lengths > 0, lengths, 1.0)
    filled = items != EMPTY_ITEM
    listed = np.where(filled[..., None], units[items], 0.0)
    # The cosines of all ordered pairs, each film with itself taken off again.
    likeness = np.square(listed.sum(axis=1)).sum(axis=1) - np.square(listed).sum(axis=(1, 2))
    count = filled.sum(axis=1)
    pairs = (count * (count - 1)).astype(np.float64)
    return 1.0 - np.divide(likeness, pairs, out=np.full(len(items), np.nan), where=pairs > 0)


def _mean(values: NDArray[np.float64], items: IntArray) -> PerUser:
    """The mean over the filled places; NaN of an empty list."""
    count = (items != EMPTY_ITEM).sum(axis=1)
    total = values.sum(axis=1)
    return np.divide(total, count, out=np.full(len(items), np.nan), where=count > 0)
