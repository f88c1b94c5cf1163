# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The next-film model in Keras: films' vectors, and self-attention over a history of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.retrieval.losses import full_softmax
from matinee.retrieval.sampled import certain_negatives, draw, sampled_softmax
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.encoder import NORM_EPSILON, encoder_shapes
from matinee.towers.backend import keras, ops
from matinee.towers.embedding import uniform
from matinee.types import FloatArray

_INITIAL_RANGE = 0.05
_MASKED = -1e9


class SequenceModel(keras.Model):
    """Predicts at each place of a history the film that comes next.

    A film's vector is that of its id plus a projection of its features; the same vectors are
    read by the query tower and searched among (tied). What the tower reads at each place is
    √d · film + stars + time since the film before + position + user; pre-norm blocks of causal
    self-attention follow (Kang & McAuley 2018, "Self-Attentive Sequential Recommendation"), or one
    of means over all that was read (a bag, which has no positions), and a film's score is the inner
    product of the last norm's output with its vector, plus its bias.

    Args:
        features: float32 [n, f], of the films; see `film_features`.
        counts: int64 [n], training ratings of each film, at least one.
        config: settings.
        seed: of the initial weights, what is dropped, hidden and drawn.
        user_features: float32 [n_users, g], read at each place where the settings ask for them;
            its length is the number of users.
    """

    def __init__(
        self,
        features: FloatArray,
        counts: NDArray[np.int64],
        config: SequenceConfig,
        seed: int,
        user_features: FloatArray | None = None,
    ) -> None:
        super().__init__(name="sequence")
        self.config = config
        self._random = keras.random.SeedGenerator(seed)
        films, size = len(counts), config.embedding_size
        chance = counts / counts.sum()
        self._weight("film_ids", (films + 1, size), uniform(_INITIAL_RANGE, [seed, 0]))
        self._weight("film_features", (features.shape[1], size), "zeros")
        # From the start each film is as probable as it is popular.
        mean = float(np.log(chance).mean())
        self._weight("film_bias", (films + 1,), _constant(np.append(np.log(chance), mean)))
        for stream, (name, shape) in enumerate(encoder_shapes(config).items(), start=1):
            self._weight(name, shape, _initial(name, shape, [seed, stream]))
        self._user_features: Any = None
        if config.reads_users and user_features is not None:
            self._user_features = ops.convert_to_tensor(user_features)
            self._weight("user_features", (user_features.shape[1], size), "zeros")
            self._weight("user_ids", (len(user_features), size), "zeros")
        self._features = ops.convert_to_tensor(features)
        self._log_chance = ops.convert_to_tensor(np.log(chance).astype(np.float32))
        self._cumulated = ops.convert_to_tensor(np.cumsum(chance).astype(np.float32))
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> None:
        config = self.config
        used = {
            "star_vectors": config.read_stars,
            "gap_vectors": config.read_times,
            "film_features": config.film_features,
            "position_vectors": config.reading == "attention",
            "user_features": config.user_features,
            "user_ids": config.user_ids,
        }
        trained = used.get(name, True)
        weight = self.add_weight(
            shape=shape,
            initializer=initializer if trained else "zeros",
            trainable=trained,
            name=name,
        )
        setattr(self, name, weight)

    def learned(self) -> dict[str, FloatArray]:
        """The weights by name, as `Encoder` and its retriever read them."""
        weights = {
            variable.name: np.array(ops.convert_to_numpy(variable.value), np.float32)
            for variable in self.weights
        }
        if self.config.reading == "bag":
            # Whoever asks for nothing in particular weighs all alike.
            weights["attention_in"][:, :, :2] = 0
        return weights

    def films(self, hidden: Any = None) -> tuple[Any, Any]:
        """Vectors float32 [n, d] and biases float32 [n] of all films.

        Args:
            hidden: bool [n], whose id is not to be known.
        """
        ids, bias = self.film_ids * 1.0, self.film_bias * 1.0
        known, known_bias = ids[:-1], bias[:-1]
        if hidden is not None:
            known = ops.where(ops.expand_dims(hidden, 1), ids[-1:], known)
            known_bias = ops.where(hidden, bias[-1:], known_bias)
        if self.config.film_features:
            known = known + ops.matmul(self._features, self.film_features)
        return known, known_bias

    def call(self, columns: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """`query` float32 [b, l, d], a vector for each place; `table` and `bias` of the films."""
        hidden = None
        if training and self.config.unknown_rate:
            draws = keras.random.uniform((self.film_bias.shape[0] - 1,), seed=self._random)
            hidden = draws < self.config.unknown_rate
        table, bias = self.films(hidden)
        query = self.encode(table, columns, self._owners(columns), training=training)
        return {"query": query, "table": table, "bias": bias}

    def _owners(self, columns: Mapping[str, Any]) -> Any:
        if self._user_features is None:
            return None
        return ops.take(self.users(), columns["user"], axis=0)

    def users(self) -> Any:
        """What is read of each user beside the films: float32 [n_users, d]."""
        return ops.matmul(self._user_features, self.user_features) + self.user_ids

    def encode(
        self,
        table: Any,
        columns: Mapping[str, Any],
        owners: Any = None,
        *,
        training: bool = False,
    ) -> Any:
        """The query vector at each place of b rows: float32 [b, l, d].

        Args:
            table: float32 [n, d], the films' vectors.
            columns: int32 [b, l] each: `film`; `level`, the stars; `gap`, the time since the film
                before; `position`: a place at position p reads itself and the p places before.
            owners: float32 [b, l, d], what is known of whose history it is; None is nothing.
            training: drop a share of what is passed on.
        """
        positions = columns["position"]
        x = ops.take(table, columns["film"], axis=0) * math.sqrt(self.config.embedding_size)
        x = x + ops.take(self.position_vectors * 1.0, positions, axis=0)
        if self.config.read_stars:
            x = x + ops.take(self.star_vectors * 1.0, columns["level"], axis=0)
        if self.config.read_times:
            x = x + ops.take(self.gap_vectors * 1.0, columns["gap"], axis=0)
        if owners is not None:
            x = x + owners
        x = self._drop(x, training)
        places = ops.arange(positions.shape[1])
        begins = ops.expand_dims(places - positions, 2)
        open_ = ops.logical_and(places >= begins, places <= ops.expand_dims(places, 1))
        mask = ops.expand_dims(ops.where(open_, 0.0, _MASKED), 1)
        for block in range(self.config.blocks):
            read = self._attend(block, self._norm(2 * block, x), mask)
            x = x + self._drop(read, training)
            inner = ops.matmul(self._norm(2 * block + 1, x), self.inner[block])
            inner = ops.relu(inner + self.inner_bias[block])
            x = x + self._drop(
                ops.matmul(inner, self.outer[block]) + self.outer_bias[block], training
            )
        return self._norm(2 * self.config.blocks, x)

    def _attend(self, block: int, x: Any, mask: Any) -> Any:
        size, heads = self.config.embedding_size, self.config.heads
        length, width = x.shape[1], size // heads
        read = ops.matmul(x, ops.reshape(self.attention_in[block], (size, 3 * size)))
        read = ops.transpose(ops.reshape(read, (-1, length, 3, heads, width)), (2, 0, 3, 1, 4))
        query, key, value = read[0], read[1], read[2]
        scores = ops.matmul(query / math.sqrt(width), ops.transpose(key, (0, 1, 3, 2)))
        if self.config.reading == "bag":
            scores = ops.zeros_like(scores)
        mixed = ops.matmul(ops.softmax(scores + mask, axis=-1), value)
        mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, length, size))
        return ops.matmul(mixed, self.attention_out[block])

    def _norm(self, place: int, x: Any) -> Any:
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = centred * ops.rsqrt(variance + NORM_EPSILON)
        return normal * self.norm_scale[place] + self.norm_shift[place]

    def _drop(self, x: Any, training: bool) -> Any:
        if not training or not self.config.dropout:
            return x
        return keras.random.dropout(x, self.config.dropout, seed=self._random)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Mean cross-entropy of the next films of a batch."""
        config, table, bias = self.config, y_pred["table"], y_pred["bias"]
        queries = ops.reshape(y_pred["query"], (-1, config.embedding_size))
        targets, weights = ops.reshape(x["target"], (-1,)), ops.reshape(x["weight"], (-1,))
        if config.loss == "sampled":
            return self._sampled_loss(queries, table, targets, bias, weights)
        loss = full_softmax(queries, table, targets, bias=bias, weights=weights, reduction="mean")
        if not config.label_smoothing:
            return loss
        # logsumexp stays, and a share of the positive's logit becomes the mean one.
        away = ops.take(table, targets, axis=0) - ops.mean(table, axis=0)
        lost = ops.sum(queries * away, axis=1) + ops.take(bias, targets) - ops.mean(bias)
        lost = ops.sum(weights * lost) / ops.maximum(ops.sum(weights), 1.0)
        return loss + config.label_smoothing * lost

    def _sampled_loss(self, queries: Any, table: Any, targets: Any, bias: Any, weights: Any) -> Any:
        config, options = self.config, {"bias": bias, "weights": weights}
        certain = certain_negatives(
            queries,
            table,
            targets,
            in_batch=config.in_batch_negatives,
            hard=config.hard_negatives,
            **options,
        )
        drawn = draw(self._cumulated, config.negatives, self._random)
        total = sampled_softmax(
            queries, table, targets, drawn, self._log_chance, certain_numbers=certain, **options
        )
        return total / ops.maximum(ops.sum(weights), 1.0)


def _constant(values: NDArray[np.float64]) -> Any:
    def initialize(shape: tuple[int, ...], dtype: Any = None) -> Any:
        return ops.convert_to_tensor(values.astype(np.float32))

    return initialize


def _initial(name: str, shape: tuple[int, ...], seed: list[int]) -> Any:
    """Norms start as the identity, biases at zero, projections as Glorot & Bengio (2010) say."""
    if name == "norm_scale":
        return "ones"
    if name in ("norm_shift", "inner_bias", "outer_bias"):
        return "zeros"
    if name in ("star_vectors", "gap_vectors", "position_vectors"):
        return uniform(_INITIAL_RANGE, seed)
    wide = shape[1] * 2 if name == "attention_in" else shape[1] + shape[2]
    return uniform(math.sqrt(6 / wide), seed)
