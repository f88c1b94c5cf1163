# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A table of vectors by number, with a row for whoever is not in the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.towers.backend import keras, ops
from matinee.towers.parallel import divided, fill, own_part, whole
from matinee.types import FloatArray


def uniform(limit: float, seed: Sequence[int]) -> Any:
    """An initializer: uniform in ± limit, the same on every backend.

    NumPy draws them, since the framework would compile a program for each shape first.
    """

    def initialize(shape: tuple[int, ...], dtype: Any = None) -> Any:
        drawn = np.random.default_rng(seed).uniform(-limit, limit, shape)
        return ops.convert_to_tensor(drawn.astype(np.float32))

    return initialize


def _uniform_rows(
    limit: float, seed: Sequence[int], width: int
) -> Callable[[int, int], FloatArray]:
    """Some rows of what `uniform` draws; PCG64 skips the others, a step for each number."""

    def rows(start: int, stop: int) -> FloatArray:
        bits = np.random.PCG64(seed)
        bits.advance(start * width)
        drawn = np.random.Generator(bits).uniform(-limit, limit, (stop - start, width))
        return drawn.astype(np.float32)

    return rows


class IdEmbedding(keras.layers.Layer):
    """Vectors of n ids and, as row n, of "unknown".

    Training batches hide some ids (see `Batches`), so that row n learns what the average id is
    like. Rows that no training example asked for are copies of it in the end (`fill_untrained`),
    so that a name without a past means the same as an unknown one.

    Where processes divide tables among them (`parallel`), each draws and holds its rows alone.

    Args:
        size: n, the vocabulary's length.
        width: the vectors' length.
        seed: of the initial values.
        initial_range: vectors start uniform in ± this.
        features: float32 [n, f]; a projection of them, learned from 0, is a part of each vector.
    """

    def __init__(
        self,
        size: int,
        width: int,
        *,
        seed: Sequence[int],
        initial_range: float = 0.05,
        features: FloatArray | None = None,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.size = size
        self.features: Any = None
        if features is not None:
            # Of the unknown id nothing is known but what all have.
            known = np.vstack([features, features.mean(axis=0, keepdims=True)])
            self.features = ops.convert_to_tensor(known.astype(np.float32))
            self.projection = self.add_weight(
                shape=(features.shape[1], width), initializer="zeros", name="projection"
            )
        self.table = self.add_weight(
            shape=(divided(name, size + 1), width), initializer="zeros", name="table"
        )
        fill(self.table, _uniform_rows(initial_range, seed, width))
        self.built = True

    def call(self, numbers: Any) -> Any:
        """Vectors float32 [..., width] of numbers int32 [...], each 0 … n."""
        # The product makes the gradient dense. Keras hands TensorFlow's sparse one to the optimizer
        # without adding up the rows of repeated ids; JAX compiles it away.
        vectors = ops.take(self.table * 1.0, numbers, axis=0)
        if self.features is None:
            return vectors
        return vectors + ops.matmul(ops.take(self.features, numbers, axis=0), self.projection)

    def vectors(self) -> Any:
        """All vectors: float32 [n + 1, width], the last one that of the unknown id."""
        return self._featured(self.table[: self.size + 1])

    def gathered(self) -> FloatArray:
        """As `vectors`, in process 0; elsewhere nothing of use (see `whole`)."""
        table = whole(self.table)
        if own_part()[0] > 0:
            return table
        return np.array(ops.convert_to_numpy(self._featured(ops.convert_to_tensor(table))))

    def _featured(self, table: Any) -> Any:
        if self.features is None:
            return table
        return table + ops.matmul(self.features, self.projection)

    def take_over(self, vectors: FloatArray) -> None:
        """Set rows to those of `vectors`, float32 [m, width], m ≤ n + 1, that are not all 0."""
        vectors = np.pad(vectors, ((0, self.table.shape[0] - len(vectors)), (0, 0)))
        self.table.assign(ops.where(vectors.any(axis=1, keepdims=True), vectors, self.table.value))

    def fill_untrained(self, counts: NDArray[np.int64], hidden: bool) -> None:
        """Copy the unknown row to every id without a training rating.

        Args:
            counts: int64 [n], training ratings of each id.
            hidden: whether training hid ids, so that the unknown row learned something; else the
                trained rows' mean takes its place first.
        """
        others = self.table.shape[0] - len(counts)
        trained = np.pad(counts > 0, (0, others))[:, np.newaxis]
        table = self.table.value
        unknown = table[self.size]
        if not hidden and trained.any():
            total = ops.sum(ops.where(trained, table, 0.0), axis=0)
            unknown = total / np.float32(trained.sum())
        self.table.assign(ops.where(trained, table, unknown))
