"""Stars by biased matrix factorization, fitted by variational Bayes; served as plain tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed, require
from matinee.console import progress_bar
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.index.blocks import blas_on_one_thread
from matinee.ranking.order import in_order
from matinee.ranking.variational import Belief, Prior, Side
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, TopK, known_users

Array = NDArray[np.float64]

# Stars; ratings that are all the same would leave nothing to scale the priors by.
_LEAST_SPREAD = 1e-3
# The first sweep's priors against `prior_variance`: under a tight one, directions of taste that the
# first vectors only hint at are shrunk away before they are found.
_WIDE = 5.0


@dataclass(frozen=True)
class MatrixFactorizationConfig:
    """How the factorization is fitted; chosen on validation ratings of MovieLens 100K.

    Attributes:
        embedding_size: length of a user's and of a film's vector. Too long does no harm: the
            priors shrink what the ratings don't support.
        sweeps: how often users and films are fitted in turn.
        prior_rows: so many users' (and films') worth of trust in `prior_variance` against the
            variance of those that there are.
        prior_variance: how far vectors and biases are thought to spread before any are seen, for
            ratings with a standard deviation of 1.
    """

    embedding_size: int = 16
    sweeps: int = 20
    prior_rows: float = 30.0
    prior_variance: float = 0.05

    def __post_init__(self) -> None:
        for name, most in (("embedding_size", 1024), ("sweeps", 1 << 31)):
            value = getattr(self, name)
            require(1 <= value <= most, f"ranking.{name}", value, f"1 … {most}")
        for name in ("prior_rows", "prior_variance"):
            value = getattr(self, name)
            require(0 < value < math.inf, f"ranking.{name}", value, "above 0 and finite")


class MatrixFactorizationRanker:
    """Predicts the mean plus both biases plus the inner product of user's and film's vectors.

    A stranger is the average user. A newcomer gets what the training would give them if the films
    stayed as they are: the posterior mean of their vector and bias, a ridge regression of their
    stars, with the trained users' distribution as prior.

    Args:
        tensors: `mean` [], `user_vectors` [n_users + 1, d], `movie_vectors` [n_items + 1, d],
            `user_bias` [n_users + 1], `movie_bias` [n_items + 1]; and for newcomers
            `movie_variance` [n_items + 1, d], how unsure the films' vectors are, `precision`
            [d + 1, d + 1], the inverse covariance of users' vectors and biases, and `noise` [], the
            variance of a rating; all float32. The last row of a table is the unknown one's.
        scale: lowest and highest rating; predictions are clipped to it.
        losses: see `fit_matrix_factorization`; a model from a file has none.
    """

    def __init__(
        self,
        tensors: dict[str, FloatArray],
        scale: tuple[float, float],
        losses: tuple[float, ...] = (),
    ) -> None:
        self._tensors = tensors
        self.scale = scale
        self.losses = losses
        self.mean = float(tensors["mean"])
        self.user_vectors = tensors["user_vectors"]
        self.movie_vectors = tensors["movie_vectors"]
        self.user_bias = tensors["user_bias"]
        self.movie_bias = tensors["movie_bias"]

    @classmethod
    def of(
        cls, tensors: dict[str, FloatArray], scale: tuple[float, float]
    ) -> MatrixFactorizationRanker:
        """A ranker from its tensors and the scale of the ratings."""
        return cls(tensors, scale)

    @staticmethod
    def shapes(
        config: MatrixFactorizationConfig, n_users: int, n_items: int
    ) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        size = config.embedding_size
        return {
            "mean": (),
            "user_vectors": (n_users + 1, size),
            "movie_vectors": (n_items + 1, size),
            "user_bias": (n_users + 1,),
            "movie_bias": (n_items + 1,),
            "movie_variance": (n_items + 1, size),
            "precision": (size + 1, size + 1),
            "noise": (),
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
        """The same candidates by stars not yet clipped; equal ones by their numbers."""
        return in_order(candidates.items, self._scores(queries, candidates.items))

    def _scores(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k], not yet clipped; NaN where an item is -1."""
        users = known_users(queries, len(self.user_vectors) - 1)
        vectors, bias = self.user_vectors[users], self.user_bias[users]
        for row, query in enumerate(queries):
            if len(query.history[0]):
                vectors[row], bias[row] = self._newcomer(*query.history)
        stars = np.einsum("bd,bkd->bk", vectors, self.movie_vectors[items])
        stars += self.mean + bias[:, None] + self.movie_bias[items]
        stars[items == EMPTY_ITEM] = np.nan
        return stars

    def _newcomer(self, items: IntArray, ratings: FloatArray) -> tuple[Array, float]:
        """The vector float64 [d] and the bias of whoever gave `ratings` to `items`, both [h]."""
        noise = float(self._tensors["noise"])
        precision = self._tensors["precision"].astype(np.float64)
        average = np.append(self.user_vectors[-1], self.user_bias[-1]).astype(np.float64)
        design = np.ones((len(items), len(average)))
        design[:, :-1] = self.movie_vectors[items]
        residuals = ratings - self.mean - self.movie_bias[items] - design @ average
        gram = design.T @ design
        unsure = self._tensors["movie_variance"][items].sum(axis=0)
        gram[np.diag_indices(len(unsure))] += unsure
        target = design.T @ residuals - np.append(unsure * average[:-1], 0)
        found = average + np.linalg.solve(noise * precision + gram, target)
        return found[:-1], float(found[-1])


