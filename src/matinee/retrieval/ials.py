"""iALS: who rated what, factorized by alternating least squares (Rendle et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed, require
from matinee.console import progress_bar
from matinee.data.ratings import Ratings
from matinee.index.blocks import blas_on_one_thread
from matinee.index.exact import ExactIndex
from matinee.retrieval.histories import Csr, Histories
from matinee.retrieval.least_squares import Objective, half_sweep
from matinee.retrieval.warm import warm_epochs
from matinee.types import Contributions, FloatArray, IntArray, Query, TopK, known_users


@dataclass(frozen=True)
class IalsConfig:
    """What is minimized, and how long; the defaults suit MovieLens 100K and 1M.

    Attributes:
        embedding_size: length of a user's and of a film's vector.
        sweeps: how often the films' and the users' vectors are solved for in turn.
        alpha0: weight of every pair of user and film, rated or not; a rated one has 1 besides.
        l2: weight of the squared vectors.
        nu: how much more those with many ratings are held back: 0 not at all, 1 in proportion.
        init_std: the users' vectors start normal with this over √embedding_size.
    """

    embedding_size: int = 128
    sweeps: int = 10
    alpha0: float = 0.3
    l2: float = 0.35
    nu: float = 0.5
    init_std: float = 0.1

    def __post_init__(self) -> None:
        for name, most in (("embedding_size", 1 << 16), ("sweeps", 1 << 31)):
            value = getattr(self, name)
            require(1 <= value <= most, f"ials.{name}", value, f"1 … {most}")
        for name in ("alpha0", "l2", "init_std"):
            value = getattr(self, name)
            require(0 < value < math.inf, f"ials.{name}", value, "above 0 and finite")
        require(0 <= self.nu <= 1, "ials.nu", self.nu, "in [0, 1]")


class IalsRetriever:
    """Scores a film by the inner product of its vector and the user's.

    Args:
        user_vectors: float32 [n_users, d].
        movie_vectors: float32 [n_items, d].
        objective: float32 [3], alpha0, l2 and nu of the settings: what a newcomer's vector is
            solved for with.
        histories: of the ratings it was fitted on.
        losses: after each sweep.
    """

    source = "ials"

    def __init__(
        self,
        user_vectors: FloatArray,
        movie_vectors: FloatArray,
        objective: FloatArray,
        histories: Histories,
        losses: tuple[float, ...] = (),
    ) -> None:
        self.user_vectors = user_vectors
        self.movie_vectors = movie_vectors
        self.objective = objective
        self._objective = Objective(*objective.tolist())
        self.losses = losses
        self.histories = histories
        self.liked_from = self.histories.liked_from

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> IalsRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        vectors = tensors["user_vectors"], tensors["movie_vectors"]
        return cls(*vectors, tensors["objective"], Histories(train))

    @staticmethod
    def shapes(config: IalsConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        size = config.embedding_size
        return {
            "user_vectors": (n_users, size),
            "movie_vectors": (n_items, size),
            "objective": (3,),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the retriever, by the names of its arguments."""
        return {
            "user_vectors": self.user_vectors,
            "movie_vectors": self.movie_vectors,
            "objective": self.objective,
        }

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best films of each query; see `Retriever.retrieve` and `Histories.of`."""
        histories = self.histories.of(queries)
        vectors = self._vectors(queries, histories)

        def score(rows: slice) -> FloatArray:
            return vectors[rows] @ self.movie_vectors.T

        return self.histories.search(score, histories, k, exclude, allow)

    def vectors(self, queries: Sequence[Query]) -> FloatArray:
        """The queries' vectors, float32 [b, d]; 0 where nothing is known."""
        return self._vectors(queries, self.histories.of(queries))

    def similar(self, item: int, k: int) -> TopK:
        """The k films whose vectors point most nearly where this film's does (cosine)."""
        own = np.array([item], np.int32)
        return self._directions.search(self._directions.vectors[own], k, exclude=[own])

    def fold_in(self, items: IntArray) -> FloatArray:
        """The vector float32 [d] of somebody who likes `items` int32 [h], in closed form.

        It is the one that a training user with these ratings is given, the films held fixed. In
        the basis of the eigenvectors of alpha0 FᵀF, F being all films' vectors, only the h films'
        part is not diagonal, so a system of h equations gives it (Woodbury's identity).
        """
        scaled, system = self._system(items)
        weights = cast("NDArray[np.float64]", np.linalg.solve(system, np.ones(len(items))))
        return (self._basis[1] @ (weights @ scaled)).astype(np.float32)

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """What scores would lose without each film, exactly but that the penalty stays as it is.

        With the system S of `fold_in`, whose solution is S⁻¹1, a score is k·S⁻¹1, k being what S
        has between the film asked for and those of the history; without the history's film h it
        is lower by (k·S⁻¹)_h (S⁻¹1)_h / (S⁻¹)_hh. See `Explains.contributions`.
        """
        vector = self.vectors([query])[0]
        scaled, system = self._system(films)
        inverse = cast("NDArray[np.float64]", np.linalg.inv(system))
        asked = (self.movie_vectors[items] @ self._basis[1]) @ scaled.T
        by_film = (asked @ inverse * (inverse.sum(axis=1) / np.diag(inverse))).astype(np.float32)
        return Contributions(by_film, self.movie_vectors[items] @ vector - by_film.sum(axis=1))

    def _system(self, items: IntArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A history's films in the basis, over its diagonal [h, d], and the system [h, h]."""
        gram, basis = self._basis
        penalty = self._objective.penalty(np.array([len(items)]), len(self.movie_vectors))
        liked = self.movie_vectors[items] @ basis
        scaled = liked / (gram + penalty)
        return scaled, np.eye(len(items)) + scaled @ liked.T

    def _vectors(self, queries: Sequence[Query], histories: Csr) -> FloatArray:
        users = known_users(queries, len(self.user_vectors))
        known = users < len(self.user_vectors)
        vectors = np.zeros((len(queries), self.user_vectors.shape[1]), np.float32)
        vectors[known] = self.user_vectors[users[known]]
        for row, query in enumerate(queries):
            if len(query.history[0]):
                first, last = histories.indptr[row : row + 2]
                vectors[row] = self.fold_in(histories.indices[first:last])
        return vectors

    @cached_property
    def _basis(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Eigenvalues [d] and eigenvectors [d, d] of alpha0 FᵀF."""
        vectors = self.movie_vectors.astype(np.float64)
        return cast(Any, np.linalg.eigh(self._objective.alpha0 * (vectors.T @ vectors)))

    @property
    def directions(self) -> FloatArray:
        """The films' vectors at length 1, float32 [n_items, d]."""
        return self._directions.vectors

    @cached_property
    def _directions(self) -> ExactIndex:
        lengths = np.maximum(np.linalg.norm(self.movie_vectors, axis=1), 1e-12)
        return ExactIndex(self.movie_vectors / lengths[:, None])


def fit_ials(
    train: Ratings,
    config: IalsConfig | None = None,
    *,
    seed: int = 42,
    start: Mapping[str, FloatArray] | None = None,
) -> IalsRetriever:
    """Minimize the squared error of "rated is 1, all else 0", by turns in films and users.

    The loss of vectors w_u and h_i, where S are the n pairs that were rated, is

        Σ_S (1 - w_u·h_i)² + alpha0 Σ_all (w_u·h_i)² + Σ_u penalty_u |w_u|² + Σ_i penalty_i |h_i|²

    with `Objective.penalty` (Rendle et al. 2022, "Revisiting the Performance of iALS on Item
    Recommendation Benchmarks"; first Hu, Koren & Volinsky 2008).

    Args:
        train: the ratings; their stars are not looked at.
        config: settings.
        seed: of the first vectors.
        start: tensors of an older model under the ids of `train` (0 for new ones), to go on from
            in a quarter of the sweeps; None begins anew.
    """
    config = config or IalsConfig()
    sweeps = config.sweeps if start is None else warm_epochs(config.sweeps)
    check_seed(seed)
    objective = Objective(config.alpha0, config.l2, config.nu)
    size = config.embedding_size
    histories = Histories(train)
    by_user: Csr = histories.matrix[:-1]
    by_movie: Csr = by_user.T.tocsr()
    scale = config.init_std / math.sqrt(size)
    generator = np.random.default_rng(seed)
    users = generator.normal(0, scale, (len(train.users), size)).astype(np.float32)
    movies = np.zeros((len(train.items), size), np.float32)
    if start is not None:
        users += start["user_vectors"]
    losses: list[float] = []
    with (
        # A thread for each core has rows of its own, and no product is worth several threads.
        blas_on_one_thread() as threads,
        ThreadPoolExecutor(threads) as pool,
        progress_bar("Training iALS", sweeps, "sweeps") as advance,
    ):
        for sweep in range(sweeps):
            movies, _ = half_sweep(by_movie, users, movies, objective, run=pool.map)
            users, loss = half_sweep(by_user, movies, users, objective, run=pool.map)
            losses.append(loss)
            advance(sweep + 1, loss)
    weights = np.array([config.alpha0, config.l2, config.nu], np.float32)
    return IalsRetriever(users, movies, weights, histories, tuple(losses))
