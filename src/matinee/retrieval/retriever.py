"""A trained two-tower model as a value: two tables and an index, NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.errors import ModelFileError
from matinee.index.exact import ExactIndex
from matinee.retrieval.config import RetrievalConfig
from matinee.retrieval.fold_in import FoldIn
from matinee.retrieval.histories import liked_from
from matinee.types import Contributions, FloatArray, IntArray, Query, TopK, known_users


class TwoTowerRetriever:
    """Retrieves by the inner product of the user's and the films' vectors.

    Args:
        user_vectors: float32 [n_users + 1, d]; the last row is the unknown user's.
        movie_vectors: float32 [n_items, d], already divided by the temperature.
        movie_bias: float32 [n_items], added to the films' scores.
        movie_offset: float32 [n_items], what the loss added to the films' logits while training
            (the bias, or the log of their popularity): what a newcomer's vector is fitted with.
        liked_from: stars from which a film in a newcomer's history speaks for their taste. The
            towers learn who rated what, so a film rated lower only says what not to show again.
    """

    source = "two-tower"

    def __init__(
        self,
        user_vectors: FloatArray,
        movie_vectors: FloatArray,
        movie_bias: FloatArray,
        movie_offset: FloatArray,
        liked_from: float,
    ) -> None:
        if user_vectors.shape[1] != movie_vectors.shape[1]:
            raise ModelFileError(
                f"user vectors of length {user_vectors.shape[1]} and film vectors of length "
                f"{movie_vectors.shape[1]}; expected the same; train the model again"
            )
        self.user_vectors = user_vectors
        self.movie_offset = movie_offset
        self.liked_from = liked_from
        self.index = ExactIndex(movie_vectors, movie_bias)

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> TwoTowerRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        return cls(**tensors, liked_from=liked_from(train))

    @staticmethod
    def shapes(config: RetrievalConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {
            "user_vectors": (n_users + 1, config.embedding_size),
            "movie_vectors": (n_items, config.embedding_size),
            "movie_bias": (n_items,),
            "movie_offset": (n_items,),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the retriever, by the names of its arguments."""
        bias = self.index.bias
        return {
            "user_vectors": self.user_vectors,
            "movie_vectors": self.index.vectors,
            "movie_bias": np.zeros(len(self.index), np.float32) if bias is None else bias,
            "movie_offset": self.movie_offset,
        }

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best films of each query; see `Retriever.retrieve`."""
        return self.index.search(self.vectors(queries), k, exclude, allow)

    def vectors(self, queries: Sequence[Query]) -> FloatArray:
        """The queries' vectors, float32 [b, d].

        A history counts for whoever brings one; else a known user has a vector of their own, and a
        stranger has the unknown user's.
        """
        users = known_users(queries, len(self.user_vectors) - 1)
        vectors = self.user_vectors[users]
        for row, query in enumerate(queries):
            items, ratings = query.history
            if len(items):
                vectors[row] = self.fold_in.vector(items[ratings >= self.liked_from])
        return vectors

    def similar(self, item: int, k: int) -> TopK:
        """The k films whose vectors point most nearly where this film's does (cosine)."""
        own = np.array([item], np.int32)
        return self._directions.search(self._directions.vectors[own], k, exclude=[own])

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """To first order; see `Explains.contributions` and `FoldIn.influence`."""
        vector = self.vectors([query])[0]
        by_film = self.fold_in.influence(vector, films, items)
        scores = self.index.scores(vector, items)
        return Contributions(by_film, scores - by_film.sum(axis=1))

    @property
    def directions(self) -> FloatArray:
        """The films' vectors at length 1, float32 [n_items, d]."""
        return self._directions.vectors

    @cached_property
    def _directions(self) -> ExactIndex:
        vectors = self.index.vectors
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
        return ExactIndex(vectors / lengths[:, None])

    @cached_property
    def fold_in(self) -> FoldIn:
        """What turns a newcomer's history into a vector."""
        return FoldIn.of(self.index.vectors, self.movie_offset, self.user_vectors[:-1])
