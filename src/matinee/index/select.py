"""The k best of many scores, exactly: filters first, equal scores in the order of their items.

Sorting or partitioning whole rows would cost several times what the matrix product costs that made
them. Here each score is compared with a bound of its row, and only the few that reach it are looked
at: one integer each, score above and item below, so that one sort settles both the order and the
ties.
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
# The packed form of an empty slot, score -inf and item -1; it sorts behind everything.
_EMPTY = np.uint64(0xFF80_0000_FFFF_FFFF)
_ITEM_BITS = np.uint64(32)


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
        scores: float32 [b, n] without NaN; -inf is not eligible.
        k: how many; n may be smaller.

    Returns:
        items int32 [b, k] and scores float32 [b, k]; slots without an eligible column hold -1
        and -inf.
    """
    rows, width = scores.shape
    if width < 4 * k:
        # A bound would hardly leave anything out.
        keys = _packed(scores, np.arange(width, dtype=np.uint64))
        return _first_of(keys, k)
    above = scores >= lower_bounds(scores, k)
    cells = np.flatnonzero(above)
    if len(cells) > 4 * rows * k:
        _thin_ties(scores, above, k)
        cells = np.flatnonzero(above)
    row = cells // width
    keys = _packed(scores[row, cells - row * width], (cells - row * width).view(np.uint64))
    return _first_of(_by_row(row, keys, np.bincount(row, minlength=rows)), k)


class Candidates:
    """What reaches the bound of its row, of tables that are offered one after the other.

    Args:
        bound: float32 [b, 1], for each row what its k best are hoped to reach and few others.
        limit: how many of a row are kept at most.
    """

    def __init__(self, bound: FloatArray, limit: int) -> None:
        self._bound = bound
        self._limit = limit
        # As wide as the scores, since NumPy compares two whole arrays twice as fast as an array
        # and a column.
        self._wide_bound = bound
        self._above = np.empty(bound.shape, np.bool_)
        self._found: list[tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]] = []
        self._kept = 0

    def offer(self, scores: FloatArray, items: NDArray[np.int64]) -> None:
        """Takes scores float32 [b, w], without NaN, of the items with the numbers int64 [w]."""
        width = scores.shape[1]
        if self._above.shape != scores.shape:
            self._above = np.empty(scores.shape, np.bool_)
            self._wide_bound = np.repeat(self._bound, width, axis=1)
        np.greater_equal(scores, self._wide_bound, out=self._above)
        cells = _true_places(self._above)
        row = cells // width
        column = cells - row * width
        self._found.append((row, items[column], scores[row, column]))
        self._kept += len(cells)
        if self._kept > self._limit * len(self._bound):
            self._close_crowded()

    def top(self, k: int) -> tuple[IntArray, FloatArray, NDArray[np.int64]]:
        """The k best of each row as `top_k` gives them, and the rows of which that is not known.

        Those are the rows with less than k that reached their bound, or with more than the limit.
        """
        counts = self._close_crowded()
        row, items, scores = self._found[0]
        keys = _by_row(row, _packed(scores, items.view(np.uint64)), counts)
        return *_first_of(keys, k), np.flatnonzero(counts < k)

    def _close_crowded(self) -> NDArray[np.int64]:
        """Forgets the rows beyond the limit for good; gives how many of each row are kept."""
        row, items, scores = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        counts = np.bincount(row, minlength=len(self._bound))
        crowded = counts > self._limit
        if crowded.any():
            self._bound[crowded] = np.nan  # Nothing reaches it.
            self._above = np.empty(0, np.bool_)
            open_ = ~crowded[row]
            row, items, scores = row[open_], items[open_], scores[open_]
            counts[crowded] = 0
        self._found, self._kept = [(row, items, scores)], len(row)
        return counts


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
    filled = np.flatnonzero(words != 0)
    places = np.flatnonzero(words[filled].view(np.bool_))
    return (filled[places >> 3] << 3) + (places & 7)


def _by_row(row: NDArray[np.int64], keys: Keys, counts: NDArray[np.int64]) -> Keys:
    """The keys [m] of the rows [m] as a table with a line for each row, filled up with empty ones.

    `counts` [b] says how many keys each row has.
    """
    if len(counts) == 1:
        return keys[None]
    # Integers of 16 bits are sorted by radix, in linear time.
    order = np.argsort(row.astype(np.min_scalar_type(len(counts))), kind="stable")
    row, keys = row[order], keys[order]
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((len(counts), counts.max(initial=0)), _EMPTY)
    table[row, place] = keys
    return table


def _first_of(keys: Keys, k: int) -> tuple[IntArray, FloatArray]:
    """The first k of each line [b, m], m being as it may, as items and scores [b, k]."""
    keys.sort(axis=1)
    if keys.shape[1] < k:
        keys = np.pad(keys, ((0, 0), (0, k - keys.shape[1])), constant_values=_EMPTY)
    return _unpacked(keys[:, :k])


def _packed(scores: FloatArray, items: Keys) -> Keys:
    """One integer each, ascending where scores descend and, within equal ones, items ascend."""
    # Adding zero turns -0.0 into 0.0: they are equal, so they must be alike here.
    bits = (scores + np.float32(0)).view(np.int32)
    _flip(bits)
    keys = bits.view(np.uint32).astype(np.uint64)
    keys <<= _ITEM_BITS
    keys |= items
    return keys


def _unpacked(keys: Keys) -> tuple[IntArray, FloatArray]:
    """Items int32 and scores float32; whatever scores -inf is an empty slot."""
    bits = (keys >> _ITEM_BITS).astype(np.uint32).view(np.int32)
    _flip(bits)
    scores = bits.view(np.float32)
    items = keys.astype(np.uint32).view(np.int32)
    items[np.isneginf(scores)] = EMPTY_ITEM
    return items, scores


def _flip(bits: NDArray[np.int32]) -> None:
    """Between the bits of a float and an unsigned number in descending order; its own inverse.

    Floats of one sign are ordered as their bits are, the negative ones backwards already.
    """
    bits ^= ~(bits >> 31) & np.int32(0x7FFF_FFFF)
