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
from matinee.ranking.history import latest
from matinee.ranking.layers import Attention, Crosses, FeatureVectors, dense_layers
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding
from matinee.towers.inputs import Features, Ids, encode, vocabulary_of
from matinee.towers.model import TowerModel
from matinee.types import FloatArray

# What is known beside the ratings: a row for each user, and one for each film, with mean 0.
Sides = tuple[NDArray[Any], NDArray[Any]]


class TwoTowerModel(keras.Model):
    """Stars from the user's and the film's vectors, side by side through dense layers.

    Where the settings ask for it, vectors of their features and what the user's history says of
    the film stand beside them, and all pass cross layers first.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights and of the dropout.
        sides: features [n_users, f] and [n_items, g], for settings with a `feature_size`.

    Raises:
        ConfigError: settings with a `feature_size` and no features, or too few of them.
    """

    def __init__(
        self,
        users: Ids,
        movies: Ids,
        *,
        config: RankingConfig | None = None,
        seed: int = 42,
        sides: Sides | None = None,
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
        self.user_features = self.movie_features = None
        if config.feature_size:
            self.user_features, self.movie_features = self._feature_vectors(sides, seed)
        self.attention = None
        width = 2 * (size + config.feature_size)
        if config.history:
            self.attention = Attention(
                len(self.users), config.history, size, seed=[seed, 1 << 10], name="attention"
            )
            width += size + 1
        self.crosses = None
        if config.crosses:
            self.crosses = Crosses(config.crosses, width, seed=[seed, 1 << 11], name="crosses")
        self.ratings = dense_layers(width, config.hidden, config.dropout, self.crosses, seed)
        self.built = True

    def _table(self, name: str, ids: Any, width: int, seed: Sequence[int]) -> IdEmbedding:
        limit = 0.05 if width > 1 else 1e-6
        return IdEmbedding(len(ids), width, seed=seed, initial_range=limit, name=name)

    def _feature_vectors(self, sides: Sides | None, seed: int) -> list[FeatureVectors]:
        size, given = self.config.feature_size, [len(side) for side in sides or ()]
        if sides is None or given != [len(self.users), len(self.movies)]:
            raise ConfigError(
                f"feature_size = {size} and features of {given} users and films; expected those of "
                f"{[len(self.users), len(self.movies)]}; give them as `sides`"
            )
        return [
            FeatureVectors(side, size, seed=[seed, 1 << 12, place], name=name)
            for place, (side, name) in enumerate(
                zip(sides, ("user_features", "movie_features"), strict=True)
            )
        ]

    def call(self, features: Any, training: bool = False) -> Any:
        """Stars float32 [b, 1] of `user_index` and `movie_index`, int32 [b] each.

        `user_row` and `movie_row`, where they are given, say whose features and history to read,
        so that training can hide who somebody is and yet tell what they rated.
        """
        users, movies = features["user_index"], features["movie_index"]
        user_rows, movie_rows = features.get("user_row", users), features.get("movie_row", movies)
        vectors = [self.user_embeddings(users), self.movie_embeddings(movies)]
        if self.user_features is not None and self.movie_features is not None:
            vectors.insert(1, self.user_features(user_rows))
            vectors.append(self.movie_features(movie_rows))
        if self.attention is not None:
            vectors.append(self._attended(user_rows, movie_rows, self.movie_embeddings(movies)))
        stars = self.ratings(ops.concatenate(vectors, axis=1), training=training)
        if self.user_bias is None or self.movie_bias is None:
            return stars
        return stars + self.mean + self.user_bias(users) + self.movie_bias(movies)

    def _attended(self, users: Any, movies: Any, candidates: Any) -> Any:
        """What the users' histories say of the films; of stars, how far they are from others'."""
        assert self.attention is not None  # noqa: S101 - for the type checker
        films, stars = self.attention.histories(users, movies)
        there = films >= 0
        films = ops.where(there, films, len(self.movies))
        stars = stars - self.mean
        if self.movie_bias is not None:
            stars = stars - ops.stop_gradient(self.movie_bias(films)[..., 0])
        return self.attention(candidates, self.movie_embeddings(films), stars, there)

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
        sides: see `TwoTowerModel`.
    """

    def __init__(
        self,
        users: Ids,
        movies: Ids,
        *,
        config: RankingConfig | None = None,
        seed: int = 42,
        sides: Sides | None = None,
    ) -> None:
        super().__init__(users, movies, config or RankingConfig(), seed, "ranking")
        self.ranking_model = TwoTowerModel(
            self.users, self.movies, config=self.config, seed=seed, sides=sides
        )
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

    def encode_all(self, x: Any) -> Features:
        """The columns of a whole dataset, checked, and those that `TwoTowerModel` may read."""
        features = super().encode_all(x)
        if not (self.config.history or self.config.feature_size):
            return features
        rows = {"user_row": features["user_index"], "movie_row": features["movie_index"]}
        return features | rows

    def prepare(self, features: Features) -> None:
        """Start from the mean of the stars, where the model has biases, and read the histories."""
        model, config = self.ranking_model, self.config
        if config.biases:
            model.mean.assign(float(features["user_rating"].mean()))
        if model.attention is not None:
            users, movies = features["user_index"], features["movie_index"]
            rated = latest(users, movies, features["user_rating"], len(self.users), config.history)
            model.attention.read(*rated)

    def unknown(self) -> dict[str, tuple[float, int]]:
        """Hides ids and, apart from them, what the users rated and their features."""
        hidden = dict(super().unknown())
        if self.config.history or self.config.feature_size:
            hidden["user_row"] = hidden["user_index"]
        return hidden

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
