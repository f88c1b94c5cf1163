"""Exact top-k by inner product: the oracle that every other index is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.index.blocks import in_blocks
from matinee.index.select import Best, Cells, check_filters, empty_top_k, excluded_cells
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Queries that share a pass over the vectors: from some hundred on, the product is at its fastest.
_BLOCK_QUERIES = 1024
# Scores of one tile: 1 MiB, so that they are still in the core's own cache when looked through.
_TILE_SCORES = 1 << 18
# Items of the first tile: a wider one gives a tighter first bound, so fewer candidates after it.
_FIRST_ITEMS = 4096
# Scores of the first tile at most, 16 MiB: this bounds the memory of a thread.
_FIRST_SCORES = 1 << 22
# Copying a vector costs about as much as scoring it for so many queries.
_COPY_COST = 16


class ExactIndex:
    """Brute force over item vectors, with filters applied before the best are picked.

    A block of queries is multiplied with one tile of the vectors after the other; the scores of a
    tile are looked through while they are in cache (`Best`), and never reach the main memory.

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
        # The bias is one dimension more of the product: free there, another pass anywhere else.
        rows = [self.vectors.T] if self.bias is None else [self.vectors.T, self.bias[None]]
        self._columns = np.concatenate(rows)

    def __len__(self) -> int:
        return len(self.vectors)

    def scores(self, vector: FloatArray, items: IntArray) -> FloatArray:
        """The scores float32 [m] of `items` int32 [m] for one query's vector float32 [d]."""
        scores = self.vectors[items] @ vector
        return scores if self.bias is None else scores + self.bias[items]

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
            exclude: per query, item numbers that must not come back; -1 excludes nothing.
            allow: bool [n]; False keeps an item from every answer.

        Returns:
            min(k, n) columns; a row with fewer eligible items ends in empty slots.

        Raises:
            ConfigError: k below 1, shapes that do not fit, or an excluded number that is no item.
        """
        size, width = self.vectors.shape
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise ConfigError(f"query vectors of shape {vectors.shape}; expected [b, {width}]")
        check_filters(len(vectors), size, k, exclude, allow)
        k = min(k, size)
        queries = np.asarray(vectors, np.float32)
        if self.bias is not None:
            queries = np.column_stack([queries, np.ones(len(queries), np.float32)])
        found = empty_top_k(len(queries), k)
        opened = _worth_copying(allow, len(queries))
        columns = self._columns if opened is None else self._columns[:, opened]

        def work(rows: slice) -> None:
            excluded = None if exclude is None else excluded_cells(exclude[rows], size)
            if opened is None:
                items, scores = _best(columns, queries[rows], k, excluded, allow)
            else:
                if excluded is not None:
                    excluded = _among(opened, excluded)
                items, scores = _best(columns, queries[rows], k, excluded, None)
                items[items != EMPTY_ITEM] = opened[items[items != EMPTY_ITEM]]
            found.items[rows], found.scores[rows] = items, scores

        # Of long lists fewer at a time: what is sorted takes memory too.
        first_tile = max(_FIRST_ITEMS, 4 * k)
        in_blocks(work, len(queries), min(_BLOCK_QUERIES, -(-_FIRST_SCORES // first_tile)), size)
        return found


def _worth_copying(allow: NDArray[np.bool_] | None, queries: int) -> NDArray[np.int64] | None:
    """The allowed items, if they are so few that searching a copy of them alone is cheaper."""
    if allow is None:
        return None
    opened = np.flatnonzero(allow)
    saved = (len(allow) - len(opened)) * queries
    return opened if len(opened) * _COPY_COST < saved else None


def _among(opened: NDArray[np.int64], excluded: Cells) -> Cells:
    """The excluded cells that are among the opened items, by their places there."""
    rows, items = excluded
    place = np.searchsorted(opened, items)
    there = np.append(opened, -1)[place] == items
    return rows[there], place[there]


def _best(
    columns: FloatArray,
    queries: FloatArray,
    k: int,
    excluded: Cells | None,
    allow: NDArray[np.bool_] | None,
) -> tuple[IntArray, FloatArray]:
    """The k best for each of a block of queries.

    Args:
        columns: float32 [d, m], one column an item.
        queries: float32 [b, d].
        k: how many; m may be smaller.
        excluded: cells of [b, m] that do not count.
        allow: bool [m], or None for all.
    """
    rows, size = len(queries), columns.shape[1]
    width = max(1, _TILE_SCORES // rows)
    first_tile = min(size, max(width, _FIRST_ITEMS, 4 * k))
    if excluded is not None:
        # By item; sorting one integer takes a tenth of the time of sorting places.
        cells = np.sort(excluded[1] * rows + excluded[0])
        excluded = cells % rows, cells // rows
    room = np.empty(rows * first_tile, np.float32)
    best = Best(rows, k)
    for first, last in pairwise([0, *range(first_tile, size, width), size]):
        scores = room[: rows * (last - first)].reshape(rows, last - first)
        np.matmul(queries, columns[:, first:last], out=scores)
        if allow is not None:
            scores[:, ~allow[first:last]] = -np.inf
        if excluded is not None:
            own = slice(*np.searchsorted(excluded[1], (first, last)))
            scores[excluded[0][own], excluded[1][own] - first] = -np.inf
        best.offer(scores, first)
    return best.top()
