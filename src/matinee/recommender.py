"""The two stages as one: retrieve from the whole catalogue, filter, rank, diversify, explain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Unpack

import numpy as np

from matinee.config import check_count
from matinee.errors import ConfigError, NotFoundError
from matinee.recommending.diversity import check_diversity
from matinee.recommending.explanations import Explainer
from matinee.recommending.filters import Filters, Named, Years
from matinee.recommending.kind import Kind
from matinee.recommending.options import ListOptions, Wish, check_options
from matinee.recommending.order import Order, weight_of_stars
from matinee.recommending.outlook import outlooks
from matinee.recommending.parts import Parts
from matinee.recommending.screen import Screen
from matinee.recommending.two_stages import TwoStages
from matinee.stages import RETRIEVERS
from matinee.types import (
    Explanation,
    FloatArray,
    KnowsLikeness,
    Outlook,
    Part,
    Query,
    Reason,
    Recommendation,
)

Asker = str | int | Query
# Users whose lists are made at once.
_BLOCK_USERS = 1024


class Recommender(TwoStages):
    """Recommends films of a catalogue to users known and new, by ids and titles.

    The retriever finds films. The first `candidates` of them are put in the list's order; whatever
    else is asked for follows in the retriever's order. It is made as `TwoStages`, which has what
    it does in numbers.
    """

    def recommend(
        self,
        user: str | int | None = None,
        history: Mapping[str, float] | None = None,
        k: int = 10,
        *,
        genres: str | Iterable[str] | None = None,
        years: Years | None = None,
        exclude_seen: bool | None = None,
        exclude: Named | None = None,
        allow: Named | None = None,
        diversity: float | None = None,
        order: Order | None = None,
        explain: bool = False,
    ) -> list[Recommendation]:
        """The k films to show to a user, best first.

        Filters are applied before the best are picked, so k films come back as long as so many are
        eligible; where the model finds fewer, the most rated ones follow, with "popular" as source.

        Args:
            user: a user's id. One without a training rating gets what most people rated.
            history: stars by film (an id, or a title: `{"Heat (1995)": 5}`): all that a visitor
                tells of themselves, or what a known user rated since training. Its films are
                always left out.
            k: how many; fewer come back only if fewer are eligible.
            genres: names; a film needs one of them.
            years: of release, from and to, both included; None leaves an end open.
            exclude_seen: leave out films that the user has rated; None keeps the recommender's
                own setting.
            exclude: a film or films to leave out as well, by id or title.
            allow: the only film or films to choose from, by id or title.
            diversity: from 0, the order as it is, to 1, films as unlike each other as there are;
                None keeps the recommender's own setting.
            order: "list" (the films most likely to be watched), "stars" (those that would be rated
                highest among the candidates), or how much stars count, from 0 to 1; None keeps the
                recommender's own setting.
            explain: name the user's own films that each recommendation is owed to most.

        Raises:
            ConfigError: neither `user` nor `history`, stars outside the scale, k below 1, years in
                the wrong order, a diversity outside 0 … 1, or an unknown order.
            DataError: a user's id that is neither text nor a whole number.
            NotFoundError: a film or a genre that the catalogue does not have.
        """
        options = ListOptions(
            genres=genres,
            years=years,
            exclude_seen=exclude_seen,
            exclude=exclude,
            allow=allow,
            diversity=diversity,
            order=order,
            explain=explain,
        )
        wish = self._wish(options)
        query = self.query(user, history)
        told = self._filters.numbers(history or ())
        wish = replace(wish, exclude=np.concatenate([wish.exclude, told]))
        return self._lists([query], k, wish)[0]

    def recommend_many(
        self, users: Asker | Iterable[Asker], k: int = 10, **options: Unpack[ListOptions]
    ) -> list[list[Recommendation]]:
        """A list for each of many users, made together; the options are those of `recommend`.

        Args:
            users: ids, or what `query` makes of users and histories; one of them, or several.
            k: how many films each.
            options: for all of them.

        Raises:
            ConfigError: a query with a number that no user or no film has, or an option that
                `recommend` does not have; see there for the other errors.
        """
        # Text is iterable too: "42" would be users 4 and 2.
        several = users if isinstance(users, Iterable) and not isinstance(users, str) else [users]
        queries = [
            self._asking.checked(user) if isinstance(user, Query) else self.query(user)
            for user in several
        ]
        wish = self._wish(options)
        lists: list[list[Recommendation]] = []
        for first in range(0, len(queries), _BLOCK_USERS):
            lists += self._lists(queries[first : first + _BLOCK_USERS], k, wish)
        return lists

    def query(self, user: str | int | None, history: Mapping[str, float] | None = None) -> Query:
        """Who asks, in numbers; a known user's ratings since training come after the older ones.

        Raises:
            ConfigError: neither, the same film twice, or stars outside the scale.
            DataError: a user's id that is neither text nor a whole number.
            NotFoundError: a film of the history that the catalogue does not have.
        """
        return self._asking.query(user, history)

    def stars(
        self,
        user_id: str | int | None,
        movie_ids: Sequence[str | int],
        history: Mapping[str, float] | None = None,
    ) -> FloatArray:
        """Stars float32 [k] that a user or visitor would give k films, by one call of the ranker.

        A user without a training rating is taken for the average one.

        Raises:
            ConfigError: neither a user nor a history; see `query`.
            NotFoundError: a film that the catalogue does not have.
        """
        items = self._filters.numbers(movie_ids)
        return self.ranker.predict([self.query(user_id, history)], items[None])[0]

    def outlook(
        self,
        user_id: str | int | None,
        movie_ids: Sequence[str | int],
        history: Mapping[str, float] | None = None,
    ) -> list[Outlook]:
        """What a user or visitor would think of films: stars, how unsure, the chance of liking.

        As `stars`, which has the errors too.
        """
        items = self._filters.numbers(movie_ids)
        query = self.query(user_id, history)
        return outlooks(self.catalog, self.ranker, query, items, self.train.scale)

    def explain(
        self,
        film: str | int,
        user: str | int | None = None,
        history: Mapping[str, float] | None = None,
        *,
        most: int = 5,
    ) -> Explanation:
        """One film for one user, seen or not, with its stars, its score and what that is owed to.

        At most `most` reasons; the rest as for `recommend`, which has the errors too.
        """
        check_count("most", most)
        query = self.query(user, history)
        items = self._filters.numbers([film])
        only = np.zeros(len(self.catalog), np.bool_)
        only[items] = True
        found, popular = self._found.found([query], 1, allow=only)
        stars = self.ranker.predict([query], items[None])[0, 0]
        reasons: tuple[Reason, ...] = ()
        parts: tuple[Part, ...] = ()
        source = "popular" if popular[0, 0] else self.source(query)
        score = float(found.scores[0, 0])
        if source != "popular":
            [reasons] = self._explainer.reasons(query, items, most)
            parts = self._parts.of(query, int(items[0]), score)
        shown = self._screen.film(int(items[0]), stars, score, source, reasons)
        return Explanation(**vars(shown), parts=parts)

    def similar(self, film: str | int, k: int = 10) -> list[Recommendation]:
        """The k films nearest to one, with the average user's stars and the likeness as score.

        What is near a film that nobody rated is said by its genres and its years.

        Raises:
            ConfigError: k below 1, or a retriever that does not know which films are alike.
            NotFoundError: a film that the catalogue does not have, or that nothing is known of.
        """
        check_count("k", k)
        if not isinstance(self.retriever, KnowsLikeness):
            able = ", ".join(stage.name for stage in RETRIEVERS.values() if stage.likens)
            raise ConfigError(
                f"{self.retriever.source} does not know which films are alike; train one of {able}"
            )
        item = self.catalog.find(film)
        rated = self._counts[item] > 0
        near = self.retriever.similar(item, k) if rated else self._kind.similar(item, k)
        if not rated and not near.items.size:
            raise NotFoundError(
                f"nobody rated {self.catalog.title(item)} in the {len(self.train):,} training "
                "ratings, and no film shares its genres or years, so nothing is known of what is "
                "like it; try another film"
            )
        stars = self.ranker.predict([Query()], near.items)[0]
        return [
            self._screen.film(int(item), star, score, "similar")
            for item, star, score in zip(near.items[0], stars, near.scores[0], strict=True)
            if item >= 0
        ]

    def _wish(self, options: ListOptions) -> Wish:
        check_options(options)
        diversity, order = options.get("diversity"), options.get("order")
        exclude = options.get("exclude")
        seen = options.get("exclude_seen")
        diversity = self.diversity if diversity is None else diversity
        check_diversity(diversity)
        return Wish(
            self._filters.allowed(
                options.get("genres"), options.get("years"), options.get("allow")
            ),
            self._filters.numbers(() if exclude is None else exclude),
            self.exclude_seen if seen is None else seen,
            weight_of_stars(self.order if order is None else order),
            diversity,
            options.get("explain", False),
        )

    def _lists(self, queries: Sequence[Query], k: int, wish: Wish) -> list[list[Recommendation]]:
        forbidden = [
            np.concatenate([wish.exclude, self.left_out(query, wish.exclude_seen)])
            for query in queries
        ]
        listed = self._made.ordered(
            queries, k, forbidden, wish.allow, wish.stars_weight, wish.diversity
        )
        stars = self.ranker.predict(queries, listed.items)
        sources = [self.source(query) for query in queries]
        return self._screen.lists(queries, sources, listed, stars, explain=wish.explain)

    @cached_property
    def _filters(self) -> Filters:
        return Filters(self.catalog)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.catalog, self.retriever, self._asking, sum(self.train.scale) / 2)

    @cached_property
    def _kind(self) -> Kind:
        return Kind(self.catalog, self.train.item_counts())

    @cached_property
    def _parts(self) -> Parts:
        return Parts(self.catalog, self.retriever, self.train.item_counts())

    @cached_property
    def _screen(self) -> Screen:
        return Screen(self.catalog, self._explainer)
