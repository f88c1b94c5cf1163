"""The k best of many scores, exactly: filters first, equal scores in the order of their items.

Sorting or partitioning whole rows would cost several times what the matrix product costs that made
them. `Best` reads each score once, in cache, compares it with a lower bound of the row's k-th best,
and looks closer at the few that pass. A candidate is one integer, score above and item below, so
that one sort settles both the order and the ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.index.blocks import in_blocks
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

Keys = NDArray[np.uint64]
# Places in a table of scores: rows and columns, int64 [m] each.
Cells = tuple[NDArray[np.int64], NDArray[np.int64]]

# Scores that one block holds: 4 Mi floats, 16 MiB; a few blocks live at once, one a thread.
_BLOCK_SCORES = 1 << 22
# Groups whose maxima give the first lower bound: more are a tighter bound and a longer partition.
_GROUPS = 512
# So few scores are sorted as they are.
_FEW_SCORES = 1 << 11
# Candidates that may wait for the next merge, as a share of k: merging raises the bound, at a cost.
_PATIENCE = 1.0
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


def check_filters(
    n_queries: int,
    n_items: int,
    k: int,
    exclude: Sequence[IntArray] | None,
    allow: NDArray[np.bool_] | None,
) -> None:
    """Refuses a question that does not fit the catalogue.

    Raises:
        ConfigError: k below 1, or `exclude` or `allow` of another size.
    """
    if k < 1:
        raise ConfigError(f"k = {k}; expected at least 1")
    if exclude is not None and len(exclude) != n_queries:
        raise ConfigError(f"{len(exclude)} exclusions for {n_queries} queries; expected one each")
    if allow is not None and (allow.shape != (n_items,) or allow.dtype != np.bool_):
        raise ConfigError(f"allow is {allow.dtype} {allow.shape}; expected bool ({n_items},)")


def excluded_cells(exclude: Sequence[IntArray], n_items: int) -> Cells:
    """The rows and the items of all exclusions, empty slots (-1) left out.

    Raises:
        ConfigError: a number outside 0 … n_items - 1.
    """
    rows = np.repeat(np.arange(len(exclude)), [len(own) for own in exclude])
    items = np.concatenate(exclude).astype(np.int64)
    filled = items != EMPTY_ITEM
    rows, items = rows[filled], items[filled]
    if len(items) and not 0 <= items.min() <= items.max() < n_items:
        wrong = items[(items < 0) | (items >= n_items)][0]
        raise ConfigError(f"excluded item number {wrong}; expected 0 … {n_items - 1} (or -1)")
    return rows, items


def empty_top_k(n_queries: int, k: int) -> TopK:
    """Room for the answers, not yet filled."""
    return TopK(np.empty((n_queries, k), np.int32), np.empty((n_queries, k), np.float32))


def top_k(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k largest of each row, descending, equal ones in the order of their columns.

    Args:
        scores: float32 [b, n] without NaN; -inf is not eligible.
        k: 1 … n.

    Returns:
        items int32 [b, k] and scores float32 [b, k]; slots without an eligible column hold -1
        and -inf.
    """
    best = Best(len(scores), k)
    best.offer(scores, 0)
    return best.top()


