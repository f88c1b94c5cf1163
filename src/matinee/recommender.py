"""The two stages as one: retrieve from the whole catalogue, rank by predicted stars, show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError, NotFoundError
from matinee.index.exact import ExactIndex
from matinee.stages import RETRIEVERS
from matinee.types import (
    FirstStage,
    FloatArray,
    IntArray,
    KnowsLikeness,
    Query,
    Recommendation,
    SecondStage,
    TopK,
)


class Recommender:
    """Recommends films of a catalogue to users known and new.

    The retriever finds films; the first `candidates` of them stand in the order of their predicted
    stars, whatever else is asked for follows in the retriever's order. It is itself a `Retriever`
    and a `Ranker`, so that the evaluator measures the list that users see.

    Args:
        catalog: the films.
        retriever: picks candidates.
        ranker: predicts their stars.
        train: the ratings both learned from; their films are what a user has seen.
        candidates: how many films the first stage hands to the second.
        exclude_seen: leave out what the user has rated, unless a call says otherwise.

    Raises:
        ConfigError: the catalogue's films are not those of the ratings.
    """

    def __init__(
        self,
        catalog: Catalog,
        retriever: FirstStage,
        ranker: SecondStage,
        train: Ratings,
        *,
        candidates: int = 10,
        exclude_seen: bool = True,
    ) -> None:
        catalog.check_items(train.items)
        self.catalog = catalog
        self.retriever = retriever
        self.ranker = ranker
        self.train = train
        self.candidates = candidates
        self.exclude_seen = exclude_seen
        self._rows, self._offsets = train.by_user()
        self._popular = ExactIndex(train.item_counts()[:, None].astype(np.float32))

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
            user: a user's id. One without a training rating gets what most people rated, with
                "popular" as the source.
            history: stars by film (an id, or a title: `{"Heat (1995)": 5}`), for somebody
                without an id. Its films are always left out.
            k: how many; fewer come back only if fewer are left.
            exclude_seen: leave out films that the user has rated; None keeps the recommender's
                own setting.
            exclude: more films to leave out, by id or title.

        Raises:
            ConfigError: neither or both of `user` and `history`, stars outside the scale, or k
                below 1.
            NotFoundError: a film that the catalogue does not have.
        """
        query = self.query(user, history)
        forbidden = np.concatenate([self._numbers(exclude), self.left_out(query, exclude_seen)])
        found, listed = self._both_stages([query], k, [forbidden], None)
        scores = dict(zip(*found.row(0), strict=True))
        items = listed[0][listed[0] >= 0]
        stars = self.ranker.predict([query], items[None])[0]
        source = self.source(query)
        return [
            self._recommendation(int(item), float(star), float(scores[item]), source)
            for item, star in zip(items, stars, strict=True)
        ]

    def query(self, user: str | int | None, history: Mapping[str, float] | None = None) -> Query:
        """Who asks, in numbers.

        Raises:
            ConfigError: neither or both, the same film twice, or stars outside the scale.
            NotFoundError: a film of the history that the catalogue does not have.
        """
        if (user is None) == (not history):
            raise ConfigError(
                "give either a user or a history of stars by film, not both or neither"
            )
        if not history:
            known = user is not None and user in self.train.users
            return Query(self.train.users.number(user) if known and user is not None else None)
        low, high = self.train.scale
        for film, stars in history.items():
            # As the ratings themselves are compared: in float32.
            if not np.float32(low) <= np.float32(stars) <= np.float32(high):
                raise ConfigError(f"{film} = {stars}; expected stars from {low:g} to {high:g}")
        items = self._numbers(history)
        if len(np.unique(items)) != len(items):
            raise ConfigError(
                f"history {list(history)} names a film twice; expected each film once"
            )
        return Query(None, items, np.array(list(history.values()), np.float32))

    def stars(self, user_id: str | int, movie_ids: Sequence[str | int]) -> FloatArray:
        """Stars float32 [k] that a user would give k films, by one call of the ranker.

        A user without a training rating is taken for the average one.

        Raises:
            NotFoundError: a film that the catalogue does not have.
        """
        items = self._numbers(movie_ids)
        return self.ranker.predict([self.query(user_id)], items[None])[0]

    def similar(self, film: str | int, k: int = 10) -> list[Recommendation]:
        """The k films nearest to one, with the average user's stars and the likeness as score.

        Raises:
            ConfigError: k below 1, or a retriever that does not know which films are alike.
            NotFoundError: a film that the catalogue does not have, or that nobody rated.
        """
        require(k >= 1, "k", k, "at least 1")
        if not isinstance(self.retriever, KnowsLikeness):
            able = ", ".join(stage.name for stage in RETRIEVERS.values() if stage.likens)
            raise ConfigError(
                f"the model {self.retriever.source} does not know which films are alike; expected "
                f"one of {able}; train one of them"
            )
        item = self.catalog.find(film)
        if self._popular.vectors[item, 0] == 0:
            raise NotFoundError(
                f"nobody rated {self.catalog.title(item)} in the {len(self.train):,} training "
                "ratings, so nothing is known of what is like it; try another film"
            )
        near = self.retriever.similar(item, k)
        stars = self.ranker.predict([Query()], near.items)[0]
        return [
            self._recommendation(int(item), float(star), float(score), "similar")
            for item, star, score in zip(near.items[0], stars, near.scores[0], strict=True)
            if item >= 0
        ]

    def left_out(self, query: Query, exclude_seen: bool | None = None) -> IntArray:
        """The films int32 [m] that a query's list leaves out: its history, and what was seen."""
        seen = self.exclude_seen if exclude_seen is None else exclude_seen
        if not seen or query.user_index is None:
            return query.history[0]
        return np.concatenate([query.history[0], self.seen(query.user_index)])

    def seen(self, user_index: int) -> IntArray:
        """The numbers of the films that a user rated, int32 [m], oldest first."""
        first, last = self._offsets[user_index : user_index + 2]
        return self.train.item_index[self._rows[first:last]]

    def first_stage(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The retriever's films, or the most rated ones for whom nothing is known.

        See `Retriever.retrieve`.
        """
        found = self.retriever.retrieve(queries, k, exclude, allow)
        for row, query in enumerate(queries):
            if self.source(query) == "popular":
                own = None if exclude is None else [exclude[row]]
                popular = self._popular.search(np.ones((1, 1), np.float32), k, own, allow)
                found.items[row], found.scores[row] = popular.items[0], popular.scores[0]
        return found

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The list that users see; see `Retriever.retrieve`. The scores only carry the order."""
        _, items = self._both_stages(queries, k, exclude, allow)
        places = -np.arange(items.shape[1], dtype=np.float32)
        scores = np.where(items >= 0, np.broadcast_to(places, items.shape), np.float32(-np.inf))
        return TopK(items, scores.astype(np.float32))

    def rank(self, queries: Sequence[Query], candidates: TopK) -> TopK:
        """The candidates in the order of their stars; see `Ranker.rank`."""
        return self.ranker.rank(queries, candidates)

    def predict(self, queries: Sequence[Query], items: IntArray) -> FloatArray:
        """Stars float32 [b, k] of `items` int32 [b, k]; see `Ranker.predict`."""
        return self.ranker.predict(queries, items)

    def _both_stages(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None,
        allow: NDArray[np.bool_] | None,
    ) -> tuple[TopK, IntArray]:
        """What the first stage found, and the items int32 [b, <= k] that both put in order."""
        require(k >= 1, "k", k, "at least 1")
        found = self.first_stage(queries, max(k, self.candidates), exclude, allow)
        front = TopK(found.items[:, : self.candidates], found.scores[:, : self.candidates])
        ranked = self.ranker.rank(queries, front).items
        return found, np.concatenate([ranked, found.items[:, self.candidates :]], axis=1)[:, :k]

    def source(self, query: Query) -> str:
        """Where a query's films come from; see `Recommendation.source`."""
        if isinstance(self.retriever, KnowsLikeness) and len(query.history[0]):
            liked = query.history[1] >= self.retriever.liked_from
            return "history" if liked.any() else "popular"
        known = query.user_index is not None and len(self.seen(query.user_index)) > 0
        return self.retriever.source if known else "popular"

    def _numbers(self, films: Iterable[str | int]) -> IntArray:
        return np.array([self.catalog.find(film) for film in films], np.int32)

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
