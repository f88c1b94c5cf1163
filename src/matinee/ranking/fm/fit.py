"""Training: sweeps of draws, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed
from matinee.console import progress_bar
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.index.blocks import blas_on_one_thread
from matinee.ranking.fm.averages import MeanProduct, Variances
from matinee.ranking.fm.config import FactorizationMachineConfig
from matinee.ranking.fm.drift import Drift, Leaves
from matinee.ranking.fm.features import film_features, implicit_features, leading, user_features
from matinee.ranking.fm.gibbs import Effect, Prior, Side
from matinee.ranking.fm.ordinal import CutPoints, Levels, Output
from matinee.ranking.fm.ranker import FactorizationMachineRanker
from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]
Number = TypeVar("Number", np.float32, np.float64)

# Of the first vectors; all alike would stay so.
_FIRST = 0.1
_ADAPT_EVERY = 5


# Its products are too small to be shared among threads, which would wait for each other.
@blas_on_one_thread()
def fit_factorization_machine(
    train: Ratings,
    catalog: Catalog,
    config: FactorizationMachineConfig | None = None,
    *,
    seed: int = 42,
) -> FactorizationMachineRanker:
    """Draw a factorization machine from its posterior, and keep the average.

    The score of a rating is b_u + c_i + p_u · q_i + the user's drift at its time; the rating is
    at the level that the score plus normal noise falls into (`CutPoints`). A user's vector and bias
    are normal around a mean that is linear in the user's features and in which films they rated,
    and a film's likewise. This is the Bayesian factorization machine (Rendle 2012; Freudenthaler,
    Schmidt-Thieme & Rendle 2011) with features of two sides, the implicit feedback of SVD++
    (Koren 2008), and an ordinal output, as in myFM (Ohtsuki 2021); here whole vectors are drawn at
    once instead of numbers one by one. All precisions are drawn too, so nothing is left to
    regularize by hand.

    Args:
        train: the ratings.
        catalog: the films, for their genres and years.
        config: settings.
        seed: of all draws.

    Returns:
        The average of the draws. `losses` holds for each sweep the mean negative logarithm of the
        probability that the draw gave to the training stars.

    Raises:
        ConfigError: a seed out of range, or a catalogue of other films.
        DataError: there are no ratings.
    """
    config = config or FactorizationMachineConfig()
    check_seed(seed)
    catalog.check_items(train.items)
    if not len(train):
        raise DataError("no ratings to train on; expected at least one")
    sampler = _Sampler.of(train, catalog, config, seed)
    kept = _Kept.of(sampler, config)
    losses = list[float]()
    first = config.sweeps // 4
    with progress_bar("Training ranking", config.sweeps, "sweeps") as advance:
        for sweep in range(config.sweeps):
            losses.append(sampler.sweep(adapt=sweep < first and sweep % _ADAPT_EVERY == 0))
            if sweep >= first:
                kept.add(sweep - first)
            advance(sweep + 1, losses[-1])
    tensors = kept.tensors()
    return FactorizationMachineRanker(
        {name: np.array(value, np.float32) for name, value in tensors.items()},
        train,
        tuple(losses),
    )


def _prior(features: Array, implicit: Any, size: int, width: int, seed: int) -> Prior:
    parts = [leading(features, features.shape[1], seed), leading(implicit, size, seed)]
    return Prior(len(features), width, [Effect(part, width) for part in parts])


@dataclass(eq=False)
class _Sampler:
    """The state of the chain: everything drawn last."""

    train: Ratings
    rng: np.random.Generator
    levels: Levels
    cuts: CutPoints
    drift: Drift
    sides: tuple[Side, Side]
    priors: tuple[Prior, Prior]
    users: Array
    films: Array

    @classmethod
    def of(
        cls, train: Ratings, catalog: Catalog, config: FactorizationMachineConfig, seed: int
    ) -> _Sampler:
        rng = np.random.default_rng(seed)
        n_users, n_items, width = len(train.users), len(train.items), config.embedding_size + 1
        users, items = train.user_index, train.item_index
        rated = implicit_features(users, items, (n_users, n_items))
        raters = implicit_features(items, users, (n_items, n_users))
        levels = Levels.among(train.rating)
        first = [rng.normal(0, _FIRST, (size, width)) for size in (n_users, n_items)]
        size = config.implicit_size
        return cls(
            train,
            rng,
            levels,
            CutPoints(levels),
            Drift(train, Leaves.of(train, config.drift_leaves)),
            (Side.of(users, items, n_users), Side.of(items, users, n_items)),
            (
                _prior(user_features(train), rated, size, width, seed),
                _prior(film_features(catalog), raters, size, width, seed),
            ),
            *first,
        )

    def sweep(self, *, adapt: bool) -> float:
        """Draw everything anew; returns the ratings' mean negative log-likelihood."""
        users, films = self.train.user_index, self.train.item_index
        scores = self.scores(users, films) + self.drift.values
        if adapt:
            self.cuts.adapt(scores)
        likelihood, latent = self.cuts.draw(scores, self.rng)
        rest = latent - self.drift.values
        of_users, of_films = self.priors
        self.users = self.sides[0].draw(rest, _single(self.films), of_users, self.rng)
        of_users.draw(self.users, self.rng)
        self.films = self.sides[1].draw(rest, _single(self.users), of_films, self.rng)
        of_films.draw(self.films, self.rng)
        self.drift.draw(latent - self.scores(users, films), self.rng)
        return -likelihood / len(self.train)

    def scores(self, users: IntArray, films: IntArray) -> Array:
        """Scores float64 [n] of pairs of numbers, without the drift."""
        return score(_single(self.users)[users], _single(self.films)[films]).astype(np.float64)


