"""Who has which films: what the models that read a history itself are asked with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.ratings import Ratings
from matinee.index.select import search_blocks
from matinee.types import FloatArray, IntArray, Query, TopK, known_users

# A SciPy CSR matrix; SciPy comes without types.
Csr = Any


class Histories:
    """The films of every training user, as rows of zeros and ones.

    Args:
        train: the ratings; their stars are not looked at.

    Attributes:
        matrix: float32 CSR [n_users + 1, n_items], 1 where the user rated the film; the last row,
            a stranger's, is empty.
        counts: float32 [n_items], how many rated each film.
        liked_from: stars from which a film in a newcomer's history speaks for their taste; see
            `liked_from`.
    """

    def __init__(self, train: Ratings) -> None:
        shape = (len(train.users) + 1, len(train.items))
        ones = np.ones(len(train), np.float32)
        pairs = sparse.coo_matrix((ones, (train.user_index, train.item_index)), shape=shape)
        # No pair stands there twice, so nothing has to be compared; and by way of columns, each
        # row's films come out sorted. Both passes are linear.
        pairs.has_canonical_format = True
        self.matrix: Csr = pairs.tocsc().tocsr()
        self.counts = train.item_counts().astype(np.float32)
        self.liked_from = liked_from(train)

    def of(self, queries: Sequence[Query]) -> Csr:
        """The films that speak for each query: float32 CSR [b, n_items].

        A history counts for whoever brings one, by its films of `liked_from` stars or more; else a
        known user has their training ratings, and a stranger has nothing.

        Raises:
            ConfigError: a user number out of range.
        """
        known = self.matrix[known_users(queries, self.matrix.shape[0] - 1)]
        brought = {row: self._liked(query) for row, query in enumerate(queries) if _brings(query)}
        if not brought:
            return known
        rows = np.split(known.indices, known.indptr[1:-1])
        for row, items in brought.items():
            rows[row] = items
        offsets = np.cumsum([0, *map(len, rows)])
        indices = np.concatenate(rows)
        ones = np.ones(len(indices), np.float32)
        return sparse.csr_matrix((ones, indices, offsets), shape=known.shape)

    def search(
        self,
        score: Callable[[slice], FloatArray],
        histories: Csr,
        k: int,
        exclude: Sequence[IntArray] | None,
        allow: NDArray[np.bool_] | None,
    ) -> TopK:
        """The k best films of each query; the most rated ones where the history is empty.

        Args:
            score: for a slice of the queries, fresh scores float32 [b, n_items].
            histories: of the queries, as `of` gives them.
            k: see `Retriever.retrieve`, as for the rest.
            exclude: per query, films that must not come back.
            allow: the films that may.
        """
        empty = np.diff(histories.indptr) == 0

        def score_or_counts(rows: slice) -> FloatArray:
            block = score(rows)
            block[empty[rows]] = self.counts
            return block

        size, width = histories.shape
        return search_blocks(score_or_counts, size, width, k, exclude, allow)

    def _liked(self, query: Query) -> IntArray:
        items, ratings = query.history
        return np.unique(items[ratings >= self.liked_from])


def liked_from(train: Ratings) -> float:
    """Stars from which a film in a newcomer's history speaks for their taste.

    That is the middle of the scale, or the lowest stars among the training ratings if these are
    higher: a model that learned from ratings of 4 and 5 alone is asked with such alone.
    """
    middle = sum(train.scale) / 2
    return max(middle, float(train.rating.min())) if len(train) else middle


def _brings(query: Query) -> bool:
    return len(query.history[0]) > 0
