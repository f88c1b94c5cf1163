"""Two views of who likes what as one two-tower model with one inner product.

Softmax factors rank well far down the list, a linear item-item model at its top, and each errs
where the other does not. Both are inner products once the item-item table is cut to few dimensions,
so their weighted sum is one: the query tower puts a user's softmax vector and the sum of their
films' vectors side by side, the film tower likewise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.data.ratings import Ratings
from matinee.index.exact import ExactIndex
from matinee.retrieval.ease import MOST_FILMS
from matinee.retrieval.histories import Histories
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.types import Contributions, FloatArray, IntArray, Query, TopK, known_users


@dataclass(frozen=True)
class BlendConfig:
    """How the views are trained and weighed; the defaults suit MovieLens 100K and 1M.

    Attributes:
        members: softmax models whose scores are averaged.
        member_size: length of a member's vectors.
        rank: length that the vectors of the members' average are cut to.
        epochs: passes over the users for each member.
        batch_users: users in a training step.
        learning_rate: of the members' films, at first.
        l2: weight of the squared vectors of each training rating in a member.
        softmax_weight: of the members' average beside the item-item model, at the same spread.
        item_rank: length that the item-item table is cut to; past 20,000 films it is left out.
        ease_l2: regularization of EASE, which makes the item-item table.
        film_weight: in EASE, of a film's genres, year and title words, beside one rating of it.
        user_weight: in EASE, of a user's features, beside one rating.
        nearby_weight: in that table, of what is rated shortly before and after a film, where
            ratings have times.
    """

    members: int = 4
    member_size: int = 128
    rank: int = 64
    epochs: int = 20
    batch_users: int = 48
    learning_rate: float = 0.005
    l2: float = 0.05
    softmax_weight: float = 7.0
    item_rank: int = 192
    ease_l2: float = 300.0
    film_weight: float = 20.0
    user_weight: float = 20.0
    nearby_weight: float = 0.6

    def __post_init__(self) -> None:
        for name in ("members", "member_size", "rank", "item_rank"):
            value = getattr(self, name)
            require(1 <= value <= 4096, f"blend.{name}", value, "1 … 4096")
        most = self.members * self.member_size
        require(self.rank <= most, "blend.rank", self.rank, f"at most members x size, {most}")
        for name in ("epochs", "batch_users"):
            value = getattr(self, name)
            require(1 <= value < 1 << 31, f"blend.{name}", value, "at least 1")
        require(0 < self.ease_l2 < math.inf, "blend.ease_l2", self.ease_l2, "above 0 and finite")
        for name, most in (("learning_rate", 1), ("softmax_weight", 10**6)):
            value = getattr(self, name)
            require(0 < value <= most, f"blend.{name}", value, f"above 0, at most {most:,}")
        for name in ("l2", "film_weight", "user_weight", "nearby_weight"):
            value = getattr(self, name)
            require(0 <= value <= 10**6, f"blend.{name}", value, "0 … 1,000,000")

    def linear_rank(self, n_items: int) -> int:
        """Length of the item-item model's vectors; 0 where there are too many films for it."""
        return min(self.item_rank, n_items) if n_items <= MOST_FILMS else 0


class BlendRetriever:
    """Retrieves by one inner product of what both views know.

    Args:
        tensors: float32, as `shapes` lists them: `user_vectors`, `movie_vectors` and `movie_bias`
            of the softmax members' average, the last user being the average one; the
            `history_vectors` that a user's films bring them, the `side_vectors` that their features
            add to these (the average ones last), and the `item_vectors` that the sums are
            multiplied by; the `weights` of both views.
        train: the ratings it was fitted on.
        losses: training losses of the members, by epoch.
    """

    source = "blend"

    def __init__(
        self, tensors: dict[str, FloatArray], train: Ratings, losses: tuple[float, ...] = ()
    ) -> None:
        self._tensors = tensors
        self.losses = losses
        self._softmax_weight, self._item_weight = tensors["weights"]
        histories = Histories(train)
        self.liked_from = histories.liked_from
        self._softmax = TwoTowerRetriever(
            tensors["user_vectors"],
            tensors["movie_vectors"],
            tensors["movie_bias"],
            tensors["movie_bias"],
            self.liked_from,
        )
        linear = histories.matrix @ tensors["history_vectors"] + tensors["side_vectors"]
        # What features say was learned beside histories; without one, the softmax vector says it.
        linear[np.diff(histories.matrix.indptr) == 0] = 0
        self._users = self._beside(tensors["user_vectors"], linear)
        self.index = ExactIndex(
            np.concatenate([tensors["movie_vectors"], tensors["item_vectors"]], axis=1),
            self._softmax_weight * tensors["movie_bias"],
        )

    @classmethod
    def of(cls, tensors: dict[str, FloatArray], train: Ratings) -> BlendRetriever:
        """A retriever from its tensors and the ratings it was fitted on."""
        return cls(tensors, train)

    @staticmethod
    def shapes(config: BlendConfig, n_users: int, n_items: int) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        rank, item_rank = min(config.rank, n_items, n_users), config.linear_rank(n_items)
        return {
            "user_vectors": (n_users + 1, rank),
            "movie_vectors": (n_items, rank),
            "movie_bias": (n_items,),
            "side_vectors": (n_users + 1, item_rank),
            "history_vectors": (n_items, item_rank),
            "item_vectors": (n_items, item_rank),
            "weights": (2,),
        }

    def tensors(self) -> dict[str, FloatArray]:
        """The arrays that make the retriever."""
        return self._tensors

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

        A history counts for whoever brings one, beside what is known of them otherwise; a
        stranger has the average user's softmax vector and nothing else.
        """
        users = known_users(queries, len(self._users) - 1)
        vectors = self._users[users]
        for row, query in enumerate(queries):
            items, ratings = query.history
            if len(items):
                vectors[row] = self._reader(users[row], items[ratings >= self.liked_from])
        return vectors

    def similar(self, item: int, k: int) -> TopK:
        """The k films whose softmax vectors point most nearly where this film's does (cosine)."""
        return self._softmax.similar(item, k)

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """Exact of the item-item model, to first order of the factors; see `FoldIn.influence`."""
        vector = self.vectors([query])[0]
        rank = self._softmax.index.vectors.shape[1]
        softmax = vector[:rank] / np.float32(self._softmax_weight or 1)
        by_film = self._softmax_weight * self._softmax.fold_in.influence(softmax, films, items)
        tensors = self._tensors
        linear = tensors["item_vectors"][items] @ tensors["history_vectors"][films].T
        by_film += self._item_weight * linear
        return Contributions(by_film, self.index.scores(vector, items) - by_film.sum(axis=1))

    @property
    def directions(self) -> FloatArray:
        """The films' softmax vectors at length 1, float32 [n_items, d]."""
        return self._softmax.directions

    def _reader(self, user: int, items: IntArray) -> FloatArray:
        """The vector of whoever liked `items`, `user` being their row, or that of nobody known."""
        if not len(items):
            return self._users[-1]
        linear = self._tensors["history_vectors"][items].sum(axis=0)
        linear += self._tensors["side_vectors"][user]
        return self._beside(self._softmax.fold_in.vector(items), linear)

    def _beside(self, softmax: FloatArray, linear: FloatArray) -> FloatArray:
        """Both views of users, weighted, as one vector each."""
        return np.concatenate([self._softmax_weight * softmax, self._item_weight * linear], axis=-1)
