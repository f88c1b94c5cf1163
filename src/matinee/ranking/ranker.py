"""A trained ranking model as a value: tables and dense layers, NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from matinee.errors import ModelFileError
from matinee.ranking.config import RankingConfig
from matinee.ranking.order import in_order
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK, known_users

# Ratings' worth of trust in "like everybody" against a newcomer's own mean (Koren 2010 uses 10
# for users; the residuals' variance over that of the users' biases gives about 5 on MovieLens).
_SHRINKAGE = 5.0


class TwoTowerRanker:
    """Predicts stars from the user's and the film's vectors through dense layers, plus biases.

    Args:
        tensors: `user_vectors` [n_users + 1, d], `movie_vectors` [n_items + 1, d], `user_bias`
            [n_users + 1], `movie_bias` [n_items + 1], `mean` [], and `kernel_0`, `bias_0`, … of
            the dense layers; all float32. The last row of a table is the unknown one's.
        scale: lowest and highest rating; predictions are clipped to it.
    """

    def __init__(self, tensors: dict[str, FloatArray], scale: tuple[float, float]) -> None:
        self._tensors = tensors
        self.scale = scale
        self.user_vectors = tensors["user_vectors"]
        self.movie_vectors = tensors["movie_vectors"]
        self.user_bias = tensors["user_bias"]
        self.movie_bias = tensors["movie_bias"]
        self.mean = float(tensors["mean"])
        depth = sum(name.startswith("kernel_") for name in tensors)
        self.layers = [(tensors[f"kernel_{i}"], tensors[f"bias_{i}"]) for i in range(depth)]
        width = self.user_vectors.shape[1] + self.movie_vectors.shape[1]
        for place, (kernel, bias) in enumerate(self.layers):
            if kernel.shape[0] != width or kernel.shape[1:] != bias.shape:
                raise ModelFileError(
                    f"ranking layer {place} takes {kernel.shape} and {bias.shape}; expected "
                    f"{width} inputs; train the model again"
                )
            width = kernel.shape[1]

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], scale: tuple[float, float]) -> TwoTowerRanker:
        """A ranker from its tensors and the scale of the ratings."""
        return cls(tensors, scale)

    @staticmethod
    def shapes(config: RankingConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        size = config.embedding_size
        shapes: dict[str, tuple[int, ...]] = {
            "user_vectors": (n_users + 1, size),
            "movie_vectors": (n_items + 1, size),
            "user_bias": (n_users + 1,),
            "movie_bias": (n_items + 1,),
            "mean": (),
        }
        for place, widths in enumerate(pairwise((2 * size, *config.hidden, 1))):
            shapes |= {f"kernel_{place}": widths, f"bias_{place}": widths[1:]}
        return shapes

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the ranker."""
        return self._tensors

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k] of `items` int32 [b, k] for b queries; NaN where an item is -1.

        A film numbered n_items is an unknown one. A newcomer's own deviation from the mean is
        estimated from their history in closed form.
        """
        return np.clip(self._scores(queries, items), *self.scale)

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates by descending score; equal ones keep the order of their numbers.

        The scores are stars before they are clipped to the scale, so that films that would all
        get the most stars still have an order.
        """
        return in_order(candidates.items, self._scores(queries, candidates.items))

    def _scores(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k], not yet clipped; NaN where an item is -1."""
        users = known_users(queries, len(self.user_vectors) - 1)
        for row, query in enumerate(queries):
            if len(query.history[0]):
                users[row] = len(self.user_vectors) - 1
        stars = self.stars(np.repeat(users[:, None], items.shape[1], axis=1), items)
        for row, query in enumerate(queries):
            stars[row] += self._newcomer_bias(query)
        stars[items == EMPTY_ITEM] = np.nan
        return stars

    def stars(self, users: IntArray, items: IntArray) -> FloatArray:
        """Predictions float32 of pairs of numbers, any shape, not yet clipped."""
        hidden = np.concatenate([self.user_vectors[users], self.movie_vectors[items]], axis=-1)
        for place, (kernel, bias) in enumerate(self.layers):
            hidden = hidden @ kernel + bias
            if place < len(self.layers) - 1:
                np.maximum(hidden, 0, out=hidden)
        return hidden[..., 0] + self.mean + self.user_bias[users] + self.movie_bias[items]

    def _newcomer_bias(self, query: Query) -> float:
        items, ratings = query.history
        if not len(items):
            return 0.0
        users = np.full(len(items), len(self.user_vectors) - 1, np.int32)
        residuals = ratings - self.stars(users, items)
        return float(residuals.sum() / (len(items) + _SHRINKAGE))
