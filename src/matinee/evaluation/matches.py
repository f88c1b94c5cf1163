"""Where the films that users did rate stand in their lists, with ties left undecided.

A model that gives many films one score has not put them in any order, and whichever order a list
shows must not earn it anything. So films of equal score form a *tie group*, and every metric is the
expectation over all orders of each group (McSherry & Najork 2008, "Computing Information Retrieval
Performance Measures Efficiently in the Presence of Tied Scores"). A model that gives every film the
same score gets chance level; one without ties gets what everybody computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.types import EMPTY_ITEM, FloatArray, IntArray

Counts = NDArray[np.int64]
Hits = NDArray[np.bool_]

# Marks held at a time while hits are looked up: 16 MiB.
_BLOCK_MARKS = 1 << 24


@dataclass(frozen=True, eq=False)
class Matches:
    """The tie groups that hold relevant films, of b users' lists; a film without a tie is one too.

    Attributes:
        user: int64 [g], whose list the group is in, ascending.
        above: int64 [g], how many films stand above it.
        size: int64 [g], how many films tie.
        hits: int64 [g], how many of them are relevant, at least 1.
        hits_above: int64 [g], how many relevant ones of the user stand above.
        relevant: int64 [b], how many relevant films each user has, at least 1.
    """

    user: Counts
    above: Counts
    size: Counts
    hits: Counts
    hits_above: Counts
    relevant: Counts

    @classmethod
    def of(cls, hits: Hits, scores: FloatArray, relevant: NDArray[np.integer]) -> Matches:
        """From lists in descending order of their scores.

        Args:
            hits: bool [b, l], is the film at this place relevant? See `hits_of`.
            scores: float32 [b, l]. What ties with the last place of a list is taken to be in it.
            relevant: int [b].
        """
        places = np.flatnonzero(hits)
        first, size = _groups_of(places, scores)
        first, one, counts = np.unique(first, return_index=True, return_counts=True)
        user = first // max(scores.shape[1], 1)
        return cls(
            user,
            first - user * scores.shape[1],
            size[one],
            counts,
            _before(user, counts),
            np.asarray(relevant, np.int64),
        )

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums float64 [b] of one value a group, by user."""
        return sum_by(self.user, values, len(self.relevant))

    def expected_hits(self, k: int) -> NDArray[np.float64]:
        """How many relevant films the first k places hold, on average over ties: float64 [b]."""
        return self.sum(self.hits * self.inside(k) / self.size)

    def inside(self, k: int) -> Counts:
        """How many of the first k places each group fills: int64 [g], 0 … size."""
        return np.clip(k - self.above, 0, self.size)


def sum_by(
    groups: NDArray[np.integer], values: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """The sum float64 [size] of the values of each group."""
    return np.bincount(groups, values, minlength=size).astype(np.float64, copy=False)


def hits_of(items: IntArray, truth: Sequence[IntArray], n_items: int) -> Hits:
    """Which places of each list hold a relevant item: bool [b, l].

    Args:
        items: int32 [b, l]; -1 is an empty place, never a hit.
        truth: per user, the numbers of the relevant items.
        n_items: how many items there are.
    """
    hits = np.zeros(items.shape, np.bool_)
    step = max(1, _BLOCK_MARKS // (n_items + 1))
    # The last column stands for the empty place: index -1 finds it.
    marks = np.zeros((min(step, len(items)), n_items + 1), np.bool_)
    for first in range(0, len(items), step):
        own = truth[first : first + step]
        rows = np.repeat(np.arange(len(own)), [len(films) for films in own])
        columns = np.concatenate([*own, np.empty(0, np.int32)])
        marks[rows, columns] = True
        # Row by row, since an index into the whole table would take longer to build than to use.
        for row in range(len(own)):
            np.take(marks[row], items[first + row], mode="wrap", out=hits[first + row])
        marks[rows, columns] = False
    return hits


def tied_past(scores: FloatArray, items: IntArray, k: int) -> NDArray[np.intp]:
    """The lists whose k-th place ties with the last one, so that longer lists may tie further.

    Args:
        scores: float32 [b, l], l > k.
        items: int32 [b, l].
        k: a place, from 1.
    """
    tied = (scores[:, k - 1] == scores[:, -1]) & (items[:, -1] != EMPTY_ITEM)
    return np.flatnonzero(tied)


def _groups_of(places: NDArray[np.intp], scores: FloatArray) -> tuple[Counts, Counts]:
    """Where the tie groups of some places start, and their sizes; all places in the flat array."""
    tied = np.zeros(scores.shape, np.bool_)
    np.equal(scores[:, 1:], scores[:, :-1], out=tied[:, 1:])
    # Places that tie with the one before them; a run of them is a group but for its first place.
    later = np.flatnonzero(tied)
    opening = np.flatnonzero(np.diff(later, prepend=-2) != 1)
    firsts = later[opening] - 1
    sizes = np.diff(opening, append=len(later)) + 1
    group = np.searchsorted(firsts, places, side="right") - 1
    inside = np.zeros(len(places), np.bool_)
    if len(firsts):
        inside = (group >= 0) & (places < firsts[group] + sizes[group])
    first, size = places.astype(np.int64), np.ones(len(places), np.int64)
    first[inside], size[inside] = firsts[group[inside]], sizes[group[inside]]
    return first, size


def _before(user: Counts, counts: Counts) -> Counts:
    """The sum of the counts that stand before each one among those of the same user."""
    total = np.cumsum(counts) - counts
    first = np.searchsorted(user, user)
    return total - total[first] if len(total) else total
