"""What everybody rated, in the order of time, and histories as the query tower reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.types import FloatArray, IntArray, Query, known_users

# Steps of half a star on the usual scale, and as fine a one on any other.
STAR_LEVELS = 10
History = tuple[IntArray, IntArray]


class Sequences:
    """The films of every training user, oldest first, with their stars as levels.

    Args:
        train: the ratings.

    Attributes:
        films: int32 [n], grouped by user.
        stars: float32 [n].
        offsets: int64 [n_users + 1]; user u has rows offsets[u] to offsets[u + 1].
        scale: lowest and highest stars.
    """

    def __init__(self, train: Ratings) -> None:
        rows, self.offsets = train.by_user()
        self.films: IntArray = train.item_index[rows]
        self.stars: FloatArray = train.rating[rows]
        self.scale = train.scale

    def levels(self, stars: FloatArray) -> IntArray:
        """Stars as numbers 0 … `STAR_LEVELS` - 1, evenly over the scale: int32."""
        low, high = self.scale
        share = (np.asarray(stars, np.float64) - low) / max(high - low, 1e-9)
        return np.rint(np.clip(share, 0, 1) * (STAR_LEVELS - 1)).astype(np.int32)

    def of(self, queries: Sequence[Query], longest: int) -> list[History]:
        """Films and levels of each query, int32 [h] each: the newest, at most `longest`.

        A history counts for whoever brings one; else a known user has their training ratings, and
        a stranger has nothing.

        Raises:
            ConfigError: a user number out of range.
        """
        users = known_users(queries, len(self.offsets) - 1)
        found: list[History] = []
        for user, query in zip(users.tolist(), queries, strict=True):
            films, stars = query.history
            if not len(films) and user < len(self.offsets) - 1:
                own = slice(self.offsets[user], self.offsets[user + 1])
                films, stars = self.films[own], self.stars[own]
            found.append((films[-longest:], self.levels(stars[-longest:])))
        return found


def pad(histories: Sequence[History]) -> tuple[IntArray, IntArray, NDArray[np.int64]]:
    """Histories as one table, filled up at the end.

    Returns:
        films: int32 [b, h], 0 where there is none.
        levels: int32 [b, h], likewise.
        lengths: int64 [b].
    """
    lengths = np.array([len(films) for films, _ in histories], np.int64)
    filled = np.arange(int(lengths.max(initial=0))) < lengths[:, None]
    films, levels = np.zeros(filled.shape, np.int32), np.zeros(filled.shape, np.int32)
    films[filled] = np.concatenate([films for films, _ in histories])
    levels[filled] = np.concatenate([levels for _, levels in histories])
    return films, levels, lengths