# Its products are too small to be shared among threads, which would wait for each other.
@blas_on_one_thread()
def fit_matrix_factorization(
    train: Ratings, config: MatrixFactorizationConfig | None = None, *, seed: int = 42
) -> MatrixFactorizationRanker:
    """Fit vectors and biases by variational Bayes with priors learned on the way.

    A rating is normal around mean + b_u + c_i + p_u · q_i. Each user's (p_u, b_u) is normal around
    the average user with a covariance that all share, and each film's likewise (Salakhutdinov &
    Mnih 2008). Their posterior is taken as a product of normal distributions (Lim & Teh 2007),
    users and films in turn, each in closed form; between the turns the priors' means and
    covariances are set to their most probable values. Knowing how unsure each vector is, rather
    than taking it at its word, is what keeps the model from fitting noise.

    Args:
        train: the ratings.
        config: settings.
        seed: of the first film vectors.

    Returns:
        The means of the posterior. `losses` holds for each sweep the root of the training ratings'
        expected squared error, in stars.

    Raises:
        ConfigError: a seed out of range.
        DataError: there are no ratings.
    """
    config = config or MatrixFactorizationConfig()
    check_seed(seed)
    if not len(train):
        raise DataError("no ratings to train on; expected at least one")
    mean = float(train.rating.mean(dtype=np.float64))
    residuals = train.rating.astype(np.float64) - mean
    spread = max(float(residuals.std()), _LEAST_SPREAD)
    # Inner products of vectors are in stars, so a vector's variance is too; a bias's is in stars².
    units = np.append(np.full(config.embedding_size, spread), spread**2)
    fitted = _fit(train, residuals, config, config.prior_variance * units, seed)
    tensors = fitted.tensors() | {"mean": np.float64(mean)}
    return MatrixFactorizationRanker(
        {name: np.array(value, np.float32) for name, value in tensors.items()},
        train.scale,
        fitted.losses,
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Where the sweeps end: beliefs, the priors that they come from, and a rating's variance."""

    users: Belief
    films: Belief
    user_prior: Prior
    film_prior: Prior
    losses: tuple[float, ...]

    def tensors(self) -> dict[str, Array]:
        """All but the mean; whoever is unknown gets the prior's mean and variance."""
        film_variance = cast(Array, np.linalg.inv(self.film_prior.precision)).diagonal()
        users = np.vstack([self.users.mean, self.user_prior.mean])
        films = np.vstack([self.films.mean, self.film_prior.mean])
        variance = np.vstack([np.diagonal(self.films.covariance, axis1=1, axis2=2), film_variance])
        return {
            "user_vectors": users[:, :-1],
            "user_bias": users[:, -1],
            "movie_vectors": films[:, :-1],
            "movie_bias": films[:, -1],
            "movie_variance": variance[:, :-1],
            "precision": self.user_prior.precision,
            "noise": np.array(self.losses[-1] ** 2),
        }


def _fit(
    train: Ratings,
    residuals: Array,
    config: MatrixFactorizationConfig,
    variance: Array,
    seed: int,
) -> _Fitted:
    """Sweep over users and films in turn, from films at random and users who are all alike."""
    n_users, n_items, size = len(train.users), len(train.items), len(variance)
    user_side = Side(train.user_index, train.item_index, residuals, (n_users, n_items))
    film_side = Side(train.item_index, train.user_index, residuals, (n_items, n_users))
    first = np.random.default_rng(seed).normal(0, np.sqrt(variance), (n_items, size))
    users = Belief(np.zeros((n_users, size)), np.zeros((n_users, size, size)))
    films = Belief(first, np.zeros((n_items, size, size)))
    user_prior = film_prior = Prior(np.zeros(size), np.diag(1 / (_WIDE * variance)))
    noise, losses = max(float(residuals.var()), _LEAST_SPREAD**2), list[float]()
    with progress_bar("Training ranking", config.sweeps, "sweeps") as advance:
        for sweep in range(config.sweeps):
            if sweep > 0:
                user_prior = user_side.prior(users, variance, config.prior_rows)
                film_prior = film_side.prior(films, variance, config.prior_rows)
            users = user_side.evidence(films).belief(user_prior, noise)
            evidence = film_side.evidence(users)
            films = evidence.belief(film_prior, noise)
            noise = evidence.squared_error(films) / len(train)
            losses.append(noise**0.5)
            advance(sweep + 1, losses[-1])
    return _Fitted(users, films, user_prior, film_prior, tuple(losses))
