"""Vectors that are stored side by side in small groups, and their products with queries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray

# Items of a group. Its product with one query is too small for BLAS to share it among threads,
# which would wait for each other longer than the product takes.
LANES = 32
# Up to so many queries are multiplied with one group after the other.
_FEW_QUERIES = 16


class Lanes:
    """Item vectors in groups of 32: a group is a table with a line for each of their numbers.

    One query goes through all of them in the order in which they lie in memory, and any groups,
    put side by side, are the columns of a product with many queries.

    Args:
        vectors: float32 [n, d], one row an item.
        bias: float32 [n], the line behind those of the numbers; None is zero.
    """

    def __init__(self, vectors: FloatArray, bias: FloatArray | None) -> None:
        self.size, width = vectors.shape
        whole, rest = divmod(self.size, LANES)
        self.groups = whole + (rest > 0)
        self._table = np.zeros((self.groups, width + 1, LANES), np.float32)
        split = whole * LANES
        groups = vectors[:split].reshape(whole, LANES, width).transpose(0, 2, 1)
        self._table[:whole, :width] = groups
        self._table[whole:, :width, :rest] = vectors[split:].T
        if bias is not None:
            self._table[:whole, width] = bias[:split].reshape(whole, LANES)
            self._table[whole:, width, :rest] = bias[split:]

    def scores(self, queries: FloatArray) -> FloatArray:
        """The products [b, n] with queries [b, d], or [b, d + 1] where the bias counts, too."""
        count, width = queries.shape
        scores = np.empty((count, self.groups * LANES), np.float32)
        if count <= _FEW_QUERIES:
            by_group = scores.reshape(count, self.groups, LANES).transpose(1, 0, 2)
            np.matmul(queries, self._table[:, :width], out=by_group)
        else:
            groups = np.arange(self.groups, dtype=np.int64)
            np.matmul(queries, self.columns(groups, width), out=scores)
        return scores[:, : self.size]

    def columns(self, groups: NDArray[np.int64], width: int) -> FloatArray:
        """The first lines [width, 32 m] of m groups; what is behind the last item is 0."""
        return self._table[groups, :width].transpose(1, 0, 2).reshape(width, -1)
