"""A trained ranking model as a value: tables and dense layers, NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from matinee.errors import ModelFileError
from matinee.ranking.arithmetic import attended, crossed, dense
from matinee.ranking.config import RankingConfig
from matinee.ranking.order import in_order
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK, known_users

# Ratings' worth of trust in what is predicted without them, against the mean of a history's own
# residuals (Koren 2010 uses 10 for users; the residuals' variance over that of the users' biases
# gives about 5 on MovieLens).
_SHRINKAGE = 5.0
Histories = tuple[IntArray, FloatArray]


class TwoTowerRanker:
    """Predicts stars from the user's and the film's vectors through dense layers, plus biases.

    The vectors of ids have those of features beside them, if the model was trained with any.

    Args:
        tensors: `user_vectors` [n_users + 1, d], `movie_vectors` [n_items + 1, d], `user_bias`
            [n_users + 1], `movie_bias` [n_items + 1], `mean` [], and `kernel_0`, `bias_0`, … of
            the dense layers; all float32. The last row of a table is the unknown one's. A model
            with cross layers has `cross_kernels` [layers, w, w] and `cross_biases` [layers, w]; one
            that reads histories `attention` [e, e], for the first e numbers of a film's vector,
            `history_films` and `history_stars` [n_users + 1, h], where an empty slot's film is -1
            (as float32, numbers are exact to 2²⁴).
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
        self.crosses = None
        if "cross_kernels" in tensors:
            self.crosses = tensors["cross_kernels"], tensors["cross_biases"]
        self.attention = tensors.get("attention")
        width = self.user_vectors.shape[1] + self.movie_vectors.shape[1]
        if self.attention is not None:
            width += len(self.attention) + 1
            self.history_films = tensors["history_films"].astype(np.int32)
            self.history_stars = tensors["history_stars"]
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
        size = config.embedding_size + config.feature_size
        width = 2 * size
        shapes: dict[str, tuple[int, ...]] = {
            "user_vectors": (n_users + 1, size),
            "movie_vectors": (n_items + 1, size),
            "user_bias": (n_users + 1,),
            "movie_bias": (n_items + 1,),
            "mean": (),
        }
        if config.history:
            width += config.embedding_size + 1
            shapes["attention"] = (config.embedding_size, config.embedding_size)
            shapes["history_films"] = shapes["history_stars"] = (n_users + 1, config.history)
        if config.crosses:
            shapes["cross_kernels"] = (config.crosses, width, width)
            shapes["cross_biases"] = (config.crosses, width)
        for place, widths in enumerate(pairwise((width, *config.hidden, 1))):
            shapes |= {f"kernel_{place}": widths, f"bias_{place}": widths[1:]}
        return shapes

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the ranker."""
        return self._tensors

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k] of `items` int32 [b, k] for b queries; NaN where an item is -1.

        A film numbered n_items is an unknown one. How far a history's stars are from those
        predicted, of a newcomer or of a known user with newer ratings, moves all predictions, in
        closed form.
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
        stars = self.stars(users, items, self._histories(queries, users))
        for row, query in enumerate(queries):
            stars[row] += self._told_bias(query, users[row : row + 1])
        stars[items == EMPTY_ITEM] = np.nan
        return stars

    def stars(self, users: IntArray, items: IntArray, histories: Histories) -> FloatArray:
        """Predictions float32 [b, k] of films int32 [b, k] for users int32 [b], not yet clipped.

        Args:
            users: their numbers.
            items: the films' numbers; an empty slot, -1, gets the stars of an unknown film.
            histories: films int32 [b, h], -1 in an empty slot, and stars float32 [b, h]; what a
                model that reads none is given does not matter.
        """
        candidates = self.movie_vectors[items]
        own = np.broadcast_to(
            self.user_vectors[users][:, None], (*items.shape, self.user_vectors.shape[1])
        )
        vectors = [own, candidates]
        if self.attention is not None:
            vectors.append(self._attended(candidates, items, *histories, self.attention))
        inputs = np.concatenate(vectors, axis=2)
        if self.crosses is not None:
            inputs = crossed(inputs, *self.crosses)
        deviations = dense(inputs, self.layers)[..., 0] + self.user_bias[users][:, None]
        return deviations + self.mean + self.movie_bias[items]

    def _attended(
        self,
        candidates: FloatArray,
        items: IntArray,
        films: IntArray,
        stars: FloatArray,
        kernel: FloatArray,
    ) -> FloatArray:
        """What histories say of candidates, but for their own ratings: float32 [b, k, e + 1]."""
        size = len(kernel)
        there = (films[:, None] != EMPTY_ITEM) & (films[:, None] != items[..., None])
        deviations = stars - self.mean - self.movie_bias[films]
        vectors = self.movie_vectors[films][..., :size]
        return attended(candidates[..., :size], vectors, deviations, there, kernel)

    def _histories(self, queries: Sequence[Query], users: IntArray) -> Histories:
        """What each query's owner rated last, in training or by the history that was given."""
        if self.attention is None:
            return np.empty((len(users), 0), np.int32), np.empty((len(users), 0), np.float32)
        films, stars = self.history_films[users], self.history_stars[users]
        for row, query in enumerate(queries):
            items, ratings = (column[::-1][: films.shape[1]] for column in query.history)
            if len(items):
                films[row] = EMPTY_ITEM
            films[row, : len(items)] = items
            stars[row, : len(items)] = ratings
        return films, stars

    def _told_bias(self, query: Query, users: IntArray) -> float:
        """How far above the predictions a history is, shrunk; `users` int32 [1] has its owner."""
        items, ratings = query.history
        if not len(items):
            return 0.0
        residuals = ratings - self.stars(users, items[None], self._histories([query], users))[0]
        return float(residuals.sum() / (len(items) + _SHRINKAGE))
