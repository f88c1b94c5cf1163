"""Films whose viewers are the same: item-based nearest neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.config import require
from matinee.data.ratings import Ratings
from matinee.errors import ModelFileError
from matinee.index.select import search_blocks, top_k
from matinee.retrieval.histories import Csr, Histories
from matinee.types import Contributions, FloatArray, IntArray, Query, TopK

# Similarities held at a time: 4 Mi floats, 16 MiB.
_BLOCK_SIMILARITIES = 1 << 22


@dataclass(frozen=True)
class ItemKnnConfig:
    """How films are compared; the defaults suit MovieLens 100K and 1M.

    Attributes:
        neighbors: how many nearest films speak for each one.
        shrinkage: added to the cosine's denominator, so that few common viewers prove little.
    """

    neighbors: int = 200
    shrinkage: float = 10.0

    def __post_init__(self) -> None:
        require(self.neighbors >= 1, "item-knn.neighbors", self.neighbors, "at least 1")
        require(
            0 <= self.shrinkage < math.inf,
            "item-knn.shrinkage",
            self.shrinkage,
            "at least 0 and finite",
        )


class ItemKnnRetriever:
    """Scores a film by the similarities of its nearest neighbours that the history has.

    Args:
        neighbors: float32 [n_items, k], the numbers of each film's nearest films, nearest first;
            -1 where there is none (they are whole, and exact below 2²⁴).
        similarities: float32 [n_items, k], how near those are; 0 where there is none.
        train: the ratings it was fitted on, which are the known users' histories.
    """

    source = "item-knn"

    def __init__(self, neighbors: FloatArray, similarities: FloatArray, train: Ratings) -> None:
        size = len(neighbors)
        if not ((neighbors >= -1) & (neighbors < size) & (neighbors % 1 == 0)).all():
            raise ModelFileError(
                f"item-knn neighbours outside -1 … {size - 1}, or no whole numbers; train it again"
            )
        self.neighbors = neighbors
        self.similarities = similarities
        self.histories = Histories(train)
        self.liked_from = self.histories.liked_from
        film, place = np.nonzero(similarities)
        near = neighbors[film, place].astype(np.int32)
        # Row i holds what film i in a history says of each film that has it for a neighbour.
        self._weights: Csr = sparse.csr_matrix(
            (similarities[film, place], (near, film)), shape=(len(neighbors), len(neighbors))
        )

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> ItemKnnRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        return cls(tensors["neighbors"], tensors["similarities"], train)

    @staticmethod
    def shapes(config: ItemKnnConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        shape = (n_items, min(config.neighbors, n_items))
        return {"neighbors": shape, "similarities": shape}

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the retriever, by the names of its arguments."""
        return {"neighbors": self.neighbors, "similarities": self.similarities}

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
            return (histories[rows] @ self._weights).toarray()

        return self.histories.search(score, histories, k, exclude, allow)

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """The similarities that the films give; exact. See `Explains.contributions`."""
        by_film: FloatArray = self._weights[films][:, items].toarray().T
        return Contributions(np.ascontiguousarray(by_film), np.zeros(len(items), np.float32))

    def similar(self, item: int, k: int) -> TopK:
        """The k nearest films, fewer where fewer are neighbours."""
        scores = np.full((1, len(self.neighbors)), -np.inf, np.float32)
        near = self.similarities[item] > 0
        scores[0, self.neighbors[item, near].astype(np.int32)] = self.similarities[item, near]
        return search_blocks(lambda rows: scores, 1, len(self.neighbors), k)


def fit_item_knn(train: Ratings, config: ItemKnnConfig | None = None) -> ItemKnnRetriever:
    """Find each film's nearest films.

    The similarity of films i and j is n_ij / (√(n_i n_j) + shrinkage): of their n_i and n_j
    viewers, n_ij are the same. Without shrinkage it is the cosine of the films' columns of zeros
    and ones (Deshpande & Karypis 2004, "Item-Based Top-N Recommendation Algorithms").

    Args:
        train: the ratings; their stars are not looked at.
        config: settings.
    """
    config = config or ItemKnnConfig()
    histories = Histories(train)
    viewers: Csr = histories.matrix.T.tocsr()
    size = len(train.items)
    kept = min(config.neighbors, size)
    neighbors = np.empty((size, kept), np.int32)
    similarities = np.empty((size, kept), np.float32)
    lengths = np.sqrt(histories.counts)
    step = max(1, _BLOCK_SIMILARITIES // size)
    for first in range(0, size, step):
        rows = slice(first, min(first + step, size))
        block: FloatArray = (viewers[rows] @ histories.matrix).toarray()
        together = block > 0
        # Only where films have common viewers, so nothing is divided by zero.
        denominator = np.outer(lengths[rows], lengths) + np.float32(config.shrinkage)
        np.divide(block, denominator, out=block, where=together)
        block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = 0
        block[block == 0] = -np.inf
        neighbors[rows], similarities[rows] = top_k(block, kept)
    similarities[np.isneginf(similarities)] = 0
    return ItemKnnRetriever(neighbors.astype(np.float32), similarities, train)
