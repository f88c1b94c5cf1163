# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The two-tower retrieval model: one tower embeds the user, one the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.losses import (
    full_softmax,
    grouped_softmax,
    in_batch_softmax,
)
from matinee.retrieval.metrics import FactorizedTopK
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding
from matinee.towers.inputs import Batches, Ids, encode, vocabulary_of

# 1,024 rows of scores over a catalogue of thousands still fit a cache.
_EVALUATION_ROWS = 1024


class RetrievalModel(keras.Model):
    """Two towers whose inner product says how well a film suits a user.

    Used as any Keras model: `compile(optimizer=...)`, `fit(ratings)`, `evaluate(ratings,
    return_dict=True)`. Inputs are `Ratings`, or dictionaries with `user_id` and `movie_id`.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights, the order of the batches and the unknowns.
    """

    def __init__(
        self, users: Ids, movies: Ids, config: RetrievalConfig | None = None, *, seed: int = 42
    ) -> None:
        super().__init__(name="retrieval")
        self.config = config = config or RetrievalConfig()
        self.users = vocabulary_of(users, "user")
        self.movies = vocabulary_of(movies, "movie")
        self.seed = seed
        towers = [("user", self.users, seed), ("movie", self.movies, seed + 1)]
        self.user_model, self.movie_model = (
            IdEmbedding(
                len(vocabulary),
                config.embedding_size,
                initial_range=config.initial_range,
                seed=tower_seed,
                name=f"{name}_model",
            )
            for name, vocabulary, tower_seed in towers
        )
        if config.film_bias:
            self.film_bias = self.add_weight(
                shape=(len(self.movies),), initializer="zeros", name="film_bias"
            )
        else:
            self.film_bias = None
        self.log_probability = self.add_weight(
            shape=(len(self.movies) + 1,), initializer="zeros", trainable=False, name="log_q"
        )
        self.factorized_top_k = FactorizedTopK()
        self.mean_loss = keras.metrics.Mean(name="mean_loss")
        self.built = True

    def call(self, features: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Vectors of both towers: `user` and `movie`, float32 [b, d] each."""
        return {
            "user": self.user_model(features["user_index"]),
            "movie": self.movie_model(features["movie_index"]),
        }

    def __call__(self, features: Any, **options: Any) -> Any:
        """Vectors of both towers, for ratings, external ids or numbers."""
        return super().__call__(encode(features, self.users, self.movies), **options)

    def fit(
        self, x: Any, *, batch_size: int | None = None, epochs: int | None = None, **options: Any
    ) -> Any:
        """Train; sizes that are not given are those of the configuration."""
        features = encode(x, self.users, self.movies)
        counts = np.bincount(features["movie_index"], minlength=len(self.movies) + 1)
        probability = np.maximum(counts, 1) / max(len(features["movie_index"]), 1)
        self.log_probability.assign(np.log(probability).astype(np.float32))
        rate = self.config.unknown_rate
        unknown = {"user_index": (rate, len(self.users))}
        if self.config.loss == "in-batch":
            # The full softmax trains every film, as a negative at least: none is unknown to it.
            unknown["movie_index"] = (rate, len(self.movies))
        batches = Batches(features, batch_size or self.config.batch_size, self.seed, unknown)
        history = super().fit(
            batches, shuffle=False, epochs=epochs or self.config.epochs, **options
        )
        users = np.bincount(features["user_index"], minlength=len(self.users) + 1)
        self.user_model.fill_untrained(users[:-1])
        if self.config.loss == "in-batch":
            self.movie_model.fill_untrained(counts[:-1])
        return history

    def evaluate(
        self, x: Any, *, batch_size: int | None = None, return_dict: bool = False, **options: Any
    ) -> Any:
        """Loss and top-k accuracy over the whole catalogue, films already seen left in.

        Returns:
            `loss` and `factorized_top_k/top_{1,5,10,50,100}_categorical_accuracy` as a
            dictionary, or as a list in that order.
        """
        features = encode(x, self.users, self.movies)
        batches = Batches.even(features, batch_size or _EVALUATION_ROWS)
        logs = super().evaluate(batches, return_dict=True, **options)
        accuracy = self.factorized_top_k.result()
        logs |= {name: float(ops.convert_to_numpy(value)) for name, value in accuracy.items()}
        return logs if return_dict else list(logs.values())

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The softmax loss of a batch, plus the regularization of its vectors."""
        config = self.config
        softmax = self._full_loss if config.loss == "full" else self._in_batch_loss
        loss, weights = softmax(x, y_pred), x["weight"]
        if training and config.l2 > 0:
            squares = ops.sum(ops.square(y_pred["user"]) + ops.square(y_pred["movie"]), axis=1)
            size = ops.sum(weights) if config.reduction == "mean" else 1.0
            loss = loss + config.l2 * ops.sum(weights * squares) / size
        if not training:
            table = self.movie_model.table[:-1]
            self.factorized_top_k.update_state(
                y_pred["user"], table, x["movie_index"], self._bias(), weights
            )
        self.mean_loss.update_state(loss, ops.sum(weights))
        return loss

    def _bias(self) -> Any:
        return None if self.film_bias is None else ops.convert_to_tensor(self.film_bias)

    def _full_loss(self, x: Mapping[str, Any], towers: Mapping[str, Any]) -> Any:
        # A film outside the vocabulary is no column of the softmax.
        known = x["movie_index"] < len(self.movies)
        movies, table = ops.where(known, x["movie_index"], 0), self.movie_model.table[:-1]
        options: dict[str, Any] = {
            "bias": self._bias(),
            "weights": ops.cast(known, "float32") * x["weight"],
            "temperature": self.config.temperature,
            "reduction": self.config.reduction,
        }
        if len(self.users) < self.config.batch_size:
            users = self.user_model.table.value
            return grouped_softmax(
                users, table, x["user_index"], movies, negatives="catalogue", **options
            )
        return full_softmax(towers["user"], table, movies, **options)

    def _in_batch_loss(self, x: Mapping[str, Any], towers: Mapping[str, Any]) -> Any:
        config, users, movies = self.config, x["user_index"], x["movie_index"]
        # The unknown film's bias is 0.
        bias = self._bias()
        bias = None if bias is None else ops.pad(bias, ((0, 1),))
        sampling = self.log_probability.value if config.correct_popularity else None
        options: dict[str, Any] = {
            "weights": x["weight"],
            "temperature": config.temperature,
            "mask_accidental_hits": config.mask_accidental_hits,
            "reduction": config.reduction,
        }
        # Grouping pays where ids repeat a lot; else blocks of the plain logits are faster.
        rows = min(len(self.users) + 1, config.batch_size)
        if 2 * rows * (len(self.movies) + 1) < config.batch_size**2:
            tables = self.user_model.table.value, self.movie_model.table.value
            return grouped_softmax(
                *tables, users, movies, bias=bias, log_sampling_probability=sampling, **options
            )
        return in_batch_softmax(
            towers["user"],
            towers["movie"],
            movies,
            bias=None if bias is None else ops.take(bias, movies),
            log_sampling_probability=None if sampling is None else ops.take(sampling, movies),
            **options,
        )

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """The loss alone: `evaluate` adds the top-k accuracy when the last batch is counted."""
        return {"loss": self.mean_loss.result()}


class MovieLensRetrieval(RetrievalModel):
    """The retrieval model in the seed program's configuration."""
