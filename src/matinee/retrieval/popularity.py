"""What most people rated: the model that every other must beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.index.select import search_blocks
from matinee.types import FloatArray, IntArray, Query, TopK, known_users

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class PopularityConfig:
    """Which ratings count.

    Attributes:
        window_days: only those of so many days before the newest training rating; None counts all.
    """

    window_days: float | None = None

    def __post_init__(self) -> None:
        days = self.window_days
        require(
            days is None or 0 < days < math.inf,
            "popularity.window_days",
            days,
            "above 0 and finite, or none at all",
        )


class PopularityRetriever:
    """Gives everybody the films that most people rated.

    Args:
        counts: float32 [n_items], how many ratings count for each film.
        train: the ratings it was fitted on.
    """

    source = "popularity"

    def __init__(self, counts: FloatArray, train: Ratings) -> None:
        self.counts = counts
        self.liked_from = sum(train.scale) / 2
        self._n_users = len(train.users)

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> PopularityRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        return cls(tensors["counts"], train)

    @staticmethod
    def shapes(config: PopularityConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {"counts": (n_items,)}

    def tensors(self) -> dict[str, FloatArray]:
        """The array that makes the retriever."""
        return {"counts": self.counts}

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k most rated films, the same for each query; see `Retriever.retrieve`."""
        known_users(queries, self._n_users)

        def score(rows: slice) -> FloatArray:
            return np.tile(self.counts, (len(queries[rows]), 1))

        return search_blocks(score, len(queries), len(self.counts), k, exclude, allow)


def fit_popularity(train: Ratings, config: PopularityConfig | None = None) -> PopularityRetriever:
    """Count the ratings of each film.

    Args:
        train: the ratings; their stars are not looked at.
        config: settings; the defaults count every rating.

    Raises:
        DataError: a window, and ratings without times.
    """
    days = (config or PopularityConfig()).window_days
    counted = train if days is None else _newest(train, days)
    return PopularityRetriever(counted.item_counts().astype(np.float32), train)


def _newest(train: Ratings, days: float) -> Ratings:
    if train.timestamp is None:
        raise DataError(
            f"popularity of the last {days:g} days needs times, and these ratings have none; name "
            "the timestamp column, or leave window_days out"
        )
    age_seconds = train.timestamp.max(initial=0) - train.timestamp
    return train.take(age_seconds <= days * _DAY_SECONDS)
