"""The k best of many scores, exactly: filters first, equal scores in the order of their items.

Sorting or partitioning whole rows would cost several times what the matrix product costs that made
them. Here each score is compared with a bound of its row, and only the few that reach it are looked
at: one integer each, row above score above item, so that one sort settles whose they are, the order
and the ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.index.blocks import in_blocks
from matinee.index.checks import check_filters, excluded_cells
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

Keys = NDArray[np.uint64]
# Scores that one block holds: 4 Mi floats, 16 MiB; a few blocks live at once, one a thread.
_BLOCK_SCORES = 1 << 22
# Groups whose maxima give the first lower bound: more are a tighter bound and a longer partition.
_GROUPS = 512
# The least score there is: only -inf, which is not eligible, is below it.
_LEAST = np.finfo(np.float32).min
# A key is a row and an item, which share bits as the number of rows says, around a score.
_ID_BITS = 32
_SCORE_BITS = 32
# The score of an empty slot, -inf, as keys have it.
_EMPTY = np.uint64(0xFF80_0000)


def search_blocks(
    score: Callable[[slice], FloatArray],
    n_queries: int,
    n_items: int,
    k: int,
    exclude: Sequence[IntArray] | None = None,
    allow: NDArray[np.bool_] | None = None,
) -> TopK:
    """The k best items of each query, where `score` gives the scores of a few queries.

    Args:
        score: for a slice of the queries, their scores: float32 [b, n_items] without NaN, fresh and
            writable, -inf where an item is not eligible. It is called by several threads at once,
            with BLAS on one thread each, and should score a query alike whatever the slice.
        n_queries: how many there are.
        n_items: the size of the catalogue.
        k: how many items; at most n_items are given.
        exclude: per query, item numbers that must not come back; -1 excludes nothing.
        allow: bool [n_items]; False keeps an item from every answer.

    Returns:
        min(k, n_items) columns; a row with fewer eligible items ends in empty slots.

    Raises:
        ConfigError: k below 1, or `exclude` or `allow` of another size.
    """
    check_filters(n_queries, n_items, k, exclude, allow)
    found = empty_top_k(n_queries, min(k, n_items))
    closed = None if allow is None else np.flatnonzero(~allow)

    def work(rows: slice) -> None:
        block = score(rows)
        if closed is not None:
            block[:, closed] = -np.inf
        if exclude is not None:
            block[excluded_cells(exclude[rows], n_items)] = -np.inf
        found.items[rows], found.scores[rows] = top_k(block, found.items.shape[1])

    in_blocks(work, n_queries, max(1, _BLOCK_SCORES // n_items), n_items)
    return found


def empty_top_k(n_queries: int, k: int) -> TopK:
    """Room for the answers, not yet filled."""
    return TopK(np.empty((n_queries, k), np.int32), np.empty((n_queries, k), np.float32))


def top_k(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k largest of each row, descending, equal ones in the order of their columns.

    Args:
        scores: float32 [b, n] without NaN, up to 2^30 of them; -inf is not eligible.
        k: how many; n may be smaller.

    Returns:
        items int32 [b, k] and scores float32 [b, k]; slots without an eligible column hold -1
        and -inf.
    """
    rows, width = scores.shape
    if width < 4 * k:
        # A bound would hardly leave anything out.
        row = np.arange(rows, dtype=np.int64)
        keys = _packed(scores, np.arange(width, dtype=np.int64), row[:, None], rows)
        return _first_of(keys, rows, k)
    above: NDArray[np.bool_] = scores >= lower_bounds(scores, k)
    cells = _true_places(above)
    if len(cells) > 4 * rows * k:
        _thin_ties(scores, above, k)
        cells = _true_places(above)
    row = cells // width
    column = cells - row * width
    return _first_of(_packed(scores[row, column], column, row, rows), rows, k)


class Candidates:
    """What reaches the bound of its row, of tables that are offered one after the other.

    Args:
        bound: float32 [b, 1], for each row what its k best are hoped to reach and few others. The
            numbers of rows and of items share 32 bits.
        limit: how many of a row are kept at most.
    """

    def __init__(self, bound: FloatArray, limit: int) -> None:
        self._bound = bound
        self._limit = limit
        # As wide as the scores, since NumPy compares two whole arrays twice as fast as an array
        # and a column.
        self._wide_bound = bound
        self._above = np.empty(bound.shape, np.bool_)
        self._found: list[Keys] = []
        self._kept = 0

    def offer(self, scores: FloatArray, items: NDArray[np.int64]) -> None:
        """Takes scores float32 [b, w], without NaN, of the items with the numbers int64 [w]."""
        rows, width = scores.shape
        if self._above.shape != scores.shape:
            self._above = np.empty(scores.shape, np.bool_)
            self._wide_bound = np.repeat(self._bound, width, axis=1)
        np.greater_equal(scores, self._wide_bound, out=self._above)
        cells = _true_places(self._above)
        row = cells // width
        column = cells - row * width
        self._found.append(_packed(scores[row, column], items[column], row, rows))
        self._kept += len(cells)
        if self._kept > self._limit * rows:
            self._close_crowded()

    def top(self, k: int) -> tuple[IntArray, FloatArray, NDArray[np.int64]]:
        """The k best of each row as `top_k` gives them, and the rows of which that is not known.

        Those are the rows with less than k that reach their bound, or with more than the limit.
        """
        self._close_crowded()
        items, scores = _first_of(self._found[0], len(self._bound), k)
        return items, scores, np.flatnonzero(~(scores[:, -1:] >= self._bound))

    def _close_crowded(self) -> None:
        """Forgets the rows beyond the limit for good."""
        rows = len(self._bound)
        keys = np.concatenate(self._found)
        row = np.zeros(len(keys), np.int64)
        if rows > 1:
            row = (keys >> _item_bits(rows) + _SCORE_BITS).view(np.int64)
        counts = np.bincount(row, minlength=rows)
        crowded = counts > self._limit
        if crowded.any():
            self._bound[crowded] = np.nan  # Nothing reaches it.
            self._above = np.empty(0, np.bool_)
            keys = keys[~crowded[row]]
        self._found, self._kept = [keys], len(keys)


