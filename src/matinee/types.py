"""The types that the stages hand to each other: retrieval and ranking meet only in `TopK`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]

EMPTY_ITEM = -1
_NO_HISTORY = np.empty(0, np.int32), np.empty(0, np.float32)
# What a list is ordered for: what is most likely to be watched, or what would be rated highest.
ListOrder = Literal["list", "stars"]


@dataclass(frozen=True, eq=False)
class TopK:
    """The best k items of each of b queries.

    Attributes:
        items: int32 [b, k], item numbers; an empty slot is -1.
        scores: float32 [b, k], descending along each row; equal scores stand in the order of
            their item numbers; an empty slot is -inf.
    """

    items: IntArray
    scores: FloatArray

    def __post_init__(self) -> None:
        if self.items.ndim != 2 or self.items.shape != self.scores.shape:
            raise ConfigError(
                f"TopK of items {self.items.shape} and scores {self.scores.shape}; "
                "expected two arrays of one shape [queries, k]"
            )

    def row(self, query: int) -> tuple[IntArray, FloatArray]:
        """The filled slots of one query: items int32 [m] and scores float32 [m], m <= k."""
        filled = self.items[query] != EMPTY_ITEM
        return self.items[query][filled], self.scores[query][filled]


@dataclass(frozen=True, eq=False)
class Query:
    """Who asks: a known user, somebody never seen with a history, or neither (a stranger).

    Where both are given, the history is all of it, old ratings and new ones, and models read it
    in place of what training left of the user: so ratings made since then count at once.

    Attributes:
        user_index: the user's number, or None.
        items: int32 [h], films of the history, oldest first.
        ratings: float32 [h], their stars.
        times: int64 [h], when they were rated, in seconds since 1970; None where nobody knows.
        time: when the rating that is asked for is given, in seconds since 1970: one moment, or
            int64 [k], one for each of the films that a ranker is asked for. None is no moment that
            anything is known of; only models of moods or fashions make use of it.
    """

    user_index: int | None = None
    items: IntArray | None = None
    ratings: FloatArray | None = None
    times: NDArray[np.int64] | None = None
    time: int | NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.items is self.ratings is self.times is None:
            return  # As in lists for every user, where a check of each would take its time.
        sizes = [None if column is None else len(column) for column in (self.items, self.ratings)]
        if sizes[0] != sizes[1]:
            raise ConfigError(
                f"a history of {sizes[0]} films and {sizes[1]} ratings; expected as many of each"
            )
        if self.times is not None and len(self.times) != sizes[0]:
            raise ConfigError(
                f"a history of {sizes[0] or 0} films and {len(self.times)} times; expected as many "
                "of each"
            )

    @property
    def history(self) -> tuple[IntArray, FloatArray]:
        """The history as two arrays, empty where there is none."""
        if self.items is None or self.ratings is None:
            return _NO_HISTORY
        return self.items, self.ratings


def known_users(queries: Sequence[Query], size: int) -> IntArray:
    """The row of each query in a table of `size` users and, last, the unknown one: int32 [b].

    Raises:
        ConfigError: a user number outside 0 … size - 1.
    """
    for query in queries:
        if query.user_index is not None and not 0 <= query.user_index < size:
            raise ConfigError(f"user number {query.user_index}; expected 0 … {size - 1}")
    return np.array([size if q.user_index is None else q.user_index for q in queries], np.int32)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What the scores of m films owe to each of the h films of a history.

    `base + by_film.sum(axis=1)` is the score.

    Attributes:
        by_film: float32 [m, h]; what a score would lose without that film of the history, exactly
            or to first order (the model says which).
        base: float32 [m], the rest: what anybody's score has, and what no single film accounts for.
    """

    by_film: FloatArray
    base: FloatArray


@dataclass(frozen=True)
class Reason:
    """A film that somebody rated, and that a recommendation is owed to.

    Attributes:
        movie_id: its external id.
        title: as people write it, with the year.
        stars: that they gave it.
        share: of what the liked films that speak for the recommendation contribute to its score,
            above 0 and at most 1.
    """

    movie_id: str
    title: str
    stars: float
    share: float

    def __str__(self) -> str:
        return f"{self.title} {self.stars:g}"


