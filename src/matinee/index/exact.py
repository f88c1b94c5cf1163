"""Exact top-k by inner product, in blocks: the oracle that every other index is measured by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Scores held at a time: 4 Mi floats, 16 MiB, about what a shared cache still likes.
_BLOCK_SCORES = 1 << 22


class ExactIndex:
    """Brute force over item vectors, with filters applied before the best are picked.

    Args:
        vectors: float32 [n, d], one row an item.
        bias: float32 [n], added to each item's score; None is zero.

    Raises:
        DataError: no vectors, other shapes, or a value that is not finite.
    """

    def __init__(self, vectors: FloatArray, bias: FloatArray | None = None) -> None:
        if vectors.ndim != 2 or not len(vectors):
            raise DataError(f"index vectors of shape {vectors.shape}; expected [items, size]")
        if bias is not None and bias.shape != vectors.shape[:1]:
            raise DataError(f"index bias of shape {bias.shape}; expected {vectors.shape[:1]}")
        finite = np.isfinite(vectors).all(axis=1)
        if bias is not None:
            finite &= np.isfinite(bias)
        if not finite.all():
            raise DataError(
                f"the vector of item {int(np.argmin(finite))} is not finite; the model diverged; "
                "train with a smaller learning rate"
            )
        self.vectors = np.ascontiguousarray(vectors, np.float32)
        self.bias = None if bias is None else np.ascontiguousarray(bias, np.float32)
        self._transposed = np.ascontiguousarray(self.vectors.T)

    def __len__(self) -> int:
        return len(self.vectors)

    def search(
        self,
        vectors: FloatArray,
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k items with the largest inner product (plus bias), exactly.

        Args:
            vectors: float32 [b, d], the queries.
            k: how many; at most n are given.
            exclude: per query, item numbers that must not come back.
            allow: bool [n]; False keeps an item from every answer.

        Returns:
            min(k, n) columns; a row with fewer eligible items ends in empty slots.

        Raises:
            ConfigError: k below 1 or shapes that do not fit.
        """
        size, width = self.vectors.shape
        if k < 1:
            raise ConfigError(f"k = {k}; expected at least 1")
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise ConfigError(f"query vectors of shape {vectors.shape}; expected [b, {width}]")
        if exclude is not None and len(exclude) != len(vectors):
            raise ConfigError(
                f"{len(exclude)} exclusions for {len(vectors)} queries; expected one each"
            )
        k = min(k, size)
        items = np.empty((len(vectors), k), np.int32)
        scores = np.empty((len(vectors), k), np.float32)
        offset = self._offset(allow)
        step = max(1, _BLOCK_SCORES // size)
        for first in range(0, len(vectors), step):
            rows = slice(first, first + step)
            block = vectors[rows] @ self._transposed
            if offset is not None:
                block += offset
            if exclude is not None:
                for row, forbidden in enumerate(exclude[rows]):
                    # An empty slot of another list, -1, excludes nothing.
                    block[row, forbidden[forbidden != EMPTY_ITEM]] = -np.inf
            items[rows], scores[rows] = top_k(block, k)
        return TopK(items, scores)

    def _offset(self, allow: NDArray[np.bool_] | None) -> FloatArray | None:
        if allow is None:
            return self.bias
        if allow.shape != (len(self),) or allow.dtype != np.bool_:
            raise ConfigError(f"allow is {allow.dtype} {allow.shape}; expected bool ({len(self)},)")
        closed = np.where(allow, np.float32(0), np.float32(-np.inf))
        return closed if self.bias is None else closed + self.bias


def top_k(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k largest of each row, descending, equal ones in the order of their columns.

    Args:
        scores: float32 [b, n] without NaN; -inf is not eligible.
        k: 1 … n.

    Returns:
        items int32 [b, k] and scores float32 [b, k]; slots without an eligible column hold -1
        and -inf.
    """
    rows, size = scores.shape
    if k < size:
        columns = np.argpartition(scores, size - k, axis=1)[:, size - k :]
        kept = np.take_along_axis(scores, columns, axis=1)
        # A partition keeps any of the columns that tie for the last place; the lowest are wanted.
        ties = (scores >= kept.min(axis=1, keepdims=True)).sum(axis=1) > k
        for row in np.flatnonzero(ties):
            columns[row] = np.argsort(-scores[row], kind="stable")[:k]
        columns.sort(axis=1)
        kept = np.take_along_axis(scores, columns, axis=1)
    else:
        columns = np.broadcast_to(np.arange(size, dtype=np.int64), (rows, size))
        kept = scores
    order = np.argsort(-kept, axis=1, kind="stable")
    best = np.take_along_axis(kept, order, axis=1)
    items = np.take_along_axis(columns, order, axis=1).astype(np.int32)
    items[np.isneginf(best)] = EMPTY_ITEM
    return items, best
