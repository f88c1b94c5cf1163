"""From queries to films in the order that a list shows them in; all in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_count
from matinee.data.catalog import Catalog
from matinee.recommending.candidates import Candidates
from matinee.recommending.diversity import diversified, genre_directions
from matinee.recommending.order import blended
from matinee.types import (
    EMPTY_ITEM,
    FirstStage,
    FloatArray,
    HasDirections,
    IntArray,
    ListRanker,
    Query,
    SecondStage,
    TopK,
)


@dataclass(frozen=True, eq=False)
class Listed:
    """Lists of b queries, best film first.

    Attributes:
        items: int32 [b, k]; empty places (-1) at the end.
        scores: float32 [b, k], what the first stage gave each film.
        popular: bool [b, k], which films stand there for their popularity alone.
    """

    items: IntArray
    scores: FloatArray
    popular: NDArray[np.bool_]

    def top_k(self) -> TopK:
        """The same lists, with scores that only carry their order."""
        places = -np.arange(self.items.shape[1], dtype=np.float32)
        scores = np.where(self.items == EMPTY_ITEM, np.float32(-np.inf), places)
        return TopK(self.items, scores)


class Lists:
    """Retrieves, completes, orders and diversifies.

    Args:
        catalog: the films.
        retriever: picked the candidates; films are as unlike as its vectors say.
        ranker: predicts their stars.
        list_ranker: orders candidates for the list; None leaves them in the retriever's order.
        candidates: what the retriever finds, completed.
        cut: how many of them are put in order.
    """

    def __init__(
        self,
        catalog: Catalog,
        retriever: FirstStage,
        ranker: SecondStage,
        list_ranker: ListRanker | None,
        candidates: Candidates,
        cut: int,
    ) -> None:
        self._catalog = catalog
        self._retriever = retriever
        self._ranker = ranker
        self._list_ranker = list_ranker
        self._candidates = candidates
        self._cut = cut

    def ordered(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None,
        allow: NDArray[np.bool_] | None,
        stars_weight: float,
        diversity: float,
    ) -> Listed:
        """The k films of each list, in order.

        Args:
            queries: b of them.
            k: see `Retriever.retrieve`.
            exclude: likewise.
            allow: likewise.
            stars_weight: 0 orders for the list, 1 by stars; see `blended`.
            diversity: 0 … 1; see `diversified`.
        """
        check_count("k", k)
        reordered = stars_weight > 0 or diversity > 0 or self._list_ranker is not None
        # More films than are wanted only where they can change what is shown.
        depth = max(k, self._cut) if reordered else k
        found, popular = self._candidates.found(queries, depth, exclude, allow)
        if not reordered:
            return Listed(found.items, found.scores, popular)
        cut = self._cut
        front = TopK(found.items[:, :cut], found.scores[:, :cut])
        front = self._in_order(queries, front, stars_weight)
        items = front.items
        if diversity > 0:
            items = diversified(front, self._directions, min(k, items.shape[1]), diversity)
        items = np.concatenate([items, found.items[:, cut:]], axis=1)[:, :k]
        places = _places(found.items, items)
        return Listed(
            items,
            np.take_along_axis(found.scores, places, axis=1),
            np.take_along_axis(popular, places, axis=1),
        )

    def _in_order(self, queries: Sequence[Query], front: TopK, stars_weight: float) -> TopK:
        if stars_weight == 1:
            return self._ranker.rank(queries, front)
        if self._list_ranker is not None:
            front = self._list_ranker.rank(queries, front)
        if stars_weight > 0:
            stars = self._ranker.predict(queries, front.items)
            front = blended(front, stars, stars_weight)
        return front

    @cached_property
    def _directions(self) -> FloatArray:
        """The films' vectors at length 1: the retriever's own, or, if it has none, of genres."""
        if isinstance(self._retriever, HasDirections):
            return self._retriever.directions
        return genre_directions(self._catalog)


def _places(table: IntArray, items: IntArray) -> IntArray:
    """Where in each row of `table` [b, c] the row's `items` [b, k] stand: int32 [b, k]."""
    places = np.empty(items.shape, np.int32)
    for row, (own, wanted) in enumerate(zip(table, items, strict=True)):
        order = np.argsort(own)
        places[row] = order[np.searchsorted(own, wanted, sorter=order)]
    return places
