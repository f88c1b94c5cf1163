# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The two-tower retrieval model: one tower embeds the user, one the film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.losses import full_softmax, grouped_softmax, in_batch_softmax
from matinee.retrieval.metrics import FactorizedTopK
from matinee.retrieval.sampled import certain_negatives, draw, sampled_softmax
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding
from matinee.towers.inputs import Features, Ids
from matinee.towers.model import TowerModel
from matinee.towers.parallel import parted
from matinee.types import FloatArray

# Where a batch has its users and films once each; see `Batches`.
_USERS, _FILMS = "user_index/distinct", "movie_index/distinct"


class MovieLensRetrieval(TowerModel):
    """Two towers whose inner product says how well a film suits a user.

    A Keras model: `compile(optimizer=...)`, `fit(ratings)`, `evaluate(ratings, return_dict=True)`;
    `TowerModel` says what it takes for ratings.

    Args:
        users: the users' vocabulary, or their ids.
        movies: the films' vocabulary, or their ids.
        config: settings; the defaults are the seed program's.
        seed: of the initial weights, the order of the batches and the unknowns.
        user_features: float32 [n_users, f], whose projection is a part of the users' vectors.
        film_features: float32 [n_items, g], likewise of the films'.
    """

    def __init__(
        self,
        users: Ids,
        movies: Ids,
        *,
        config: RetrievalConfig | None = None,
        seed: int = 42,
        user_features: FloatArray | None = None,
        film_features: FloatArray | None = None,
    ) -> None:
        super().__init__(users, movies, config or RetrievalConfig(), seed, "retrieval")
        self.user_model = self._tower("user_model", len(self.users), 0, user_features)
        self.movie_model = self._tower("movie_model", len(self.movies), 1, film_features)
        self.film_bias: Any = None
        if self.config.film_bias:
            self.film_bias = self.add_weight(
                shape=(len(self.movies),), initializer="zeros", name="film_bias"
            )
        self.softmax = self.config.loss
        if self.softmax == "auto":
            small = len(self.movies) <= self.config.batch_size
            self.softmax = "full" if small else "in-batch"
        self.log_probability = self.add_weight(
            shape=(len(self.movies) + 1,), initializer="zeros", trainable=False, name="log_q"
        )
        self.together = self.config.together
        self._random: Any = None
        if self.softmax == "sampled":
            self._random = keras.random.SeedGenerator(seed)
        if not parted():
            # Equal rows of logits are added up, and where columns are the batch's, these too.
            grouped = (
                ("user_index", "movie_index") if self.softmax == "in-batch" else ("user_index",)
            )
            self.distinct = dict.fromkeys(grouped, 0)
        self.factorized_top_k = FactorizedTopK()
        self.mean_loss = keras.metrics.Mean(name="mean_loss")
        self.mean_regularization = keras.metrics.Mean(name="mean_regularization")
        self.built = True

    def _tower(self, name: str, size: int, stream: int, features: FloatArray | None) -> IdEmbedding:
        return IdEmbedding(
            size,
            self.config.embedding_size,
            initial_range=self.config.initial_range,
            seed=[self.seed, stream],
            features=features,
            name=name,
        )

    def call(self, features: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Vectors of both towers: `user` and `movie`, float32 [b, d] each."""
        return {
            "user": self.vectors(features, "user_index"),
            "movie": self.vectors(features, "movie_index"),
        }

    @property
    def tables(self) -> dict[str, IdEmbedding]:
        """By column of numbers, the layer that has their vectors."""
        return {"user_index": self.user_model, "movie_index": self.movie_model}

    def unknown(self) -> Mapping[str, tuple[float, int]]:
        """As in `TowerModel`, but only in-batch does the softmax leave films untrained."""
        both = super().unknown()
        return both if self.softmax == "in-batch" else {"user_index": both["user_index"]}

    def prepare(self, features: Features) -> None:
        """Note how likely each film, and the unknown one, is in a batch, or to be drawn."""
        counts = np.bincount(features["movie_index"], minlength=len(self.movies) + 1)
        probability = np.maximum(counts, 1) / len(features["movie_index"])
        rate = self.config.unknown_rate
        if self.softmax == "sampled":
            probability[:-1] /= probability[:-1].sum()
        else:
            probability *= 1 - rate
            probability[-1] += rate
        self.log_probability.assign(np.log(probability).astype(np.float32))

    def finish(self) -> None:
        """Give users without a rating the unknown one's vector; films too, unless full."""
        hidden = self.config.unknown_rate > 0
        self.user_model.fill_untrained(self.counts["user_index"][:-1], hidden)
        if self.softmax == "in-batch":
            counts = self.counts["movie_index"][:-1]
            self.movie_model.fill_untrained(counts, hidden)
            if self.config.correct_popularity:
                self._lower_untrained(counts)

    def _lower_untrained(self, counts: NDArray[np.int64]) -> None:
        """Rate the films without a rating as rare as one with a single rating.

        Corrected scores are log probabilities, and the unknown film, whose vector they have got,
        is as probable as all the hidden ones together.
        """
        bias = np.array(ops.convert_to_numpy(self.film_bias.value))
        rate, ratings = self.config.unknown_rate, counts.sum()
        lowest = -np.log(max(rate * ratings, 1.0)) if rate > 0 else bias.min(initial=0.0)
        bias[counts == 0] = lowest
        self.film_bias.assign(bias)

    def gathered(self) -> tuple[FloatArray, FloatArray]:
        """All users' and all films' vectors, float32 [n + 1, d] each, in process 0.

        All processes that train together must call this; the others get nothing of use.
        """
        return self.user_model.gathered(), self.movie_model.gathered()

    def evaluate(self, x: Any, *, return_dict: bool = False, **options: Any) -> Any:
        """Losses, and top-k accuracy over the whole catalogue, films already seen left in.

        Returns:
            `factorized_top_k/top_{1,5,10,50,100}_categorical_accuracy`, `loss` (of batches of
            1,024 ratings unless `batch_size` says otherwise), `regularization_loss` and
            `total_loss` as a dictionary, or as a list in that order.
        """
        logs = super().evaluate(x, return_dict=True, **options)
        accuracy = self.factorized_top_k.result()
        found = {name: float(ops.convert_to_numpy(value)) for name, value in accuracy.items()}
        found |= logs
        return found if return_dict else list(found.values())

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The softmax loss of a batch plus the regularization of its vectors."""
        weights, size = x["weight"], ops.sum(x["weight"])
        losses = {"full": self._full_loss, "sampled": self._sampled_loss}
        loss = losses.get(self.softmax, self._in_batch_loss)(x, y_pred)
        regularization = ops.zeros_like(loss)
        if self.config.l2 > 0:
            squares = ops.sum(ops.square(y_pred["user"]) + ops.square(y_pred["movie"]), axis=1)
            regularization = self.config.l2 * ops.sum(weights * squares)
            if self.config.reduction == "mean":
                regularization = regularization / size
        self.mean_loss.update_state(loss, size)
        self.mean_regularization.update_state(regularization, size)
        if not training:
            # As the retriever scores: products over the temperature, plus the films' bias.
            queries = y_pred["user"] / self.config.temperature
            table = self.movie_model.vectors()[:-1]
            self.factorized_top_k.update_state(
                queries, table, x["movie_index"], self._bias(), weights
            )
        return loss + regularization

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """The losses alone: `evaluate` adds the top-k accuracy when the last batch is counted."""
        loss, regularization = self.mean_loss.result(), self.mean_regularization.result()
        return {
            "loss": loss,
            "regularization_loss": regularization,
            "total_loss": loss + regularization,
        }

    def _bias(self) -> Any:
        return None if self.film_bias is None else ops.convert_to_tensor(self.film_bias)

    def _options(self) -> dict[str, Any]:
        return {"temperature": self.config.temperature, "reduction": self.config.reduction}

    def _known(self, x: Mapping[str, Any]) -> tuple[Any, Any]:
        """The batch's films and weights: one outside the vocabulary is no column of a softmax."""
        known = x["movie_index"] < len(self.movies)
        weights = ops.cast(known, "float32") * x["weight"]
        return ops.where(known, x["movie_index"], 0), weights

    def _full_loss(self, x: Mapping[str, Any], towers: Mapping[str, Any]) -> Any:
        movies, weights = self._known(x)
        table = self.movie_model.vectors()[:-1]
        options = self._options() | {"bias": self._bias(), "weights": weights}
        if _USERS in x:
            users, places = self.distinct_vectors(x, "user_index"), x["user_index/place"]
            return grouped_softmax(users, table, places, movies, negatives="catalogue", **options)
        return full_softmax(towers["user"], table, movies, **options)

    def _sampled_loss(self, x: Mapping[str, Any], towers: Mapping[str, Any]) -> Any:
        config, (movies, weights) = self.config, self._known(x)
        queries, table = towers["user"] / config.temperature, self.movie_model.vectors()[:-1]
        bias = ops.zeros_like(table[:, 0]) if self.film_bias is None else self._bias()
        log_chance = self.log_probability.value[:-1]
        options = {"bias": bias, "weights": weights}
        certain = certain_negatives(
            queries,
            table,
            movies,
            in_batch=config.in_batch_negatives,
            hard=config.hard_negatives,
            **options,
        )
        drawn = draw(ops.cumsum(ops.exp(log_chance)), config.negatives, self._random)
        total = sampled_softmax(
            queries, table, movies, drawn, log_chance, certain_numbers=certain, **options
        )
        return total if config.reduction == "sum" else total / ops.maximum(ops.sum(weights), 1.0)

    def _in_batch_loss(self, x: Mapping[str, Any], towers: Mapping[str, Any]) -> Any:
        config = self.config
        # The unknown film's bias is 0.
        bias = None if self.film_bias is None else ops.pad(self._bias(), ((0, 1),))
        sampling = self.log_probability.value if config.correct_popularity else None
        options = self._options() | {
            "weights": x["weight"],
            "mask_accidental_hits": config.mask_accidental_hits,
        }
        columns = x.get(_FILMS, x["movie_index"])
        if _FILMS not in x and len(self.movies) < self.config.batch_size:
            # The parts of a batch share one set of columns, which is all films.
            options |= {"bias": bias, "log_sampling_probability": sampling}
            films = self.movie_model.vectors()
            return grouped_softmax(towers["user"], films, None, columns, **options)
        options |= {
            "bias": None if bias is None else ops.take(bias, columns),
            "log_sampling_probability": None if sampling is None else ops.take(sampling, columns),
        }
        if _FILMS in x:
            return grouped_softmax(
                self.distinct_vectors(x, "user_index"),
                self.distinct_vectors(x, "movie_index"),
                x["user_index/place"],
                x["movie_index/place"],
                **options,
            )
        return in_batch_softmax(towers["user"], towers["movie"], columns, **options)