def lower_bounds(scores: FloatArray, k: int) -> FloatArray:
    """A value for each row, float32 [b, 1], that its k best reach and few others do.

    The columns are dealt into groups; k groups have a maximum of at least the k-th largest
    maximum, so at least k columns reach it. Nothing that is not eligible does.
    """
    rows, width = scores.shape
    members = width // max(2 * k, min(_GROUPS, width // 2))
    groups = width // members
    maxima = scores
    if members > 1:
        whole = scores[:, : groups * members].reshape(rows, members, groups)
        maxima = whole.max(axis=1)
    bound = np.partition(maxima, groups - k, axis=1)[:, groups - k, None]
    return np.maximum(bound, _LEAST)


def _thin_ties(scores: FloatArray, above: NDArray[np.bool_], k: int) -> None:
    """Of a crowd that ties, as the zeros of sparse scores do, the first k are enough."""
    for row in np.flatnonzero(above.sum(axis=1) > 4 * k):
        own = scores[row]
        least = np.partition(own, -k)[-k]
        above[row] &= own >= least
        above[row, np.flatnonzero(above[row] & (own == least))[k:]] = False


def _true_places(table: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`np.flatnonzero` for tables with few True, eight cells at a time where the size allows."""
    flat = table.reshape(-1)
    if flat.size % 8:
        return np.flatnonzero(flat)
    words = flat.view(np.uint64)
    [filled] = (words != 0).nonzero()
    [places] = words[filled].view(np.bool_).nonzero()
    return (filled[places >> 3] << 3) + (places & 7)


def _item_bits(rows: int) -> int:
    """How many bits of a key are left for the item, where so many rows have to be told apart."""
    return _ID_BITS - (rows - 1).bit_length()


def _packed(
    scores: FloatArray, items: NDArray[np.int64], row: NDArray[np.int64], rows: int
) -> Keys:
    """One integer each: ascending by row, then descending by score, then ascending by item."""
    # Adding zero turns -0.0 into 0.0: they are equal, so they must be alike here.
    bits = (scores + np.float32(0)).view(np.int32)
    _flip(bits)
    keys = bits.view(np.uint32).astype(np.uint64)
    keys <<= _item_bits(rows)
    keys |= items.view(np.uint64)
    if rows > 1:
        keys |= row.view(np.uint64) << _item_bits(rows) + _SCORE_BITS
    return keys


def _first_of(keys: Keys, rows: int, k: int) -> tuple[IntArray, FloatArray]:
    """The first k of each row as items and scores [b, k]; whatever scores -inf is an empty slot.

    The keys are [b, m], a line for each row, or [m], of all rows in any order.
    """
    keys.sort()
    if keys.ndim == 1:
        keys = _by_row(keys, rows, k)
    keys = keys[:, :k]
    if keys.shape[1] < k:
        empty = _EMPTY << _item_bits(rows)
        keys = np.pad(keys, ((0, 0), (0, k - keys.shape[1])), constant_values=empty)
    bits = (keys >> _item_bits(rows)).astype(np.uint32).view(np.int32)
    _flip(bits)
    scores = bits.view(np.float32)
    items = (keys & (1 << _item_bits(rows)) - 1).astype(np.int32)
    items[np.isneginf(scores)] = EMPTY_ITEM
    return items, scores


def _by_row(keys: Keys, rows: int, k: int) -> Keys:
    """The first k of each row's keys [m], which are sorted, as a table with empty slots."""
    if rows == 1:
        return keys[None]
    shift = _item_bits(rows) + _SCORE_BITS
    starts = np.searchsorted(keys, np.arange(rows, dtype=np.uint64) << shift)
    places = starts[:, None] + np.arange(k)
    there = places < np.append(starts[1:], len(keys))[:, None]
    table = np.full((rows, k), _EMPTY << _item_bits(rows))
    table[there] = keys[places[there]]
    return table


def _flip(bits: NDArray[np.int32]) -> None:
    """Between the bits of a float and an unsigned number in descending order; its own inverse.

    Floats of one sign are ordered as their bits are, the negative ones backwards already.
    """
    bits ^= ~(bits >> 31) & np.int32(0x7FFF_FFFF)
