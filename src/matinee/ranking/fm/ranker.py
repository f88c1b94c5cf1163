"""The sampled factorization machine as a value: tables and NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.ranking.fm.config import FactorizationMachineConfig
from matinee.ranking.fm.drift import Leaves
from matinee.ranking.fm.newcomers import Samples
from matinee.ranking.fm.ordinal import MOST_LEVELS, Output
from matinee.ranking.order import in_order
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK, known_users


class FactorizationMachineRanker:
    """Predicts how likely each number of stars is, and the expected stars.

    A score is the inner product of a user's and a film's vector plus both biases plus, where the
    rating's time is known, the user's drift at it. Its mean and variance come from all draws of the
    sampler; scores become stars by an ordered probit. A newcomer is placed by their history in
    closed form (`Samples`); a known user's new ratings move their scores by as much as they move
    somebody's who has no more than the user's ratings.

    Args:
        tensors: see `shapes`; all float32. The last row of a table is the unknown one's.
        train: the ratings it was trained on.
        losses: see `fit_factorization_machine`; a model from a file has none.
    """

    def __init__(
        self, tensors: dict[str, FloatArray], train: Ratings, losses: tuple[float, ...] = ()
    ) -> None:
        self._tensors = tensors
        self._train = train
        self.scale = train.scale
        self.losses = losses
        self.user_vectors = tensors["user_vectors"]
        self.movie_vectors = tensors["movie_vectors"]
        self.user_bias = tensors["user_bias"]
        self.movie_bias = tensors["movie_bias"]
        self._leaves = Leaves(tensors["leaf_start"], tensors["leaf_ends"])
        self._output = Output.of(tensors["stars"], tensors["cuts"])
        self._samples = Samples(
            *(tensors[f"sample_{name}"] for name in ("films", "implicit", "average", "precision"))
        )

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> FactorizationMachineRanker:
        """A ranker from its tensors and the ratings it was trained on."""
        return cls(tensors, train)

    @staticmethod
    def shapes(
        config: FactorizationMachineConfig, n_users: int, n_items: int
    ) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor.

        Scores: `…_vectors`, `…_bias`, and `…_variance`, of which a user's times a film's is a
        score's. Drift at each of the user's leaves and, last, at no known time. Stars of the
        levels and the cuts between them, filled up. Samples: see `Samples`.
        """
        users, films, leaves = n_users + 1, n_items + 1, config.drift_leaves
        draws, width = config.samples, config.embedding_size + 1
        return {
            "user_vectors": (users, config.table_size),
            "user_bias": (users,),
            "user_variance": (users,),
            "movie_vectors": (films, config.table_size),
            "movie_bias": (films,),
            "movie_variance": (films,),
            "leaf_start": (users,),
            "leaf_ends": (users, leaves),
            "drift": (users, leaves + 1),
            "drift_variance": (users, leaves + 1),
            "stars": (MOST_LEVELS,),
            "cuts": (MOST_LEVELS - 1,),
            "sample_films": (films, draws, width),
            "sample_implicit": (films, draws, width),
            "sample_average": (draws, width),
            "sample_precision": (draws, width),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the ranker."""
        return self._tensors

    @property
    def levels(self) -> FloatArray:
        """The stars that the distribution is over, ascending, float32 [levels]."""
        return self._output.stars

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Expected stars float32 [b, k] of `items` int32 [b, k]; NaN where an item is -1.

        A film numbered n_items is an unknown one.
        """
        stars = np.clip(self._output.expected(*self._scores(queries, items)), *self.scale)
        stars[items == EMPTY_ITEM] = np.nan
        return stars.astype(np.float32)

    def distribution(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """The chance of each of `levels`, float32 [b, k, levels]; NaN where an item is -1."""
        chances = self._output.distribution(*self._scores(queries, items))
        chances[items == EMPTY_ITEM] = np.nan
        return chances.astype(np.float32)

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates by expected stars; equal ones by their numbers."""
        return in_order(candidates.items, self.predict(queries, candidates.items))

    def _scores(self, queries: Sequence[Query], items: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the scores, both float32 [b, k]; anything where an item is -1."""
        users = known_users(queries, len(self.user_bias) - 1)
        mean = np.einsum("bd,bkd->bk", self.user_vectors[users], self.movie_vectors[items])
        mean += self.user_bias[users, None] + self.movie_bias[items]
        unsure = self._tensors["user_variance"][users, None]
        variance = unsure * self._tensors["movie_variance"][items]
        for row, query in enumerate(queries):
            if len(query.history[0]):
                self._move(query, items[row], mean[row], variance[row])
        leaf = self._leaf(queries, users, items.shape)
        mean += self._tensors["drift"][users[:, None], leaf]
        variance += self._tensors["drift_variance"][users[:, None], leaf]
        return mean, variance

    def _move(self, query: Query, items: IntArray, mean: FloatArray, variance: FloatArray) -> None:
        """Let a history count: scores and variances float32 [k] are changed in place."""
        new = self._samples.place(*query.history, self._output).scores(items)
        if query.user_index is None:
            mean[:], variance[:] = new
            return
        rows, offsets = self._by_user
        before = rows[offsets[query.user_index] : offsets[query.user_index + 1]]
        old = self._samples.place(
            self._train.item_index[before], self._train.rating[before], self._output
        ).scores(items)
        mean += new[0] - old[0]
        variance *= new[1] / old[1]

    @cached_property
    def _by_user(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._train.by_user()

    def _leaf(self, queries: Sequence[Query], users: IntArray, shape: tuple[int, ...]) -> IntArray:
        """The leaf of each rating asked for, int32 [b, k]; the last where no time is told."""
        leaf = np.full(shape, self._leaves.count, np.int32)
        times = {row: query.time for row, query in enumerate(queries) if query.time is not None}
        if times:
            told = list(times)
            of_items = [_of_each(np.asarray(time), shape[1]) for time in times.values()]
            leaf[told] = self._leaves.find(users[told], np.stack(of_items))
        return leaf


def _of_each(time: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A query's time for each of `count` films, int64 [count]."""
    if time.shape not in ((), (count,)):
        raise ConfigError(
            f"a query has times of shape {time.shape} for {count} films; expected one time, or one "
            "for each film"
        )
    return np.broadcast_to(time, (count,))
