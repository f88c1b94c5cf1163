"""EASE, a linear model of films by films in closed form (Steck 2019)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from matinee.config import require
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.index.select import search_blocks
from matinee.retrieval.histories import Csr, Histories
from matinee.types import Contributions, FloatArray, IntArray, Query, TopK

# SciPy makes these at import and has no types for them.
_LAPACK: Any = lapack
# Past this many films a table of all pairs no longer fits the memory of a common computer.
MOST_FILMS = 20_000
# Rows of the table that are worked on at a time.
_BLOCK_FILMS = 512


@dataclass(frozen=True)
class EaseConfig:
    """How strongly the weights are held back.

    Attributes:
        l2: weight of the squared weights; more suits fewer ratings.
    """

    l2: float = 400.0

    def __post_init__(self) -> None:
        require(0 < self.l2 < math.inf, "ease.l2", self.l2, "above 0 and finite")


class EaseRetriever:
    """Scores a film by the weights that the films of the history give it: x B.

    Args:
        weights: float32 [n_items, n_items], B; row i is what film i in a history says of each.
        train: the ratings it was fitted on, which are the known users' histories.
    """

    source = "ease"

    def __init__(self, weights: FloatArray, train: Ratings) -> None:
        self.weights = weights
        self.histories = Histories(train)
        self.liked_from = self.histories.liked_from

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> EaseRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        return cls(tensors["weights"], train)

    @staticmethod
    def shapes(config: EaseConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {"weights": (n_items, n_items)}

    def tensors(self) -> dict[str, FloatArray]:
        """The array that makes the retriever."""
        return {"weights": self.weights}

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best films of each query; see `Retriever.retrieve` and `Histories.of`."""
        histories = self.histories.of(queries)

        def score(rows: slice) -> FloatArray:
            return histories[rows] @ self.weights

        return self.histories.search(score, histories, k, exclude, allow)

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """The weights that the films give; exact. See `Explains.contributions`."""
        by_film = np.ascontiguousarray(self.weights[np.ix_(films, items)].T)
        return Contributions(by_film, np.zeros(len(items), np.float32))

    def similar(self, item: int, k: int) -> TopK:
        """The k films that a history of this one alone leads to, by its row of weights."""
        own = np.array([item], np.int32)
        return search_blocks(lambda rows: self.weights[own], 1, len(self.weights), k, [own])


def fit_ease(train: Ratings, config: EaseConfig | None = None) -> EaseRetriever:
    """Solve for the weights B that rebuild each history from its other films.

    They minimize |X - X B|² + l2 |B|² with a diagonal of zeros, where X is users by films of zeros
    and ones: B_ij = -P_ij / P_jj for P = (XᵀX + l2 I)⁻¹ (Steck 2019, "Embarrassingly Shallow
    Autoencoders for Sparse Data"). Memory and time grow as n_items² (12 bytes a pair of films, so
    4.8 GB for 20,000) and n_items³.

    Args:
        train: the ratings; their stars are not looked at.
        config: settings.

    Raises:
        DataError: l2 is too small for the ratings to be solved in double precision, or there are
            more than 20,000 films.
    """
    l2 = (config or EaseConfig()).l2
    size = len(train.items)
    if size > MOST_FILMS:
        raise DataError(
            f"EASE weighs all pairs of films: {size:,} films need {_gigabytes(size):.0f} GB and "
            f"hours; expected at most {MOST_FILMS:,}; use ials or item-knn, or leave out films "
            "with few ratings"
        )
    return EaseRetriever(solved(together(train), l2), train)


def solved(gram: NDArray[np.float64], l2: float) -> FloatArray:
    """The weights float32 [n, n] of n columns whose inner products are given.

    Args:
        gram: float64 [n, n], which is overwritten.
        l2: weight of the squared weights.

    Raises:
        DataError: l2 is too small.
    """
    np.fill_diagonal(gram, gram.diagonal() + l2)
    # A symmetric matrix read by columns is itself, so LAPACK works in place, half by half.
    half, failed = _LAPACK.dpotrf(gram.T, lower=True, overwrite_a=True)
    if failed:
        raise DataError(f"EASE's l2 = {l2:g} leaves films that cannot be told apart; give more")
    half, _ = _LAPACK.dpotri(half, lower=True, overwrite_c=True)
    return _weights(half)


def _gigabytes(size: int) -> float:
    """What fitting takes at its peak: a table of float64 and one of float32."""
    return 12 * size**2 / 1e9


def together(train: Ratings) -> NDArray[np.float64]:
    """XᵀX, how many users rated both of two films: float64 [n_items, n_items]."""
    matrix = Histories(train).matrix
    viewers: Csr = matrix.T.tocsr()
    size = len(train.items)
    found = np.empty((size, size))
    for first in range(0, size, _BLOCK_FILMS):
        rows = slice(first, first + _BLOCK_FILMS)
        found[rows] = (viewers[rows] @ matrix).toarray()
    return found


def _weights(half: NDArray[np.float64]) -> FloatArray:
    """B float32 [n, n] from the lower half of P, float64 [n, n]."""
    weights = np.empty(half.shape, np.float32)
    scale = -1 / half.diagonal()
    for first in range(0, len(half), _BLOCK_FILMS):
        last = min(first + _BLOCK_FILMS, len(half))
        block = np.tril(half[first:last, first:last])
        block += np.tril(block, -1).T
        weights[first:last, first:last] = block * scale[first:last]
        below = half[last:, first:last]
        weights[last:, first:last] = below * scale[first:last]
        weights[first:last, last:] = below.T * scale[last:]
    np.fill_diagonal(weights, 0)
    return weights
