"""What a list ranker looks at: a user's candidates, each as a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.ranking.lists.films import DAY_S, Films
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK

FEATURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "retrieval": ("score", "place"),
        "popularity": ("share", "trend_7d", "trend_30d", "trend_180d"),
        "film": ("age", "known_for", "stars"),
        "sitting": ("like_last", "like_last_3", "like_last_10", "like_all"),
        "visit": ("rated_since", "new_since"),
        "user": ("history", "away", "mainstream", "off_mainstream", "off_age"),
    }
)
"""The features by group, in the order of their columns."""

WIDTH = sum(map(len, FEATURES.values()))
_LAST = (1, 3, 10)
_LEAST_LIKENESS = 1e-3


@dataclass(frozen=True, eq=False)
class _Users:
    """What is known of b users.

    Attributes:
        likes: float32 [b, 4, d], mean vectors of the last 1, 3, 10 and all films; 0 without any.
        size: float32 [b], films in the history.
        visit: int64 [b], seconds, when they last rated; now for who brings a history.
        share: float32 [b], mean `Films.share` of their films.
        age: float32 [b], mean age of their last ten films.
    """

    likes: FloatArray
    size: FloatArray
    visit: NDArray[np.int64]
    share: FloatArray
    age: FloatArray


class Features:
    """Describes candidates by what is known at the end of some ratings.

    Args:
        train: those ratings, which are also the known users' histories.
        years: float32 [n_items], of release.
        vectors: float32 [n_items, d], of films; see `sitting_vectors`.

    Raises:
        DataError: the ratings have no times, or there are none.
    """

    def __init__(self, train: Ratings, years: FloatArray, vectors: FloatArray) -> None:
        self._train = train
        self._films = Films.of(train, years)
        self._vectors = vectors
        self._rows, self._offsets = train.by_user()
        weights = train.item_counts() / len(train)
        self._usual = (float(weights @ self._films.share), float(weights @ self._films.age))

    def of(self, queries: Sequence[Query], candidates: TopK) -> FloatArray:
        """The features float32 [b, k, WIDTH] of b queries' candidates; 0 in empty places.

        Raises:
            ConfigError: a user number out of range.
        """
        users, films = self._users(queries), self._films
        filled = candidates.items != EMPTY_ITEM
        items = np.where(filled, candidates.items, 0)
        since = (films.first[items] - users.visit[:, None]) / DAY_S
        share = films.share[items]
        table = np.empty((*items.shape, WIDTH), np.float32)
        columns: Sequence[NDArray[Any]] = (
            _standard(candidates.scores, filled),
            np.log1p(np.arange(items.shape[1], dtype=np.float32)),
            share,
            *np.moveaxis(films.trend[items], -1, 0),
            np.log1p(films.age[items]),
            np.log1p((films.now - films.first[items]) / DAY_S),
            films.stars[items],
            *np.moveaxis(self._likeness(users, items), -1, 0),
            np.where(users.size[:, None] > 0, films.after(items, users.visit), 0),
            np.sign(since) * np.log1p(np.abs(since)),
            np.log1p(users.size)[:, None],
            np.log1p((films.now - users.visit) / DAY_S)[:, None],
            users.share[:, None],
            np.abs(share - users.share[:, None]),
            np.abs(films.age[items] - users.age[:, None]),
        )
        for place, values in enumerate(columns):
            table[..., place] = values
        table[~filled] = 0
        return table

    def _likeness(self, users: _Users, items: IntArray) -> FloatArray:
        near = self._vectors[items] @ users.likes.transpose(0, 2, 1)
        return np.log(np.maximum(near, 0) + np.float32(_LEAST_LIKENESS))

    def _users(self, queries: Sequence[Query]) -> _Users:
        films, size = self._films, len(queries)
        users = _Users(
            np.zeros((size, len(_LAST) + 1, self._vectors.shape[1]), np.float32),
            np.zeros(size, np.float32),
            np.full(size, films.now, np.int64),
            np.full(size, self._usual[0], np.float32),
            np.full(size, self._usual[1], np.float32),
        )
        for row, query in enumerate(queries):
            items, visit = self._history(query)
            if len(items):
                vectors = self._vectors[items]
                for place, last in enumerate((*_LAST, len(items))):
                    users.likes[row, place] = vectors[-last:].mean(axis=0)
                users.size[row], users.visit[row] = len(items), visit
                users.share[row] = films.share[items].mean()
                users.age[row] = films.age[items[-_LAST[-1] :]].mean()
        return users

    def _history(self, query: Query) -> tuple[IntArray, int]:
        """The films that a query's user rated, oldest first, and when they last did, in seconds."""
        user, now = query.user_index, self._films.now
        if len(query.history[0]) or user is None:
            return query.history[0], now
        if not 0 <= user < len(self._offsets) - 1:
            last = len(self._offsets) - 2
            raise ConfigError(f"user number {user}; expected 0 … {last}")
        rows = self._rows[self._offsets[user] : self._offsets[user + 1]]
        times = self._train.timestamp
        visit = int(times[rows[-1]]) if times is not None and len(rows) else now
        return self._train.item_index[rows], visit


def _standard(scores: FloatArray, filled: NDArray[np.bool_]) -> FloatArray:
    """Scores [b, k] at mean 0 and spread 1 in each list; what is empty or has no spread is 0."""
    count = np.maximum(filled.sum(axis=1, keepdims=True), 1).astype(np.float32)
    own = np.where(filled, scores, np.float32(0))
    centred: FloatArray = np.where(
        filled, own - own.sum(axis=1, keepdims=True) / count, np.float32(0)
    )
    spread: FloatArray = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    spread[spread == 0] = 1
    return np.divide(centred, spread, dtype=np.float32)
