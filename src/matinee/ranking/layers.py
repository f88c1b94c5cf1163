# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""What the model of stars can read beside two ids: features, a history, and crosses of them all.

`ranking/arithmetic.py` has the same in NumPy, which is what a trained model computes with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.towers.backend import keras, ops
from matinee.towers.embedding import uniform
from matinee.types import EMPTY_ITEM, FloatArray, IntArray


def glorot(inputs: int, outputs: int, seed: Sequence[int]) -> Any:
    """An initializer of a kernel [inputs, outputs] (Glorot & Bengio 2010)."""
    return uniform((6.0 / (inputs + outputs)) ** 0.5, seed)


class Crosses(keras.layers.Layer):
    """Cross layers, x ← x₀ * (x W + b) + x elementwise, from x₀ on (DCN-v2, Wang et al. 2021).

    Args:
        count: how many.
        width: of x.
        seed: of the initial values.
        name: of the layer.
    """

    def __init__(self, count: int, width: int, *, seed: Sequence[int], name: str) -> None:
        super().__init__(name=name)
        self.kernels = self.add_weight(
            shape=(count, width, width), initializer=glorot(width, width, seed), name="kernels"
        )
        self.biases = self.add_weight(shape=(count, width), initializer="zeros", name="biases")
        self.built = True

    def call(self, first: Any) -> Any:
        """Float32 [b, width] of x₀, likewise."""
        inputs = first
        for place in range(self.kernels.shape[0]):
            crossed = ops.matmul(inputs, self.kernels[place]) + self.biases[place]
            inputs = first * crossed + inputs
        return inputs


def dense_layers(
    inputs: int, hidden: Sequence[int], dropout: float, crosses: Crosses | None, seed: int
) -> Any:
    """The network from float32 [b, inputs] to stars [b, 1]: crosses, if any, and dense layers.

    Args:
        inputs: how many numbers it takes.
        hidden: widths of the dense layers before the last one, which has one unit.
        dropout: share of each dense layer's inputs switched off while training.
        crosses: what the inputs pass first, after their dropout.
        seed: of the initial values and of the dropout.
    """
    layers: list[Any] = []
    width_in = inputs
    for place, width in enumerate((*hidden, 1)):
        if dropout > 0:
            layers.append(keras.layers.Dropout(dropout, seed=seed + place))
        if place == 0 and crosses is not None:
            layers.append(crosses)
        kernel = glorot(width_in, width, [seed, 4 + place])
        activation = "relu" if place < len(hidden) else None
        layers.append(keras.layers.Dense(width, activation=activation, kernel_initializer=kernel))
        width_in = width
    ratings = keras.Sequential(layers, name="ratings")
    ratings.build((None, inputs))
    return ratings


class FeatureVectors(keras.layers.Layer):
    """A vector for each row of a table of features; the unknown row's is 0.

    Args:
        features: [n, f], with mean 0.
        width: of the vectors.
        seed: of the initial values.
        name: of the layer.
    """

    def __init__(
        self, features: NDArray[Any], width: int, *, seed: Sequence[int], name: str
    ) -> None:
        super().__init__(name=name)
        size, inputs = features.shape
        self.table = self.add_weight(
            shape=(size + 1, inputs), initializer="zeros", trainable=False, name="table"
        )
        self.table.assign(np.pad(features, ((0, 1), (0, 0))).astype(np.float32))
        self.kernel = self.add_weight(
            shape=(inputs, width), initializer=glorot(inputs, width, seed), name="kernel"
        )
        self.built = True

    def call(self, rows: Any) -> Any:
        """Vectors float32 [b, width] of rows int32 [b], each 0 … n."""
        return ops.matmul(ops.take(self.table, rows, axis=0), self.kernel)


class Attention(keras.layers.Layer):
    """The films that somebody rated, weighted by how much a candidate film attends to each.

    As in the deep interest network (Zhou et al. 2018), what a history says depends on the film that
    is asked about. A film j of the history gets the weight exp(a_j) / (1 + Σ exp(a)), where
    a_j = c Q v_j / √d for the candidate's vector c: where nothing is alike, little is said.

    Args:
        n_users: how many users there are.
        length: how many ratings of each are read.
        size: d, of a film's vector.
        seed: of the initial values.
        name: of the layer.
    """

    def __init__(
        self, n_users: int, length: int, size: int, *, seed: Sequence[int], name: str
    ) -> None:
        super().__init__(name=name)
        shape = (n_users + 1, length)
        self.films = self.add_weight(
            shape=shape, initializer="zeros", dtype="int32", trainable=False, name="films"
        )
        self.stars = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="stars"
        )
        self.read(np.full(shape, EMPTY_ITEM, np.int32), np.zeros(shape, np.float32))
        self.kernel = self.add_weight(
            shape=(size, size), initializer=glorot(size, size, seed), name="kernel"
        )
        self.built = True

    def read(self, films: IntArray, stars: FloatArray) -> None:
        """Take histories int32 and float32 [n_users + 1, length]; an empty slot's film is -1."""
        self.films.assign(films)
        self.stars.assign(stars)

    def histories(self, users: Any, candidates: Any) -> tuple[Any, Any]:
        """Films int32 [b, length] that b users rated, -1 where there is none, and their stars.

        A candidate, int32 [b], is left out of its own history: its stars are what is predicted.
        """
        films = ops.take(self.films, users, axis=0)
        other = ops.not_equal(films, ops.expand_dims(candidates, 1))
        return ops.where(other, films, EMPTY_ITEM), ops.take(self.stars, users, axis=0)

    def call(self, candidates: Any, vectors: Any, stars: Any, there: Any) -> Any:
        """What the histories say: the weighted sums of their films' vectors and stars.

        Args:
            candidates: float32 [b, d].
            vectors: float32 [b, length, d], of the histories' films.
            stars: float32 [b, length].
            there: bool [b, length], which slots hold a film.

        Returns:
            Float32 [b, d + 1].
        """
        scale = vectors.shape[-1] ** -0.5
        asked = ops.matmul(candidates, self.kernel) * scale
        alike = ops.einsum("bd,bhd->bh", asked, vectors)
        alike = ops.where(there, alike, -np.inf)
        # It cancels out, so no gradient need go through it.
        peak = ops.stop_gradient(ops.maximum(ops.max(alike, axis=1, keepdims=True), 0.0))
        weights = ops.exp(alike - peak)
        weights = weights / (ops.exp(-peak) + ops.sum(weights, axis=1, keepdims=True))
        entries = ops.concatenate([vectors, ops.expand_dims(stars, 2)], axis=2)
        return ops.einsum("bh,bhe->be", weights, entries)
