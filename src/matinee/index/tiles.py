"""The best of a product that is too large to be kept: tile by tile, against a guessed bound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matinee.index.checks import Cells
from matinee.index.lanes import LANES, Lanes
from matinee.index.select import Candidates, lower_bounds, top_k
from matinee.types import FloatArray, IntArray

# Scores up to which all of them are kept until the best are picked: 16 MiB.
_TABLE_SCORES = 1 << 22
# Queries that share a pass over the vectors: from some hundred on, the product is at its fastest.
_BLOCK_QUERIES = 1024
# Scores of one tile, 2 MiB: still near when looked through, and a thousand times what a call costs.
_TILE_SCORES = 1 << 19
# Groups of items that are looked at first: at most so many, and one in so many.
_SAMPLE = 128
_SAMPLE_SHARE = 8
# By how many standard deviations more of the k best may be in the sample than are expected there.
_CAUTION = 4
# How much more than expected a query may find before it is answered on its own.
_AMPLE = 4
# By whether an item is allowed.
_CLOSING = np.array([-np.inf, 0], np.float32)


class Tiles:
    """Answers blocks of queries from one catalogue, all for the same k and allowed items.

    Where the scores of a block are few, they are computed together and searched (`top_k`). Where
    they are many, the block is multiplied with one tile of the vectors after the other, and only
    what reaches a bound is kept (`Candidates`). The bound is a guess from a sample of the items: so
    many of the sample reach it that at least k of all are expected to. Queries of which that was
    wrong are answered again from all of their scores, so a guess costs time at worst.

    Args:
        lanes: the vectors of n items.
        biased: whether their bias counts.
        k: how many are wanted; n may be smaller.
        allow: bool [n]; False keeps an item from every answer.
    """

    def __init__(self, lanes: Lanes, biased: bool, k: int, allow: NDArray[np.bool_] | None) -> None:
        self._lanes = lanes
        self._extended = biased or allow is not None
        self._k = k
        # What is added to each score: the line of the bias takes it in at no cost.
        self._closing = None if allow is None else _CLOSING.take(allow.view(np.uint8))
        sample = min(_SAMPLE, lanes.groups // _SAMPLE_SHARE)
        expected = k * sample * LANES / max(1, lanes.size)
        # So many of the sample reach the bound.
        self._rank = math.ceil(expected + _CAUTION * math.sqrt(expected)) + 1
        self._sample = sample if 2 * self._rank <= sample * LANES else 0

    @property
    def step(self) -> int:
        """How many queries make a block: of long lists fewer, since what is sorted takes memory."""
        each = 4 * self._k if self._sample else max(1, self._lanes.size)
        return max(1, min(_BLOCK_QUERIES, _TABLE_SCORES // each))

    def best(self, queries: FloatArray, excluded: Cells | None) -> tuple[IntArray, FloatArray]:
        """The items and scores [b, k] of queries [b, d], cells of [b, n] being excluded."""
        if self._extended:
            queries = np.column_stack([queries, np.ones(len(queries), np.float32)])
        if not self._sample or len(queries) * self._lanes.size <= _TABLE_SCORES:
            return self._best_of_all(queries, excluded)
        items, scores, unknown = self._best_of_tiles(queries, excluded)
        step = max(1, _TABLE_SCORES // self._lanes.size)
        for first in range(0, len(unknown), step):
            rows = unknown[first : first + step]
            own = None if excluded is None else _of_rows(excluded, rows)
            items[rows], scores[rows] = self._best_of_all(queries[rows], own)
        return items, scores

    def _best_of_all(
        self, queries: FloatArray, excluded: Cells | None
    ) -> tuple[IntArray, FloatArray]:
        scores = self._lanes.scores(queries)
        if self._closing is not None:
            scores += self._closing
        if excluded is not None:
            scores[excluded] = -np.inf
        return top_k(scores, self._k)

    def _best_of_tiles(
        self, queries: FloatArray, excluded: Cells | None
    ) -> tuple[IntArray, FloatArray, NDArray[np.int64]]:
        """As `best`, with the rows whose bound was a wrong guess."""
        lanes, rows = self._lanes, len(queries)
        # The groups of the sample, evenly spread, and behind them all others in their order.
        others = np.ones(lanes.groups, np.bool_)
        others[np.arange(self._sample) * lanes.groups // self._sample] = False
        order = np.concatenate([np.flatnonzero(~others), np.flatnonzero(others)])
        if excluded is not None:
            excluded = _by_place(excluded, order)

        def score(first: int, last: int, room: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
            """The scores of some groups, and the numbers of their items."""
            items = (order[first:last, None] * LANES + np.arange(LANES)).reshape(-1)
            columns = lanes.columns(order[first:last], queries.shape[1])
            if last == lanes.groups:
                items = items[: lanes.size - last * LANES or None]
                columns = columns[:, : len(items)]
            if self._closing is not None:
                columns[-1] += self._closing[items]
            scores = room[: rows * len(items)].reshape(rows, len(items))
            np.matmul(queries, columns, out=scores)
            if excluded is not None:
                tile = first * LANES, first * LANES + len(items)
                own = slice(*np.searchsorted(excluded[1], tile))
                scores[excluded[0][own], excluded[1][own] - tile[0]] = -np.inf
            return scores, items

        step = max(1, _TILE_SCORES // (rows * LANES))
        sample, items = score(0, self._sample, np.empty(rows * self._sample * LANES, np.float32))
        limit = math.ceil(_AMPLE * self._rank * lanes.groups / self._sample)
        candidates = Candidates(lower_bounds(sample, self._rank), limit)
        for first in range(0, len(items), step * LANES):
            tile = slice(first, first + step * LANES)
            candidates.offer(sample[:, tile], items[tile])
        room = np.empty(rows * step * LANES, np.float32)
        for first in range(self._sample, lanes.groups, step):
            candidates.offer(*score(first, min(first + step, lanes.groups), room))
        return candidates.top(self._k)


def _of_rows(cells: Cells, rows: NDArray[np.int64]) -> Cells:
    """The cells that are in some rows, ascending, by their places among those."""
    row, items = cells
    place = np.minimum(np.searchsorted(rows, row), len(rows) - 1)
    there = rows[place] == row
    return place[there], items[there]


def _by_place(cells: Cells, order: NDArray[np.int64]) -> Cells:
    """The cells in the order in which their items are met, with the places where that is."""
    row, items = cells
    place = np.argsort(order)[items // LANES] * LANES + items % LANES
    # Sorting one integer takes a tenth of the time of sorting places.
    rows = int(row.max(initial=0)) + 1
    both = np.sort(place * rows + row)
    return both % rows, both // rows
