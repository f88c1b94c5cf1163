# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The models that predict stars: TwoTowerModel, and MovieLensRanking, which trains it."""

from __future__ import annotations

from typing import Any

import numpy as np

from matinee.errors import ConfigError
from matinee.ranking.config import RankingConfig
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding, uniform
from matinee.towers.inputs import Batches, Features, Ids, encode, vocabulary_of


class TwoTowerModel(keras.Model):
    """Stars from the user's and the film's vectors, side by side through dense layers.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights and the unknowns.
    """

    def __init__(
        self, users: Ids, movies: Ids, config: RankingConfig | None = None, *, seed: int = 42
    ) -> None:
        super().__init__(name="two_tower")
        self.config = config = config or RankingConfig()
        self.users = vocabulary_of(users, "user")
        self.movies = vocabulary_of(movies, "movie")
        self.user_embeddings, self.user_bias = self._tower("user", self.users, seed)
        self.movie_embeddings, self.movie_bias = self._tower("movie", self.movies, seed + 2)
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean")
        layers: list[Any] = []
        for place, width in enumerate((*config.hidden, 1)):
            inputs = (2 * config.embedding_size, *config.hidden)[place]
            if config.dropout > 0:
                layers.append(keras.layers.Dropout(config.dropout, seed=seed + 10 + place))
            layers.append(
                keras.layers.Dense(
                    width,
                    activation="relu" if place < len(config.hidden) else None,
                    kernel_initializer=uniform((6.0 / (inputs + width)) ** 0.5, seed + 20 + place),
                )
            )
        self.ratings = keras.Sequential(layers, name="ratings")
        self.ratings.build((None, 2 * config.embedding_size))
        self.built = True

    def _tower(self, name: str, ids: Any, seed: int) -> tuple[IdEmbedding, IdEmbedding | None]:
        config = self.config
        vectors = IdEmbedding(
            len(ids),
            config.embedding_size,
            seed=seed,
            name=f"{name}_embeddings",
        )
        if not config.biases:
            return vectors, None
        bias = IdEmbedding(
            len(ids),
            1,
            seed=seed,
            initial_range=1e-6,
            name=f"{name}_bias",
        )
        return vectors, bias

    def call(self, features: Any, training: bool = False) -> Any:
        """Stars float32 [b, 1] of (user numbers, film numbers), int32 [b] each."""
        users, movies = features["user_index"], features["movie_index"]
        user, movie = self.user_embeddings(users), self.movie_embeddings(movies)
        stars = self.ratings(ops.concatenate([user, movie], axis=1), training=training)
        if training and self.config.l2 > 0:
            squares = ops.sum(ops.square(user) + ops.square(movie), axis=1)
            self.add_loss(self.config.l2 * _mean(squares, features["weight"]))
        if self.user_bias is None or self.movie_bias is None:
            return stars
        user_bias, movie_bias = self.user_bias(users), self.movie_bias(movies)
        if training and self.config.bias_l2 > 0:
            squares = ops.sum(ops.square(user_bias) + ops.square(movie_bias), axis=1)
            self.add_loss(self.config.bias_l2 * _mean(squares, features["weight"]))
        return stars + self.mean + user_bias + movie_bias

    def __call__(self, features: Any, **options: Any) -> Any:
        """Stars, for ratings, a dictionary of ids, or a pair (user ids, film ids)."""
        if isinstance(features, tuple):
            features = {"user_id": features[0], "movie_id": features[1]}
        return super().__call__(encode(features, self.users, self.movies), **options)

    def fill_untrained(self, features: Features) -> None:
        """Give users and films without a training rating the values of the unknown ones."""
        for tables, name, size in (
            ((self.user_embeddings, self.user_bias), "user_index", len(self.users)),
            ((self.movie_embeddings, self.movie_bias), "movie_index", len(self.movies)),
        ):
            counts = np.bincount(features[name], minlength=size + 1)[:size]
            for table in tables:
                if table is not None:
                    table.fill_untrained(counts)


class MovieLensRanking(keras.Model):
    """Trains a `TwoTowerModel` on stars: mean squared error, root mean squared error as metric.

    Used as any Keras model: `compile(optimizer=...)`, `fit(ratings)`, `evaluate(ratings,
    return_dict=True)`; calling it with `user_id` and `movie_id` predicts stars.
    """

    def __init__(
        self, users: Ids, movies: Ids, config: RankingConfig | None = None, *, seed: int = 42
    ) -> None:
        super().__init__(name="ranking")
        self.ranking_model = TwoTowerModel(users, movies, config, seed=seed)
        self.config = self.ranking_model.config
        self.users = self.ranking_model.users
        self.movies = self.ranking_model.movies
        self.seed = seed
        self.mean_squared_error = keras.metrics.Mean(name="mean_squared_error")
        self.built = True

    def call(self, features: Any, training: bool = False) -> Any:
        """Stars float32 [b, 1]."""
        return self.ranking_model(features, training=training)

    def __call__(self, features: Any, **options: Any) -> Any:
        """Stars, for ratings, external ids or numbers."""
        return super().__call__(encode(features, self.users, self.movies), **options)

    def fit(
        self, x: Any, *, batch_size: int | None = None, epochs: int | None = None, **options: Any
    ) -> Any:
        """Train; sizes that are not given are those of the configuration."""
        features = self._rated(x)
        if self.config.biases:
            self.ranking_model.mean.assign(float(features["user_rating"].mean()))
        rate = self.config.unknown_rate
        unknown = {
            "user_index": (rate, len(self.users)),
            "movie_index": (rate, len(self.movies)),
        }
        batches = Batches(features, batch_size or self.config.batch_size, self.seed, unknown)
        history = super().fit(
            batches, shuffle=False, epochs=epochs or self.config.epochs, **options
        )
        self.ranking_model.fill_untrained(features)
        return history

    def evaluate(self, x: Any, *, batch_size: int | None = None, **options: Any) -> Any:
        """Mean squared error and `root_mean_squared_error`."""
        features = self._rated(x)
        return super().evaluate(
            Batches.even(features, batch_size or self.config.batch_size), **options
        )

    def _rated(self, x: Any) -> Features:
        features = encode(x, self.users, self.movies)
        if "user_rating" not in features:
            raise ConfigError(
                f"features {sorted(features)} have no stars; expected user_rating too; add it"
            )
        return features

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Mean squared error of a batch, plus the regularization while training."""
        errors = ops.square(ops.squeeze(y_pred, axis=1) - x["user_rating"])
        loss = _mean(errors, x["weight"])
        self.mean_squared_error.update_state(loss, ops.sum(x["weight"]))
        return loss + sum(self.losses)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """The mean squared error and its root."""
        mean = self.mean_squared_error.result()
        return {"loss": mean, "root_mean_squared_error": ops.sqrt(mean)}


def _mean(values: Any, weights: Any) -> Any:
    return ops.sum(values * weights) / ops.sum(weights)
