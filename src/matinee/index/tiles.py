"""The best of a product that is too large to be kept: tile by tile, against a guessed bound."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
# Scores of one tile: 2 MiB, so that they are still near when looked through.
_TILE_SCORES = 1 << 19
# Groups of items that are looked at first: at most so many, and one in so many.
_SAMPLE = 128
_SAMPLE_SHARE = 8
# By how many standard deviations more of the k best may be in the sample than are expected there.
_CAUTION = 3
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
        """How many queries make a block: of long lists fewer, since what is sorted takes memory.

        Of very many items fewer as well: `Candidates` have 32 bits for a query and an item.
        """
        size = max(1, self._lanes.size)
        each = 4 * self._k if self._sample else size
        return max(1, min(_BLOCK_QUERIES, _TABLE_SCORES // each, 1 << 32 - size.bit_length()))

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
        lanes = self._lanes
        step = max(1, _TILE_SCORES // (len(queries) * LANES))
        edges = [*range(self._sample, lanes.groups, step), lanes.groups]
        product = _Product(lanes, queries, edges, excluded, self._closing)
        items, scores = product.tile(0)
        limit = math.ceil(_AMPLE * self._rank * lanes.groups / self._sample)
        candidates = Candidates(lower_bounds(scores, self._rank), limit)
        for first in range(0, len(items), step * LANES):
            part = slice(first, first + step * LANES)
            candidates.offer(scores[:, part], items[part])
        for tile in range(1, len(edges)):
            items, scores = product.tile(tile)
            candidates.offer(scores, items)
        return candidates.top(self._k)


class _Product:
    """The scores of a block of queries, tile by tile, those of a sample of the items first.

    Args:
        lanes: the vectors of n items.
        queries: float32 [b, d], or [b, d + 1] where the bias counts.
        edges: of how many groups the first tile is, which are evenly spread, the first two …
        excluded: cells of [b, n] that do not count.
        closing: float32 [n], added to the bias.
    """

    def __init__(
        self,
        lanes: Lanes,
        queries: FloatArray,
        edges: Sequence[int],
        excluded: Cells | None,
        closing: FloatArray | None,
    ) -> None:
        self._lanes = lanes
        self._queries = queries
        self._closing = closing
        sample = edges[0]
        others = np.ones(lanes.groups, np.bool_)
        others[np.arange(sample) * lanes.groups // sample] = False
        self._order = np.concatenate([np.flatnonzero(~others), np.flatnonzero(others)])
        self._edges = np.array([0, *edges])
        # The last group, which may have fewer items, is never in the sample and always the last.
        self._ends = np.minimum(self._edges * LANES, lanes.size)
        self._excluded = None if excluded is None else self._by_tile(excluded)
        self._room = np.empty(len(queries) * int(np.diff(self._ends).max()), np.float32)

    def tile(self, number: int) -> tuple[NDArray[np.int64], FloatArray]:
        """The numbers [w] of a tile's items, and their scores [b, w] until the next."""
        lanes, (rows, width) = self._lanes, self._queries.shape
        groups = self._order[self._edges[number] : self._edges[number + 1]]
        count = int(self._ends[number + 1] - self._ends[number])
        items = (groups[:, None] * LANES + np.arange(LANES)).reshape(-1)[:count]
        columns = lanes.columns(groups, width)[:, :count]
        if self._closing is not None:
            columns[-1] += self._closing[items]
        flat = self._room[: rows * count]
        scores = flat.reshape(rows, count)
        np.matmul(self._queries, columns, out=scores)
        if self._excluded is not None:
            flat[self._excluded[number]] = -np.inf
        return items, scores

    def _by_tile(self, cells: Cells) -> list[NDArray[np.int64]]:
        """Where in each tile the cells stand."""
        row, items = cells
        rows = len(self._queries)
        tile = np.repeat(np.arange(len(self._ends) - 1), np.diff(self._edges))
        place = np.argsort(self._order)
        # As if the tiles lay one behind the other in memory: sorting one integer each takes a tenth
        # of the time of sorting tiles and cells.
        begins, widths = self._ends[:-1], np.diff(self._ends)
        first = (begins * (rows - 1))[tile][place] + place * LANES
        group = items // LANES
        found = np.sort(first[group] + row * widths[tile][place][group] + items % LANES)
        cuts = np.searchsorted(found, self._ends * rows)
        return [found[cuts[i] : cuts[i + 1]] - begins[i] * rows for i in range(len(begins))]


def _of_rows(cells: Cells, rows: NDArray[np.int64]) -> Cells:
    """The cells that are in some rows, ascending, by their places among those."""
    row, items = cells
    place = np.minimum(np.searchsorted(rows, row), len(rows) - 1)
    there = rows[place] == row
    return place[there], items[there]
