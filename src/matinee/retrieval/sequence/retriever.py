"""A trained next-film model as a value: tensors and an index, NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.index.exact import ExactIndex
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.encoder import Encoder, encoder_shapes
from matinee.retrieval.sequence.sequences import Sequences
from matinee.types import FloatArray, IntArray, Query, TopK, known_users


class SequenceRetriever:
    """Reads a history, newest film last, and retrieves what is likely to come next.

    A visitor's history and a known user's training ratings go the same way; a stranger has none
    and gets the films that most people rated.

    Args:
        movie_vectors: float32 [n_items, d].
        movie_bias: float32 [n_items], added to the films' scores.
        encoder: the query tower.
        user_vectors: float32 [n_users + 1, d], what the tower reads of each user beside the films,
            and of an unknown one; without rows where it reads nothing.
        train: the ratings it was fitted on.
        losses: of each epoch.
    """

    source = "sequence"

    def __init__(
        self,
        movie_vectors: FloatArray,
        movie_bias: FloatArray,
        encoder: Encoder,
        user_vectors: FloatArray,
        train: Ratings,
        losses: tuple[float, ...] = (),
    ) -> None:
        self.movie_vectors = movie_vectors
        self.movie_bias = movie_bias
        self.encoder = encoder
        self.user_vectors = user_vectors
        self.losses = losses
        self.sequences = Sequences(train)
        # Low stars are read as such, so every film of a history speaks for its owner's taste.
        self.liked_from = train.scale[0]
        # Two dimensions more: the bias for those with a history, the counts for those without.
        counts = train.item_counts().astype(np.float32)
        self._index = ExactIndex(np.column_stack([movie_vectors, movie_bias, counts]))

    @classmethod
    def of(cls, tensors: Mapping[str, FloatArray], train: Ratings) -> SequenceRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        films, bias = tensors["movie_vectors"], tensors["movie_bias"]
        return cls(films, bias, Encoder.of(tensors), tensors["user_vectors"], train)

    @staticmethod
    def shapes(config: SequenceConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {
            "movie_vectors": (n_items, config.embedding_size),
            "movie_bias": (n_items,),
            "user_vectors": (n_users + 1 if config.reads_users else 0, config.embedding_size),
            **encoder_shapes(config),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the retriever."""
        return {
            "movie_vectors": self.movie_vectors,
            "movie_bias": self.movie_bias,
            "user_vectors": self.user_vectors,
            **self.encoder.tensors(),
        }

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best films of each query; see `Retriever.retrieve`."""
        vectors, empty = self._read(queries)
        asked = np.column_stack([vectors, ~empty, empty]).astype(np.float32)
        return self._index.search(asked, k, exclude, allow)

    def vectors(self, queries: Sequence[Query]) -> FloatArray:
        """The queries' vectors, float32 [b, d]; 0 where nothing is known."""
        return self._read(queries)[0]

    def _read(self, queries: Sequence[Query]) -> tuple[FloatArray, NDArray[np.bool_]]:
        """The queries' vectors, and which of them have no history."""
        histories = self.sequences.of(queries, self.encoder.longest)
        owners = np.zeros((len(queries), self.movie_vectors.shape[1]), np.float32)
        if len(self.user_vectors):
            owners = self.user_vectors[known_users(queries, len(self.user_vectors) - 1)]
        vectors = self.encoder.vectors(self.movie_vectors, histories, owners)
        return vectors, np.array([not len(own.films) for own in histories], np.bool_)

    def similar(self, item: int, k: int) -> TopK:
        """The k films whose vectors point most nearly where this film's does (cosine)."""
        own = np.array([item], np.int32)
        return self._directions.search(self._directions.vectors[own], k, exclude=[own])

    @property
    def directions(self) -> FloatArray:
        """The films' vectors at length 1, float32 [n_items, d]."""
        return self._directions.vectors

    @cached_property
    def _directions(self) -> ExactIndex:
        lengths = np.maximum(np.linalg.norm(self.movie_vectors, axis=1), 1e-12)
        return ExactIndex(self.movie_vectors / lengths[:, None])
