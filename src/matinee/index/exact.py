"""Exact top-k by inner product: the oracle that every other index is measured by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.index.blocks import in_blocks
from matinee.index.checks import (
    Cells,
    check_filters,
    checked_items,
    checked_queries,
    excluded_cells,
)
from matinee.index.lanes import Lanes
from matinee.index.select import empty_top_k
from matinee.index.tiles import Tiles
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Copying a vector costs about as much as scoring it for so many queries.
_COPY_COST = 16


class ExactIndex:
    """Brute force over item vectors, with filters applied before the best are picked.

    `Lanes` hold the vectors, `Tiles` go through them.

    Args:
        vectors: float32 [n, d], one row an item.
        bias: float32 [n], added to each item's score; None is zero.

    Raises:
        DataError: no vectors, other shapes, or a value that is not finite.
    """

    def __init__(self, vectors: FloatArray, bias: FloatArray | None = None) -> None:
        self.vectors, self.bias = checked_items(vectors, bias)
        self._lanes = Lanes(self.vectors, self.bias)

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
            DataError: a query that is not finite.
        """
        size, width = self.vectors.shape
        queries = checked_queries(vectors, width)
        check_filters(len(queries), size, k, exclude, allow)
        found = empty_top_k(len(queries), min(k, size))
        lanes, opened = self._lanes, _worth_copying(allow, len(queries))
        if opened is not None:
            bias = None if self.bias is None else self.bias[opened]
            lanes, allow = Lanes(self.vectors[opened], bias), None
        tiles = Tiles(lanes, self.bias is not None, min(k, size), allow)

        def work(rows: slice) -> None:
            excluded = None if exclude is None else excluded_cells(exclude[rows], size)
            if opened is not None and excluded is not None:
                excluded = _among(opened, excluded)
            items, scores = tiles.best(queries[rows], excluded)
            if opened is not None:
                items[items != EMPTY_ITEM] = opened[items[items != EMPTY_ITEM]]
            found.items[rows], found.scores[rows] = items, scores

        in_blocks(work, len(queries), tiles.step, lanes.size)
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
