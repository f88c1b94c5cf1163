"""Metrics as pure functions, one value a user; means and intervals are the caller's.

Lists come as `Matches`, so every metric of a list is its expectation over the orders of films with
equal scores; the closed forms are McSherry & Najork's (2008). In the formulas a list has a relevant
film (rel = 1) or another (rel = 0) at each place p = 1, 2, …, and R is how many relevant films the
user has. Gains are 0 and 1: every rating of the test part counts the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.matches import Counts, Matches, sum_by
from matinee.types import FloatArray

PerUser = NDArray[np.float64]


def hit_rate(matches: Matches, k: int) -> PerUser:
    """HR@k: 1 if any of the first k places is relevant, else 0.

    If the k-th place cuts a tie group, the chance is 1 - C(size - hits, inside) / C(size, inside).
    """
    miss = np.ones(len(matches.relevant))
    np.multiply.at(miss, matches.user, _miss(matches.size, matches.hits, matches.inside(k)))
    return 1.0 - miss


def recall(matches: Matches, k: int) -> PerUser:
    """Recall@k = Σ_{p<=k} rel(p) / R."""
    return matches.expected_hits(k) / matches.relevant


def precision(matches: Matches, k: int) -> PerUser:
    """Precision@k = Σ_{p<=k} rel(p) / k, however few films were returned."""
    return matches.expected_hits(k) / k


def ndcg(matches: Matches, k: int) -> PerUser:
    """NDCG@k = Σ_{p<=k} rel(p) / log2(p + 1), over the same sum of the ideal list.

    Järvelin & Kekäläinen 2002. The ideal list has min(k, R) relevant films in front.
    """
    discounts = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))])
    first = np.minimum(matches.above, k)
    share = matches.hits / matches.size
    gained = share * (discounts[first + matches.inside(k)] - discounts[first])
    return matches.sum(gained) / discounts[np.minimum(matches.relevant, k)]


def reciprocal_rank(matches: Matches, k: int) -> PerUser:
    """RR@k: 1 / p of the first relevant film among the first k, else 0; its mean is MRR@k."""
    leading = matches.hits_above == 0
    user, above = matches.user[leading], matches.above[leading]
    size, hits = matches.size[leading], matches.hits[leading]
    expected, none_yet = np.zeros(len(user)), np.ones(len(user))
    for place in range(min(k, int(size.max(initial=0)))):
        # The chance that the first relevant film of the group stands at this place of it.
        left = np.maximum(size - place, 1)
        here = none_yet * np.minimum(hits / left, 1.0)
        expected += np.where(above + place < k, here / (above + place + 1), 0.0)
        none_yet = none_yet - here
    return sum_by(user, expected, len(matches.relevant))


def average_precision(matches: Matches, k: int) -> PerUser:
    """AP@k = Σ_{p<=k} rel(p) · Precision@p / min(k, R); its mean is MAP@k.

    The divisor is the most that a list of k can reach, so a perfect list has 1 (as in Kaggle's
    MAP@k); others divide by R.
    """
    inside, above = matches.inside(k), np.minimum(matches.above, k)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, k + 1))])
    # At offset i of its group a film is relevant by hits / size, and then the relevant ones up to
    # it are hits_above + 1 + slope · i.
    slope = (matches.hits - 1) / np.maximum(matches.size - 1, 1)
    rest = matches.hits_above + 1 - slope * (above + 1)
    total = slope * inside + rest * (harmonic[above + inside] - harmonic[above])
    return matches.sum(matches.hits / matches.size * total) / np.minimum(matches.relevant, k)


def auc(matches: Matches, eligible: Counts) -> PerUser:
    """AUC: the chance that a relevant film stands above one that is not; a tie counts half.

    It looks at the whole order, most of which nobody sees.

    Args:
        matches: of lists that hold every eligible film.
        eligible: int [b], how many films could be in the list; NaN comes back where all of them
            are relevant.
    """
    relevant = matches.relevant
    above = matches.sum(matches.hits * (matches.above + (matches.size - 1) / 2))
    # What a list leaves out stands last.
    missing = relevant - matches.sum(matches.hits.astype(np.float64))
    above += missing * (eligible - (missing + 1) / 2)
    wrong = above - relevant * (relevant - 1) / 2
    pairs = (relevant * (eligible - relevant)).astype(np.float64)
    return 1.0 - np.divide(wrong, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def squared_errors(stars: FloatArray, truth: FloatArray) -> NDArray[np.float64]:
    """(predicted - given)² of each rating: float64 [n]."""
    return (stars.astype(np.float64) - truth.astype(np.float64)) ** 2


def absolute_errors(stars: FloatArray, truth: FloatArray) -> NDArray[np.float64]:
    """|predicted - given| of each rating: float64 [n]."""
    return np.abs(stars.astype(np.float64) - truth.astype(np.float64))


def rmse(stars: FloatArray, truth: FloatArray) -> float:
    """Root of the mean squared error over all ratings."""
    return float(np.sqrt(squared_errors(stars, truth).mean()))


def mae(stars: FloatArray, truth: FloatArray) -> float:
    """Mean absolute error over all ratings."""
    return float(absolute_errors(stars, truth).mean())


def _miss(size: Counts, hits: Counts, inside: Counts) -> NDArray[np.float64]:
    """The chance that `inside` of `size` films drawn at random are none of the `hits`."""
    chance = np.where(inside == 0, 1.0, 0.0)
    cut = np.flatnonzero((inside > 0) & (inside < size))
    size, hits, inside = size[cut], hits[cut], inside[cut]
    # C(size - hits, inside) / C(size, inside) is a product of min(hits, inside) ratios.
    few, many = np.minimum(hits, inside), np.maximum(hits, inside)
    missed = np.ones(len(cut))
    for drawn in range(int(few.max(initial=0))):
        ratio = np.maximum(size - many - drawn, 0) / np.maximum(size - drawn, 1)
        missed *= np.where(drawn < few, ratio, 1.0)
    chance[cut] = missed
    return chance
