"""The two stages as one model, in numbers: itself a retriever and a ranker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.ragged import Ragged
from matinee.recommending.asking import Asking
from matinee.recommending.candidates import Candidates
from matinee.recommending.diversity import check_diversity
from matinee.recommending.lists import Listed, Lists
from matinee.recommending.order import Order, weight_of_stars
from matinee.recommending.popular import Popular
from matinee.types import (
    FirstStage,
    FloatArray,
    IntArray,
    ListRanker,
    Query,
    SecondStage,
    TopK,
)


class TwoStages:
    """A retriever's candidates in the order of a list, by numbers of users and films.

    It is itself a `Retriever` and a `Ranker`, so that the evaluator measures the list that users
    see.

    Args:
        catalog: the films.
        retriever: picks candidates.
        ranker: predicts their stars.
        train: the ratings both learned from; their films are what a user has seen.
        list_ranker: orders candidates for the list; None leaves them in the retriever's order.
        candidates: how many films the first stage hands on.
        order: of lists, unless a call says otherwise; see `Recommender.recommend`.
        diversity: likewise.
        exclude_seen: leave out what the user has rated, unless a call says otherwise.
        relevant_from: stars of the ratings that the retriever learned from; None if from all.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings, candidates below 1, a
            diversity outside 0 … 1, or an unknown order.
    """

    def __init__(
        self,
        catalog: Catalog,
        retriever: FirstStage,
        ranker: SecondStage,
        train: Ratings,
        *,
        list_ranker: ListRanker | None = None,
        candidates: int = 200,
        order: Order = "list",
        diversity: float = 0.0,
        exclude_seen: bool = True,
        relevant_from: float | None = None,
    ) -> None:
        catalog.check_items(train.items)
        require(candidates >= 1, "candidates", candidates, "at least 1")
        weight_of_stars(order)
        check_diversity(diversity)
        self.catalog = catalog
        self.retriever = retriever
        self.ranker = ranker
        self.list_ranker = list_ranker
        self.train = train
        self.candidates = candidates
        self.order: Order = order
        self.diversity = diversity
        self.exclude_seen = exclude_seen
        self._asking = Asking(catalog, train, relevant_from)
        self._counts = train.item_counts().astype(np.float32)
        self._found = Candidates(retriever, self._asking, Popular(self._counts))
        self._made = Lists(catalog, retriever, ranker, list_ranker, self._found, candidates)

    def left_out(self, query: Query, exclude_seen: bool | None = None) -> IntArray:
        """The films int32 [m] that a query's list leaves out: its history, and what was seen."""
        seen = self.exclude_seen if exclude_seen is None else exclude_seen
        return self._asking.left_out(query, seen)

    def left_out_of_users(self, users: IntArray) -> Ragged:
        """As `left_out`, for each of some known users int32 [b] without a history."""
        return self._asking.left_out_of_users(users, self.exclude_seen)

    def seen(self, user_index: int) -> IntArray:
        """The numbers of the films that a user rated, int32 [m], oldest first."""
        return self._asking.training(user_index)[0]

    def first_stage(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The retriever's films, or what most people rated; see `Retriever.retrieve`."""
        return self._found.retrieve(queries, k, exclude, allow)

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The list that users see; see `Retriever.retrieve`. The scores only carry the order."""
        return self.listed(queries, k, exclude, allow).top_k()

    def listed(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> Listed:
        """The list that users see with the first stage's scores; see `Retriever.retrieve`."""
        weight = weight_of_stars(self.order)
        return self._made.ordered(queries, k, exclude, allow, weight, self.diversity)

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The candidates in the order of their stars; see `Ranker.rank`."""
        return self.ranker.rank(queries, candidates)

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k] of `items` int32 [b, k]; see `Ranker.predict`."""
        return self.ranker.predict(queries, items)

    def source(self, query: Query) -> str:
        """Where a query's films come from; see `Recommendation.source`."""
        return self._found.source(query)
