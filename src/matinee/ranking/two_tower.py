# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The models that predict stars: TwoTowerModel, and MovieLensRanking, which trains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.ranking.config import RankingConfig
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding, uniform
from matinee.towers.inputs import Features, Ids, encode, vocabulary_of
from matinee.towers.model import TowerModel
from matinee.types import FloatArray


class TwoTowerModel(keras.Model):
    """Stars from the user's and the film's vectors, side by side through dense layers.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights and of the dropout.
    """

    def __init__(
        self, users: Ids, movies: Ids, *, config: RankingConfig | None = None, seed: int = 42
    ) -> None:
        super().__init__(name="two_tower")
        self.config = config = config or RankingConfig()
        self.users = vocabulary_of(users, "user")
        self.movies = vocabulary_of(movies, "movie")
        size = config.embedding_size
        self.user_embeddings = self._table("user_embeddings", self.users, size, [seed, 0])
        self.movie_embeddings = self._table("movie_embeddings", self.movies, size, [seed, 1])
        self.user_bias = self.movie_bias = None
        if config.biases:
            self.user_bias = self._table("user_bias", self.users, 1, [seed, 2])
            self.movie_bias = self._table("movie_bias", self.movies, 1, [seed, 3])
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean")
        self.ratings = self._dense_layers(seed)
        self.built = True

    def _table(self, name: str, ids: Any, width: int, seed: Sequence[int]) -> IdEmbedding:
        limit = 0.05 if width > 1 else 1e-6
        return IdEmbedding(len(ids), width, seed=seed, initial_range=limit, name=name)

    def _dense_layers(self, seed: int) -> Any:
        config = self.config
        layers: list[Any] = []
        inputs = 2 * config.embedding_size
        for place, width in enumerate((*config.hidden, 1)):
            if config.dropout > 0:
                layers.append(keras.layers.Dropout(config.dropout, seed=seed + place))
            # Glorot & Bengio 2010.
            kernel = uniform((6.0 / (inputs + width)) ** 0.5, [seed, 4 + place])
            activation = "relu" if place < len(config.hidden) else None
            layers.append(
                keras.layers.Dense(width, activation=activation, kernel_initializer=kernel)
            )
            inputs = width
        ratings = keras.Sequential(layers, name="ratings")
        ratings.build((None, 2 * config.embedding_size))
        return ratings

    def call(self, features: Any, training: bool = False) -> Any:
        """Stars float32 [b, 1] of `user_index` and `movie_index`, int32 [b] each."""
        users, movies = features["user_index"], features["movie_index"]
        vectors = [self.user_embeddings(users), self.movie_embeddings(movies)]
        stars = self.ratings(ops.concatenate(vectors, axis=1), training=training)
        if self.user_bias is None or self.movie_bias is None:
            return stars
        return stars + self.mean + self.user_bias(users) + self.movie_bias(movies)

    def __call__(self, features: Any, **options: Any) -> Any:
        """Stars, for ratings, a dictionary of ids, or a pair (user ids, film ids)."""
        if isinstance(features, tuple):
            features = {"user_id": features[0], "movie_id": features[1]}
        return super().__call__(encode(features, self.users, self.movies), **options)

    def squares(self, features: Any) -> Any:
        """The weighted squares of each pair's vectors and biases: float32 [b]."""
        users, movies = features["user_index"], features["movie_index"]
        total = ops.zeros(())
        for weight, user, movie in (
            (self.config.l2, self.user_embeddings, self.movie_embeddings),
            (self.config.bias_l2, self.user_bias, self.movie_bias),
        ):
            if weight > 0 and user is not None and movie is not None:
                both = ops.square(user(users)) + ops.square(movie(movies))
                total = total + weight * ops.sum(both, axis=1)
        return total

    def fill_untrained(self, users: NDArray[np.int64], movies: NDArray[np.int64]) -> None:
        """Give whoever has no training rating the values of the unknown one.

        Args:
            users: int64 [n_users], training ratings of each.
            movies: int64 [n_items], training ratings of each.
        """
        hidden = self.config.unknown_rate > 0
        for table, counts in (
            (self.user_embeddings, users),
            (self.user_bias, users),
            (self.movie_embeddings, movies),
            (self.movie_bias, movies),
        ):
            if table is not None:
                table.fill_untrained(counts, hidden)


class MovieLensRanking(TowerModel):
    """Trains a `TwoTowerModel` on stars: mean squared error, root mean squared error as metric.

    A Keras model: `compile(optimizer=...)`, `fit(ratings)`, `evaluate(ratings,
    return_dict=True)`; called with `user_id` and `movie_id` it predicts stars float32 [b, 1].
    `TowerModel` says what it takes for ratings.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights, the order of the batches and the unknowns.
    """

    def __init__(
        self, users: Ids, movies: Ids, *, config: RankingConfig | None = None, seed: int = 42
    ) -> None:
        super().__init__(users, movies, config or RankingConfig(), seed, "ranking")
        self.ranking_model = TwoTowerModel(self.users, self.movies, config=self.config, seed=seed)
        self.mean_squared_error = keras.metrics.Mean(name="mean_squared_error")
        self.mean_regularization = keras.metrics.Mean(name="mean_regularization")
        self.built = True

    def call(self, features: Any, training: bool = False) -> Any:
        """Stars float32 [b, 1]."""
        return self.ranking_model(features, training=training)

    def stars(self, user_id: str | int, movie_ids: Sequence[str | int]) -> FloatArray:
        """Stars float32 [k] that a user would give k films, by one call of the model.

        Raises:
            NotFoundError: a film that the model does not know.
        """
        self.movies.numbers(list(movie_ids))
        pairs = {"user_id": [user_id] * len(movie_ids), "movie_id": list(movie_ids)}
        return np.asarray(ops.convert_to_numpy(self(pairs)), np.float32)[:, 0]

    def evaluate(self, x: Any, *, return_dict: bool = False, **options: Any) -> Any:
        """How near the predicted stars are to those given.

        Returns:
            `root_mean_squared_error`, `loss` (the mean squared error), `regularization_loss` and
            `total_loss` as a dictionary, or as a list in that order.
        """
        logs = super().evaluate(x, return_dict=True, **options)
        names = ("root_mean_squared_error", "loss", "regularization_loss", "total_loss")
        found = {name: logs[name] for name in names}
        return found if return_dict else list(found.values())

    def prepare(self, features: Features) -> None:
        """Start from the mean of the stars, where the model has biases."""
        if self.config.biases:
            self.ranking_model.mean.assign(float(features["user_rating"].mean()))

    def finish(self) -> None:
        """See `TwoTowerModel.fill_untrained`."""
        counts = self.counts["user_index"][:-1], self.counts["movie_index"][:-1]
        self.ranking_model.fill_untrained(*counts)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Mean squared error of a batch plus the regularization."""
        if "user_rating" not in x:
            raise ConfigError(f"features {sorted(x)} have no stars; expected user_rating; add it")
        weights, size = x["weight"], ops.sum(x["weight"])
        errors = ops.square(ops.squeeze(y_pred, axis=1) - x["user_rating"])
        loss = ops.sum(weights * errors) / size
        regularization = ops.sum(weights * self.ranking_model.squares(x)) / size
        self.mean_squared_error.update_state(loss, size)
        self.mean_regularization.update_state(regularization, size)
        return loss + regularization

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """The root mean squared error and the losses."""
        loss, regularization = self.mean_squared_error.result(), self.mean_regularization.result()
        return {
            "root_mean_squared_error": ops.sqrt(loss),
            "loss": loss,
            "regularization_loss": regularization,
            "total_loss": loss + regularization,
        }