@dataclass(frozen=True)
class Recommendation:
    """One film on the screen; the only type that JSON sees.

    Attributes:
        movie_id: the film's external id.
        title: as people write it, with the year: `The Big Sleep (1946)`.
        year: of release, or None.
        genres: names, in the catalogue's order.
        stars: predicted rating, on the scale of the ratings.
        score: the retrieval model's score; comparable within one list alone.
        source: why the film is here: the name of the retrieval model, as "two-tower" (it knows the
            user), "history" (that model, from a history that was given), "popular" (nothing is
            known of the user, or the model found too few films), or "similar".
        reasons: the user's own films that the score is owed to most, if they were asked for.
    """

    movie_id: str
    title: str
    year: int | None
    genres: tuple[str, ...]
    stars: float
    score: float
    source: str
    reasons: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return f"{self.title}: {self.stars:.2f}"

    @property
    def because(self) -> str:
        """The reasons as a phrase: `because you rated Fargo (1996) 5 and Heat (1995) 4`, or ""."""
        *others, last = map(str, self.reasons or ("",))
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"because you rated {listed}" if listed else ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        reasons = [asdict(reason) for reason in self.reasons]
        return asdict(self) | {"genres": list(self.genres), "reasons": reasons}


@dataclass(frozen=True)
class Part:
    """Something that a score is owed to.

    Attributes:
        name: of a genre, of a span of years ("1995-1999"), "anybody" or "the film itself".
        amount: of the score; below 0 if it speaks against the film.
    """

    name: str
    amount: float


@dataclass(frozen=True)
class Explanation(Recommendation):
    """A film with what its score is made of.

    Attributes:
        parts: they sum to the score: what the film is to anybody; what this user's taste adds for
            each of its genres and for its years, largest first; and what it adds for the film
            itself, beyond others of its kind. None where the score is popularity alone.
    """

    parts: tuple[Part, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return super().to_dict() | {"parts": [asdict(part) for part in self.parts]}


@dataclass(frozen=True)
class Outlook:
    """What a ranker expects of one film for one user.

    Attributes:
        movie_id: the film's external id.
        title: as people write it, with the year.
        stars: expected rating, on the scale of the ratings.
        spread: standard deviation of that rating, in stars; None of a ranker that does not know how
            sure it is.
        liked: the chance of at least three quarters of the scale (of four stars from one to five);
            None likewise.
    """

    movie_id: str
    title: str
    stars: float
    spread: float | None = None
    liked: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


class Index(Protocol):
    """Finds the vectors with the largest inner product."""

    def __len__(self) -> int: ...

    def search(
        self,
        vectors: FloatArray,
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best items of each vector; see `ExactIndex.search`."""
        ...


class Retriever(Protocol):
    """Picks candidates from the whole catalogue."""

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k best items of each query.

        Args:
            queries: b of them.
            k: how many items; fewer come back only where fewer are eligible.
            exclude: per query, item numbers that must not come back.
            allow: bool [n_items], the items that may come back at all.
        """
        ...


class FirstStage(Retriever, Protocol):
    """A retriever that a `Recommender` shows films from and `save_model` writes.

    Attributes:
        source: the name of the model, as `Recommendation.source` shows it.
        liked_from: stars from which a film in a newcomer's history speaks for their taste.
    """

    source: str
    liked_from: float

    def tensors(self) -> dict[str, FloatArray]:
        """The float32 arrays that make the model, beside the ratings it was trained on."""
        ...


@runtime_checkable
class KnowsLikeness(Protocol):
    """A retriever to which some films are more alike than others."""

    def similar(self, item: int, k: int) -> TopK:
        """The k films most like one, which is not among them: a `TopK` of one row."""
        ...


@runtime_checkable
class HasDirections(Protocol):
    """A retriever with a vector for each film."""

    @property
    def directions(self) -> FloatArray:
        """The films' vectors at length 1, float32 [n_items, d]: inner products are likeness."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A retriever whose scores can be laid to the films of the history they were made from."""

    def contributions(self, query: Query, films: IntArray, items: IntArray) -> Contributions:
        """What the query's scores of some items owe to each film of its history.

        Args:
            query: who asks.
            films: int32 [h], what their scores are made from: a known user's training ratings, or
                what is liked of a history that was given.
            items: int32 [m].
        """
        ...


class ListRanker(Protocol):
    """Puts candidates in the order that a list should show them in; `save_model` writes it."""

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates, best first, with scores of its own."""
        ...

    def tensors(self) -> dict[str, FloatArray]:
        """The float32 arrays that make the model, beside the ratings it was trained on."""
        ...


class Ranker(Protocol):
    """Predicts stars."""

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars of `items` int32 [b, k] for b queries: float32 [b, k]; NaN where an item is -1."""
        ...

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The same candidates in descending order of predicted stars, which are the scores."""
        ...


@runtime_checkable
class PredictsDistribution(Protocol):
    """A ranker that knows how likely each number of stars is.

    Attributes:
        levels: float32 [levels], the stars that there are, ascending.
    """

    @property
    def levels(self) -> FloatArray:
        """The stars that there are."""
        ...

    def distribution(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """The chance of each level, float32 [b, k, levels]; NaN where an item is -1."""
        ...


class SecondStage(Ranker, Protocol):
    """A ranker that `save_model` writes."""

    def tensors(self) -> dict[str, FloatArray]:
        """The float32 arrays that make the model."""
        ...