def score(users: NDArray[Number], films: NDArray[Number]) -> NDArray[Number]:
    """Scores [n] of rows [n, d + 1] of vectors and biases."""
    product = np.einsum("nd,nd->n", users[:, :-1], films[:, :-1])
    return product + users[:, -1] + films[:, -1]


def _single(vectors: Array) -> FloatArray:
    return vectors.astype(np.float32)


@dataclass(eq=False)
class _Kept:
    """Sums over the draws, and some draws whole."""

    sampler: _Sampler
    product: MeanProduct
    variances: Variances
    wanted: set[int]
    rated: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    biases: tuple[Array, Array]
    cuts: Array
    drift: Array
    drift_squares: Array
    samples: dict[str, list[Array]]
    draws: int = 0

    @classmethod
    def of(cls, sampler: _Sampler, config: FactorizationMachineConfig) -> _Kept:
        n_users, n_items = len(sampler.users), len(sampler.films)
        kept = config.sweeps - config.sweeps // 4
        wanted = np.linspace(0, kept - 1, config.samples).round().astype(int)
        rated = (sampler.sides[0].counts > 0, sampler.sides[1].counts > 0)
        return cls(
            sampler,
            MeanProduct(config.table_size),
            Variances(n_users + 1, n_items + 1, sampler.rng),
            set(wanted.tolist()),
            rated,
            (np.zeros(n_users + 1), np.zeros(n_items + 1)),
            np.zeros(len(sampler.cuts.values)),
            np.zeros((n_users + 1, config.drift_leaves + 1)),
            np.zeros((n_users + 1, config.drift_leaves + 1)),
            {name: [] for name in ("films", "implicit", "average", "precision")},
        )

    def add(self, draw: int) -> None:
        """Another draw."""
        sampler = self.sampler
        self.draws += 1
        moods, table, squares = sampler.drift.tables()
        users = sampler.users.copy()
        users[:, -1] += moods
        expected = tuple(
            _with_unknown(np.where(rated[:, None], drawn, prior.mean), prior, rated)
            for drawn, prior, rated in zip(
                (users, sampler.films), sampler.priors, self.rated, strict=True
            )
        )
        self.product.add(expected[0][:, :-1], expected[1][:, :-1])
        for total, rows in zip(self.biases, expected, strict=True):
            total += rows[:, -1]
        drawn = [
            _with_unknown(rows, prior, rated, sampler.rng)
            for rows, prior, rated in zip(
                (users, sampler.films), sampler.priors, self.rated, strict=True
            )
        ]
        pairs = self.variances.users, self.variances.items
        self.variances.add(score(drawn[0][pairs[0]], drawn[1][pairs[1]]))
        self.cuts += sampler.cuts.values
        self.drift += table
        self.drift_squares += squares
        if draw in self.wanted:
            self._keep(drawn[1])

    def _keep(self, films: Array) -> None:
        prior = self.sampler.priors[0]
        sides, implicit = prior.effects
        average = prior.average + sides.values[self.rated[0]].mean(axis=0)
        weights = np.vstack([implicit.weights(), np.zeros(len(average))])
        found = (films, weights, average, prior.precision)
        for name, value in zip(self.samples, found, strict=True):
            self.samples[name].append(value)

    def tensors(self) -> dict[str, Array | FloatArray]:
        """What the ranker is made of; see `FactorizationMachineRanker.shapes`."""
        users, films = self.product.factors()
        user_variance, film_variance = self.variances.factors()
        leaves = self.sampler.drift.leaves
        drift = self.drift / self.draws
        of_films, implicit = (
            np.stack(self.samples[name], axis=1) for name in ("films", "implicit")
        )
        return {
            "user_vectors": users,
            "user_bias": self.biases[0] / self.draws,
            "user_variance": user_variance,
            "movie_vectors": films,
            "movie_bias": self.biases[1] / self.draws,
            "movie_variance": film_variance,
            "leaf_start": leaves.start,
            "leaf_ends": leaves.ends,
            "drift": drift,
            "drift_variance": np.maximum(self.drift_squares / self.draws - drift**2, 0),
            **Output.padded(self.sampler.levels.stars, self.cuts / self.draws),
            "sample_films": of_films,
            "sample_implicit": implicit,
            "sample_average": np.stack(self.samples["average"]),
            "sample_precision": np.stack(self.samples["precision"]),
        }


def _with_unknown(
    rows: Array, prior: Prior, rated: NDArray[np.bool_], rng: np.random.Generator | None = None
) -> Array:
    """Rows and, last, an unknown one: the mean of those rated, or a draw of anybody."""
    means = prior.mean[rated]
    unknown = means.mean(axis=0)
    if rng is not None:
        unknown = means[rng.integers(len(means))]
        unknown = unknown + rng.standard_normal(len(unknown)) / np.sqrt(prior.precision)
    return np.vstack([rows, unknown])