class Best:
    """The k best of each row among the columns offered so far.

    Args:
        rows: b, how many rows.
        k: how many columns to keep of each.
    """

    def __init__(self, rows: int, k: int) -> None:
        self._k = k
        self._keys = np.full((rows, k), _EMPTY)
        # What a score must exceed to get in: [b, 1]; and as wide as the scores, since NumPy
        # compares two whole arrays twice as fast as an array and a column.
        self._bound = np.full((rows, 1), -np.inf, np.float32)
        self._wide_bound = self._bound
        self._above = np.empty((rows, 1), np.bool_)
        self._untouched = True
        self._candidates: list[tuple[NDArray[np.int64], Keys]] = []
        self._waiting = 0

    def offer(self, scores: FloatArray, first: int) -> None:
        """Takes the next columns, always after those of the calls before.

        Args:
            scores: float32 [b, w] without NaN; -inf never gets in.
            first: the number of the first column.
        """
        rows, width = scores.shape
        if self._untouched:
            self._untouched = False
            if width < 4 * self._k or scores.size <= _FEW_SCORES:
                # A bound would hardly leave anything out, or cost more than it saves.
                items = np.arange(first, first + width, dtype=np.uint64)
                self._keep(_packed(scores, items))
                return
            self._raise_bound(_lower_bounds(scores, self._k))
        if self._above.shape != scores.shape:
            self._above = np.empty(scores.shape, np.bool_)
            self._wide_bound = np.repeat(self._bound, width if rows > 1 else 1, axis=1)
        # A later column that equals the k-th best stands behind it: only greater ones matter.
        np.greater(scores, self._wide_bound, out=self._above)
        cells = np.flatnonzero(self._above)
        if not len(cells):
            return
        if len(cells) > 4 * rows * self._k:
            self._thin_ties(scores)
            cells = np.flatnonzero(self._above)
        row = cells // width
        items = (cells - row * width + first).view(np.uint64)
        self._candidates.append((row, _packed(scores.reshape(-1)[cells], items)))
        self._waiting += len(cells)
        if self._waiting > rows * self._k * _PATIENCE:
            self._merge()

    def top(self) -> tuple[IntArray, FloatArray]:
        """Items int32 [b, k] and scores float32 [b, k], as `top_k` returns them."""
        self._merge()
        return _unpacked(self._keys)

    def _thin_ties(self, scores: FloatArray) -> None:
        """Of a crowd that ties, as the zeros of sparse scores do, the first k are enough."""
        for row in np.flatnonzero(self._above.sum(axis=1) > 4 * self._k):
            own, above = scores[row], self._above[row]
            least = np.partition(own, -self._k)[-self._k]
            above &= own >= least
            above[np.flatnonzero(above & (own == least))[self._k :]] = False

    def _merge(self) -> None:
        """Puts the waiting candidates beside the best of their rows, and keeps the best."""
        if not self._candidates:
            return
        row = np.concatenate([row for row, _ in self._candidates])
        keys = np.concatenate([keys for _, keys in self._candidates])
        self._candidates, self._waiting = [], 0
        if len(self._keys) > 1:
            # Integers of 16 bits are sorted by radix, in linear time.
            order = np.argsort(row.astype(np.min_scalar_type(len(self._keys))), kind="stable")
            row, keys = row[order], keys[order]
        counts = np.bincount(row, minlength=len(self._keys))
        place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((len(counts), self._k + counts.max()), _EMPTY)
        table[:, : self._k] = self._keys
        table[row, self._k + place] = keys
        self._keep(table)

    def _keep(self, keys: Keys) -> None:
        """Keeps the k best of `keys` [b, m] and raises the bound to the last of them."""
        keys.sort(axis=1)
        kept = min(self._k, keys.shape[1])
        self._keys[:, :kept] = keys[:, :kept]
        self._raise_bound(_unpacked(self._keys[:, -1:])[1])

    def _raise_bound(self, bound: FloatArray) -> None:
        self._bound = np.maximum(self._bound, bound)
        self._wide_bound[:] = self._bound


def _lower_bounds(scores: FloatArray, k: int) -> FloatArray:
    """A value for each row, float32 [b, 1], that the k best exceed and few others do.

    The columns are dealt into groups; k groups have a maximum of at least the k-th largest
    maximum, so at least k columns reach it.
    """
    rows, width = scores.shape
    members = width // max(2 * k, min(_GROUPS, width // 2))
    groups = width // members
    whole = scores[:, : groups * members].reshape(rows, members, groups)
    bound = np.partition(whole.max(axis=1), groups - k, axis=1)[:, groups - k, None]
    # The next smaller one, and not a denormal, which some processor modes take for zero.
    return np.nextafter(bound - np.finfo(np.float32).tiny, np.float32(-np.inf))


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
