"""Stars as the mean plus the user's and the film's own deviation from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.config import require
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.ranking.order import in_order
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK, known_users

# Of the residual against the right side: more digits than float32 tables can keep.
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class BiasConfig:
    """How strongly the biases are held to 0; chosen on validation ratings of MovieLens 100K.

    Attributes:
        user_l2: so many ratings' worth of trust in a user who deviates from nobody.
        film_l2: the same for films.
    """

    user_l2: float = 4.0
    film_l2: float = 2.0

    def __post_init__(self) -> None:
        for name in ("user_l2", "film_l2"):
            value = getattr(self, name)
            require(0 < value < math.inf, f"ranking.{name}", value, "above 0 and finite")


class BiasRanker:
    """Predicts the mean plus the user's bias plus the film's.

    Somebody or something unknown has bias 0; a newcomer's bias is what the training would give
    them if the films' stayed as they are, the sum of residuals / (their number + l2).

    Args:
        tensors: `mean` [], `user_bias` [n_users + 1], `movie_bias` [n_items + 1] and `user_l2` [],
            all float32. The last row of a table is the unknown one's.
        scale: lowest and highest rating; predictions are clipped to it.
    """

    def __init__(self, tensors: dict[str, FloatArray], scale: tuple[float, float]) -> None:
        self._tensors = tensors
        self.scale = scale
        self.mean = float(tensors["mean"])
        self.user_bias = tensors["user_bias"]
        self.movie_bias = tensors["movie_bias"]
        self.user_l2 = float(tensors["user_l2"])

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], scale: tuple[float, float]) -> BiasRanker:
        """A ranker from its tensors and the scale of the ratings."""
        return cls(tensors, scale)

    @staticmethod
    def shapes(config: BiasConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {
            "mean": (),
            "user_bias": (n_users + 1,),
            "movie_bias": (n_items + 1,),
            "user_l2": (),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the ranker."""
        return self._tensors

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k] of `items` int32 [b, k] for b queries; NaN where an item is -1.

        A film numbered n_items is an unknown one.
        """
        return np.clip(self._scores(queries, items), *self.scale)

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates by stars not yet clipped; equal ones keep the order of their numbers.

        That order is the films' own, for everybody: the model has no taste.
        """
        return in_order(candidates.items, self._scores(queries, candidates.items))

    def _scores(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k], not yet clipped; NaN where an item is -1."""
        bias = self.user_bias[known_users(queries, len(self.user_bias) - 1)]
        for row, query in enumerate(queries):
            films, ratings = query.history
            if len(films):
                residuals = ratings - self.mean - self.movie_bias[films]
                bias[row] = residuals.sum() / (len(films) + self.user_l2)
        stars = self.mean + bias[:, None] + self.movie_bias[items]
        stars[items == EMPTY_ITEM] = np.nan
        return stars


def fit_bias(train: Ratings, config: BiasConfig | None = None) -> BiasRanker:
    """Find the biases of users and films together, by regularized least squares.

    The b_u of users and c_i of films minimize

        Σ (r_ui - mean - b_u - c_i)² + user_l2 Σ b_u² + film_l2 Σ c_i²

    over the training ratings (Koren, Bell & Volinsky 2009, equations 3 and 5, with a weight for
    each side). The normal equations are solved by conjugate gradients.

    Args:
        train: the ratings.
        config: settings.

    Raises:
        DataError: there are no ratings.
    """
    config = config or BiasConfig()
    if not len(train):
        raise DataError("no ratings to train on; expected at least one")
    n_users = len(train.users)
    mean = train.rating.mean(dtype=np.float64)
    bias = _solve(train, train.rating - mean, config)
    tensors = {
        "mean": mean,
        "user_bias": np.append(bias[:n_users], 0),
        "movie_bias": np.append(bias[n_users:], 0),
        "user_l2": config.user_l2,
    }
    return BiasRanker(
        {name: np.array(value, np.float32) for name, value in tensors.items()}, train.scale
    )


def _solve(
    train: Ratings, residuals: NDArray[np.float64], config: BiasConfig
) -> NDArray[np.float64]:
    """The users' biases and then the films', float64 [n_users + n_items]."""
    # Here, so that a saved model does not wait for it.
    from scipy.sparse import linalg

    n_users, n_items = len(train.users), len(train.items)
    size = n_users + n_items
    rows, columns = train.user_index, n_users + train.item_index
    # Each rating couples its user's equation with its film's.
    pairs: Any = sparse.csr_matrix((np.ones(len(train)), (rows, columns)), shape=(size, size))
    both = np.concatenate([rows, columns])
    l2 = np.repeat([float(config.user_l2), float(config.film_l2)], [n_users, n_items])
    diagonal = np.bincount(both, minlength=size) + l2
    target = np.bincount(both, np.tile(residuals, 2), minlength=size)
    system = pairs + pairs.T + sparse.diags_array(diagonal)
    scaling = sparse.diags_array(1 / diagonal)
    bias, _ = linalg.cg(system, target, rtol=_TOLERANCE, M=scaling)
    return bias
