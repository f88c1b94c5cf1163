"""The two stages as one: retrieve from the whole catalogue, rank by predicted stars, show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.ranking.ranker import TwoTowerRanker
from matinee.retrieval.retriever import TwoTowerRetriever
from matinee.types import IntArray, Query, Recommendation, TopK


class Recommender:
    """Recommends films of a catalogue to users known and new.

    It is itself a `Retriever` and a `Ranker`, so that the evaluator can measure the whole.

    Args:
        catalog: the films.
        retriever: picks candidates.
        ranker: predicts their stars.
        train: the ratings both learned from; their films are what a user has seen.
        candidates: how many films the first stage hands to the second, at least.
        exclude_seen: leave out what the user has rated, unless a call says otherwise.
    """

    def __init__(
        self,
        catalog: Catalog,
        retriever: TwoTowerRetriever,
        ranker: TwoTowerRanker,
        train: Ratings,
        *,
        candidates: int = 10,
        exclude_seen: bool = True,
    ) -> None:
        self.catalog = catalog
        self.retriever = retriever
        self.ranker = ranker
        self.train = train
        self.candidates = candidates
        self.exclude_seen = exclude_seen
        self._rows, self._offsets = train.by_user()

    def recommend(
        self,
        user: str | int | None = None,
        history: Mapping[str, float] | None = None,
        k: int = 10,
        *,
        exclude_seen: bool | None = None,
        exclude: Iterable[str | int] = (),
    ) -> list[Recommendation]:
        """The k films to show to a user, best first.

        Args:
            user: a user's id. One that training never saw gets what suits most people, with
                "popular" as the source.
            history: stars by film (an id, or a title: `{"Heat (1995)": 5}`), for somebody
                without an id.
            k: how many; fewer come back only if fewer are left.
            exclude_seen: leave out films that the user (or the history) has rated; None keeps
                the recommender's own setting. A history's films are always left out.
            exclude: more films to leave out, by id or title.

        Raises:
            ConfigError: neither or both of `user` and `history`, or k below 1.
            NotFoundError: a film that the catalogue does not have.
        """
        require(k >= 1, "k", k, "at least 1")
        query, source = self.query(user, history)
        seen = self.exclude_seen if exclude_seen is None else exclude_seen
        forbidden = [np.array([self.catalog.find(film) for film in exclude], np.int32)]
        forbidden.append(query.history[0])
        if seen and query.user_index is not None:
            forbidden.append(self.seen(query.user_index))
        candidates = self.retriever.retrieve(
            [query], max(k, self.candidates), [np.concatenate(forbidden)]
        )
        ranked = self.ranker.rank([query], candidates)
        scores = dict(zip(*candidates.row(0), strict=True))
        items, stars = ranked.row(0)
        return [
            self._recommendation(int(item), float(star), float(scores[item]), source)
            for item, star in zip(items[:k], stars[:k], strict=True)
        ]

    def query(
        self, user: str | int | None, history: Mapping[str, float] | None
    ) -> tuple[Query, str]:
        """Who asks, in numbers, and where their list will come from.

        Raises:
            ConfigError: neither or both, or stars outside the scale.
            NotFoundError: a film of the history that the catalogue does not have.
        """
        if (user is None) == (not history):
            raise ConfigError(
                "give either a user or a history of stars by film, not both or neither"
            )
        if not history:
            known = user in self.train.users
            index = self.train.users.number(user) if known else None  # type: ignore[arg-type]
            return Query(user_index=index), self.retriever.source if known else "popular"
        low, high = self.train.scale
        for film, stars in history.items():
            if not low <= stars <= high:
                raise ConfigError(f"{film} = {stars}; expected stars from {low:g} to {high:g}")
        items = np.array([self.catalog.find(film) for film in history], np.int32)
        return Query(None, items, np.array(list(history.values()), np.float32)), "history"

    def predict(self, user: str | int | None, film: str | int) -> float:
        """The stars that a user would give a film; an unknown user is taken for the average one.

        Raises:
            NotFoundError: a film that the catalogue does not have.
        """
        known = user is not None and user in self.train.users
        query = Query(user_index=self.train.users.number(user) if known else None)  # type: ignore[arg-type]
        items = np.array([[self.catalog.find(film)]], np.int32)
        return float(self.ranker.predict([query], items)[0, 0])

    def similar(self, film: str | int, k: int = 10) -> list[Recommendation]:
        """The k films nearest to one, with the stars of the average user and the likeness as score.

        Raises:
            NotFoundError: a film that the catalogue does not have.
        """
        require(k >= 1, "k", k, "at least 1")
        near = self.retriever.similar(self.catalog.find(film), k)
        stars = self.ranker.predict([Query()], near.items)[0]
        return [
            self._recommendation(int(item), float(star), float(score), "similar")
            for item, star, score in zip(near.items[0], stars, near.scores[0], strict=True)
            if item >= 0
        ]

    def seen(self, user_index: int) -> IntArray:
        """The numbers of the films that a user rated."""
        first, last = self._offsets[user_index : user_index + 2]
        return self.train.item_index[self._rows[first:last]]

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """Both stages' list: the candidates in the order of their stars, then the rest.

        The scores only carry the order.
        """
        require(k >= 1, "k", k, "at least 1")
        found = self.retriever.retrieve(queries, max(k, self.candidates), exclude, allow)
        front = TopK(found.items[:, : self.candidates], found.scores[:, : self.candidates])
        items = np.concatenate(
            [self.ranker.rank(queries, front).items, found.items[:, self.candidates :]], axis=1
        )[:, :k]
        places = -np.arange(items.shape[1], dtype=np.float32)
        scores = np.where(items >= 0, np.broadcast_to(places, items.shape), np.float32(-np.inf))
        return TopK(items, scores.astype(np.float32))

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The candidates in the order of their stars."""
        return self.ranker.rank(queries, candidates)

    def _recommendation(self, item: int, stars: float, score: float, source: str) -> Recommendation:
        return Recommendation(
            movie_id=self.catalog.items.id(item),
            title=self.catalog.title(item),
            year=self.catalog.year(item),
            genres=self.catalog.genres(item),
            stars=round(stars, 4),
            score=round(score, 6),
            source=source,
        )
