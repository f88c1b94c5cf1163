"""What everybody rated, in the order of time, and histories as the query tower reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.types import FloatArray, IntArray, Query, known_users

# Steps of half a star on the usual scale, and as fine a one on any other.
STAR_LEVELS = 10
# Doublings of a second: the last one starts at two years. 0 is a time that is not known.
GAP_LEVELS = 28


class History(NamedTuple):
    """Films as the query tower reads them, oldest first: int32 [h] each, or [b, h] of b histories.

    Attributes:
        films: their numbers.
        levels: their stars, 0 … `STAR_LEVELS` - 1.
        gaps: the time since the film before, 0 … `GAP_LEVELS` - 1; see `gaps_of`.
    """

    films: IntArray
    levels: IntArray
    gaps: IntArray


class Sequences:
    """The films of every training user, oldest first.

    Args:
        train: the ratings.

    Attributes:
        films: int32 [n], grouped by user.
        stars: float32 [n].
        gaps: int32 [n], the time since the same user's film before.
        offsets: int64 [n_users + 1]; user u has rows offsets[u] to offsets[u + 1].
        scale: lowest and highest stars.
    """

    def __init__(self, train: Ratings) -> None:
        rows, self.offsets = train.by_user()
        self.films: IntArray = train.item_index[rows]
        self.stars: FloatArray = train.rating[rows]
        self.gaps: IntArray = np.zeros(len(rows), np.int32)
        if train.timestamp is not None:
            self.gaps = gaps_of(train.timestamp[rows])
            # Nobody's first film has one before it.
            self.gaps[self.offsets[:-1][np.diff(self.offsets) > 0]] = 0
        self.scale = train.scale

    def levels(self, stars: FloatArray) -> IntArray:
        """Stars as numbers 0 … `STAR_LEVELS` - 1, evenly over the scale: int32."""
        low, high = self.scale
        share = (np.asarray(stars, np.float64) - low) / max(high - low, 1e-9)
        return np.rint(np.clip(share, 0, 1) * (STAR_LEVELS - 1)).astype(np.int32)

    def of(self, queries: Sequence[Query], longest: int) -> list[History]:
        """What the query tower reads of each query: the newest films, at most `longest`.

        A history counts for whoever brings one; else a known user has their training ratings, and
        a stranger has nothing.

        Raises:
            ConfigError: a user number out of range.
        """
        users = known_users(queries, len(self.offsets) - 1)
        found: list[History] = []
        for user, query in zip(users.tolist(), queries, strict=True):
            films, stars = query.history
            if len(films) or user == len(self.offsets) - 1:
                times = query.times
                gaps = np.zeros(len(films), np.int32) if times is None else gaps_of(times)
            else:
                own = slice(self.offsets[user], self.offsets[user + 1])
                films, stars, gaps = self.films[own], self.stars[own], self.gaps[own]
            levels = self.levels(stars[-longest:])
            found.append(History(films[-longest:], levels, gaps[-longest:]))
        return found


def gaps_of(times: NDArray[np.int64]) -> IntArray:
    """The time from each moment to the next as its order of magnitude: int32 [h].

    0 for the first one, 1 for the same second, then 1 + ⌊log₂(1 + seconds)⌋, at most
    `GAP_LEVELS` - 1. Moments that go back in time count as the same one.

    Args:
        times: int64 [h], seconds.
    """
    seconds = np.maximum(np.diff(times), 0)
    gaps = np.zeros(len(times), np.int32)
    gaps[1:] = np.minimum(1 + np.floor(np.log2(1.0 + seconds)), GAP_LEVELS - 1)
    return gaps


def pad(histories: Sequence[History]) -> tuple[History, NDArray[np.int64]]:
    """Histories as one table, filled up at the end.

    Returns:
        The histories, [b, h], 0 where there is nothing, and their lengths, int64 [b].
    """
    lengths = np.array([len(own.films) for own in histories], np.int64)
    filled = np.arange(int(lengths.max(initial=0))) < lengths[:, None]

    def table(*columns: IntArray) -> IntArray:
        found = np.zeros(filled.shape, np.int32)
        found[filled] = np.concatenate(columns)
        return found

    return History(*(table(*columns) for columns in zip(*histories, strict=True))), lengths
