"""The trained list ranker: candidates in the order in which people are likely to rate them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.ratings import Ratings
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.features import WIDTH, Features
from matinee.ranking.lists.network import network_scores, network_shapes
from matinee.ranking.order import in_order
from matinee.types import EMPTY_ITEM, FloatArray, Query, TopK


class LambdaListRanker:
    """Orders candidates by a small network on what is known at the end of the ratings.

    Whoever brings a history has it counted as their last films, rated now; a known user has their
    training ratings; a stranger gets what others rate of late.

    Args:
        tensors: float32, as `shapes` lists them: release `years` and `vectors` of films, and the
            network's weights.
        train: the ratings that its features are taken from.
        losses: see `fit_list_ranker`; a ranker from a file has none.

    Raises:
        DataError: the ratings have no times, or there are none.
    """

    def __init__(
        self, tensors: dict[str, FloatArray], train: Ratings, losses: tuple[float, ...] = ()
    ) -> None:
        self._tensors = tensors
        self._features = Features(train, tensors["years"], tensors["vectors"])
        self.losses = losses

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> LambdaListRanker:
        """A ranker from its tensors and the ratings it was fitted on."""
        return cls(tensors, train)

    @staticmethod
    def shapes(config: ListConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        films = {"years": (n_items,), "vectors": (n_items, config.vector_size)}
        return films | network_shapes(config, WIDTH)

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the ranker, beside the ratings."""
        return self._tensors

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates, best first; the network's scores compare within a list alone.

        Args:
            queries: b of them.
            candidates: of each, with the first stage's scores, best first.

        Raises:
            ConfigError: a user number out of range.
        """
        scores = network_scores(self._tensors, self._features.of(queries, candidates))
        scores[candidates.items == EMPTY_ITEM] = np.nan
        return in_order(candidates.items, scores)
