"""What an index refuses, alike in all of them: vectors, queries and filters that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.ragged import Ragged
from matinee.types import EMPTY_ITEM, FloatArray, IntArray

# Places in a table of scores: rows and columns, int64 [m] each.
Cells = tuple[NDArray[np.int64], NDArray[np.int64]]


def checked_items(
    vectors: FloatArray, bias: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """The vectors [n, d] and the bias [n] of items as float32, each row in one piece.

    Raises:
        DataError: no vectors, other shapes, or a value that is not finite.
    """
    if vectors.ndim != 2 or not len(vectors):
        raise DataError(f"index vectors of shape {vectors.shape}; expected [items, size]")
    if bias is not None and bias.shape != vectors.shape[:1]:
        raise DataError(f"index bias of shape {bias.shape}; expected {vectors.shape[:1]}")
    vectors = _float32(vectors)
    finite = np.isfinite(vectors).all(axis=1)
    if bias is not None:
        bias = _float32(bias)
        finite &= np.isfinite(bias)
    if not finite.all():
        raise DataError(
            f"the vector of item {int(np.argmin(finite))} is not finite; the model diverged; "
            "train with a smaller learning rate"
        )
    return vectors, bias


def checked_queries(vectors: FloatArray, width: int) -> FloatArray:
    """The queries [b, width] as float32.

    Raises:
        ConfigError: another shape.
        DataError: a value that is not finite.
    """
    if vectors.ndim != 2 or vectors.shape[1] != width:
        raise ConfigError(f"query vectors of shape {vectors.shape}; expected [b, {width}]")
    vectors = _float32(vectors)
    finite = np.isfinite(vectors)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1)))
        raise DataError(f"the vector of query {row} is not finite; expected finite numbers alone")
    return vectors


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
    own = Ragged.of(exclude)
    rows = np.repeat(np.arange(len(own)), np.diff(own.offsets))
    items = own.values.astype(np.int64)
    if EMPTY_ITEM in items:
        filled = items != EMPTY_ITEM
        rows, items = rows[filled], items[filled]
    if len(items) and not 0 <= items.min() <= items.max() < n_items:
        wrong = items[(items < 0) | (items >= n_items)][0]
        raise ConfigError(f"excluded item number {wrong}; expected 0 … {n_items - 1} (or -1)")
    return rows, items


def _float32(values: FloatArray) -> FloatArray:
    """In one piece; what is too large for float32 turns infinite, which the caller refuses."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)
