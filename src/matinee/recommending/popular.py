"""What most people rated: for those of whom nothing is known, and where a model finds too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.index.exact import ExactIndex
from matinee.index.select import empty_top_k
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK


class Popular:
    """Completes lists by the films that most people rated.

    Args:
        counts: float32 [n_items], how many rated each film.
    """

    def __init__(self, counts: FloatArray) -> None:
        self.counts = counts
        self._index = ExactIndex(counts[:, None])

    def complete(
        self,
        found: TopK,
        strangers: NDArray[np.bool_],
        k: int,
        exclude: Sequence[IntArray] | None,
        allow: NDArray[np.bool_] | None,
    ) -> tuple[TopK, NDArray[np.bool_]]:
        """As many films in each list as are eligible, and which of them popularity gave.

        Args:
            found: what a model found for b queries.
            strangers: bool [b], for whom popularity alone decides.
            k: how many films are wanted.
            exclude: as `found` was asked for.
            allow: likewise.

        Returns:
            min(k, n_items) columns, and bool of their shape. Scores are the counts in the lists of
            strangers; in others they only carry on below the model's.
        """
        size, width = len(strangers), min(k, len(self.counts))
        whole = empty_top_k(size, width)
        kept = min(width, found.items.shape[1])
        whole.items[:, :kept], whole.scores[:, :kept] = (
            found.items[:, :kept],
            found.scores[:, :kept],
        )
        whole.items[:, kept:], whole.scores[:, kept:] = EMPTY_ITEM, -np.inf
        whole.items[strangers], whole.scores[strangers] = EMPTY_ITEM, -np.inf
        popular = whole.items == EMPTY_ITEM
        for row in np.flatnonzero(popular.any(axis=1)).tolist():
            own, scores = whole.row(row)
            left_out = own if exclude is None else np.concatenate([own, exclude[row]])
            more = self._index.search(np.ones((1, 1), np.float32), width, [left_out], allow)
            start, missing = len(own), width - len(own)
            whole.items[row, start:] = more.items[0, :missing]
            whole.scores[row, start:] = more.scores[0, :missing]
            if start:
                below = scores.min() - 1 - np.arange(missing, dtype=np.float32)
                filled = whole.items[row, start:] != EMPTY_ITEM
                whole.scores[row, start:] = np.where(filled, below, np.float32(-np.inf))
        return whole, popular & (whole.items != EMPTY_ITEM)
