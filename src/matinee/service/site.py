"""What the routes and the page share: the model that answers, the store, what both do together."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ParamSpec, TypeVar

from matinee.service import advice, lists
from matinee.service.advice import Advice, Advised, Taste, Wish
from matinee.service.films import Film, Shelf
from matinee.service.limits import Admitted, Pool, Turns
from matinee.service.lists import Group
from matinee.service.logs import LOG
from matinee.service.settings import Settings
from matinee.service.telemetry import Telemetry
from matinee.service.versions import Live, Models
from matinee.store import Event, Store, Written, open_store

P = ParamSpec("P")
T = TypeVar("T")
_WRITERS = 16
_LONG_WAITING = 4


@dataclass(frozen=True)
class Rated:
    """A rating that counts.

    Attributes:
        movie_id: of which film.
        stars: the rating.
        at_s: when it was given, in seconds since 1970; None if the data has no times.
    """

    movie_id: str
    stars: float
    at_s: float | None


class Site:
    """The state of a running service.

    Every method but `run` blocks: from a coroutine call them through it.

    Args:
        settings: how the service runs.

    Raises:
        ModelFileError: no model that can be used.
        StoreError: no store that can be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models = Models(settings.model)
        self.store: Store = open_store(settings.store)
        self.telemetry = Telemetry()
        self.page_secret = self.store.secret()
        self._shelf = Shelf(self.models.current, self.store.films())
        self.pool = Pool("recommend", settings.workers, settings.queue)
        self.turns = Turns(settings.queue)
        self.admitted = Admitted(settings.queue)
        self._writers = Pool("write", _WRITERS, 8 * _WRITERS)
        self._long = Pool("long", 1, _LONG_WAITING)
        self._operator = Pool("operator", 1, _LONG_WAITING)
        self._settled = False
        self.telemetry.activated(self.models.current.version)

    def settle(self) -> None:
        """Let the garbage collector pass over what stays: once loaded, and for every new version.

        It would look through all of that again and again, with every request waiting.
        """
        self._settled = True
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what reads, on the threads that recommend.

        Raises:
            OverloadedError: they have more to do than `settings.queue` allows.
        """
        return await self.pool.run(lambda: function(*args, **kwargs))

    async def run_short(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what makes one list: on the event loop, or if the store is elsewhere, by `run`.

        Raises:
            OverloadedError: more waits than `settings.queue` allows.
        """
        if self.store.is_near:
            return await self.turns.run(lambda: function(*args, **kwargs))
        return await self.run(function, *args, **kwargs)

    async def run_write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what writes: many may wait for the disk together, and then share its sync.

        Raises:
            OverloadedError: too many wait.
        """
        return await self._writers.run(lambda: function(*args, **kwargs))

    async def run_long(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what takes long and anybody may ask for, on a thread of its own.

        Raises:
            OverloadedError: too much of that kind waits.
        """
        return await self._long.run(lambda: function(*args, **kwargs))

    async def run_operator(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what changes the service itself, where nobody else's requests stand in the way.

        Raises:
            OverloadedError: too much of that kind waits.
        """
        return await self._operator.run(lambda: function(*args, **kwargs))

    def shelf(self, live: Live | None = None) -> Shelf:
        """The films of the current model, or of another one."""
        live = live or self.models.current
        shelf = self._shelf
        if shelf.live is not live:
            shelf = Shelf(live, self.store.films())
            if live is self.models.current:
                self._shelf = shelf
        return shelf

    def reshelve(self) -> None:
        """Take up what the store says of films."""
        live, changes = self.models.current, self.store.films()
        if self._shelf.live is not live or self._shelf.changes != changes:
            self._shelf = Shelf(live, changes)

    def activate(self, version: str) -> Live:
        """Let a version answer; see `Models.activate`."""
        live = self.models.activate(version)
        self._taken_up(live)
        return live

    def rollback(self, version: str) -> Live:
        """Go back to the version before; see `Models.rollback`."""
        live = self.models.rollback(version)
        self._taken_up(live)
        return live

    def refresh(self) -> None:
        """Take up what other processes did: another current version, other films.

        Raises:
            ModelFileError: the version cannot be used; the old one goes on answering.
        """
        live = self.models.refresh()
        if live is not None:
            self._taken_up(live)
        self.reshelve()

    def _taken_up(self, live: Live) -> None:
        self.telemetry.activated(live.version)
        LOG.info("model", extra={"fields": {"version": live.version}})
        if self._settled:
            self.settle()

    def taste(self, user_id: str, shelf: Shelf) -> Taste:
        """A person's taste, by the model and the store."""
        return advice.taste_of_user(shelf, user_id, self.store.standing_of(user_id))

    def recommend(self, user_id: str, wish: Wish | None = None, live: Live | None = None) -> Advice:
        """The list for a person."""
        [found] = self.recommend_many([user_id], wish, live)
        return found

    def recommend_many(
        self, user_ids: Sequence[str], wish: Wish | None = None, live: Live | None = None
    ) -> list[Advice]:
        """The lists for some people, in less time than one by one."""
        shelf = self.shelf(live)
        tastes = [self.taste(user_id, shelf) for user_id in user_ids]
        return advice.advise(shelf, tastes, wish or Wish())

    def recommend_to(
        self, history: Mapping[str, float], wish: Wish | None = None, live: Live | None = None
    ) -> Advice:
        """The list for a history of stars by film id, of which nothing is stored.

        Raises:
            NotFoundError: a film that is not there.
            ConfigError: stars off the scale.
        """
        shelf = self.shelf(live)
        for movie_id in history:
            shelf.film(movie_id)
        taste = advice.taste_of_history(shelf, history)
        [found] = advice.advise(shelf, [taste], wish or Wish())
        return found

    def count_shown(self, films: Iterable[Advised]) -> None:
        """Count films of lists that were given to somebody, for the operator."""
        self.telemetry.recommended([(advised.film.movie_id, advised.source) for advised in films])

    def similar(self, movie_id: str, n: int = 10) -> Advice:
        """Films like one."""
        shelf = self.shelf()
        return advice.similar(shelf, shelf.film(movie_id), n)

    def search(self, text: str, limit: int = 10) -> list[Film]:
        """Films whose titles look like a text."""
        return self.shelf().search(text, limit)

    def film(self, movie_id: str) -> Film:
        """One film."""
        return self.shelf().film(movie_id)

    def stars(self, user_id: str, movie_ids: Sequence[str]) -> list[float]:
        """The stars a person would give films."""
        shelf = self.shelf()
        films = [shelf.film(movie_id) for movie_id in movie_ids]
        return advice.stars_of(shelf, self.taste(user_id, shelf), films)

    def popular(self, n: int = 10, genre: str | None = None) -> list[Film]:
        """The most rated films."""
        return lists.popular(self.shelf(), n, genre)

    def trending(self, n: int = 10, genre: str | None = None) -> list[Film]:
        """The most rated films of late."""
        return lists.trending(self.shelf(), n, genre)

    def newest(self, n: int = 10, genre: str | None = None) -> list[Film]:
        """The films added last, then those released last."""
        return lists.newest(self.shelf(), n, genre)

    def onboarding(self) -> list[Group]:
        """Groups of well-known films to pick from."""
        return lists.onboarding(self.shelf())

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest stars."""
        return self.models.current.recommender.train.scale

    def genres(self) -> list[str]:
        """Every genre, those of most films first."""
        return list(self.shelf().genres)

    def rate(self, user_id: str, movie_id: str, stars: float) -> Written:
        """Set a rating; it is on the disk when this returns.

        Raises:
            NotFoundError: no such film.
            ConfigError: stars off the scale.
            StoreUnavailableError: it cannot be written now.
        """
        self.film(movie_id)
        advice.check_stars(stars, *self.scale)
        return self.store.put_rating(user_id, movie_id, stars)

    def unrate(self, user_id: str, movie_id: str) -> Written:
        """Take a rating back, be it the store's or of the training data."""
        self.film(movie_id)
        return self.store.delete_rating(user_id, movie_id)

    def record(self, events: Sequence[Event], key: str | None = None) -> int:
        """Record events; see `Store.add_events`.

        Raises:
            NotFoundError: an event of a film that is not there.
        """
        for event in events:
            self.film(event.movie_id)
        return self.store.add_events(events, key)

    def disliked(self, user_id: str) -> frozenset[str]:
        """The ids of the films that a person does not want to be shown."""
        return self.store.standing_of(user_id).disliked

    def ratings(self, user_id: str) -> list[Rated]:
        """A person's ratings, the training data's and the store's, oldest first."""
        shelf = self.shelf()
        standing = self.store.standing_of(user_id)
        trained = {} if standing.erased else self._trained(shelf, user_id)
        for rating in standing.ratings:
            was = trained.pop(rating.movie_id, None)
            if rating.stars is not None:
                same = was is not None and was.stars == rating.stars
                trained[rating.movie_id] = Rated(
                    rating.movie_id, rating.stars, was.at_s if same and was else rating.at_s
                )
        return sorted(trained.values(), key=lambda rated: rated.at_s or 0.0)

    def _trained(self, shelf: Shelf, user_id: str) -> dict[str, Rated]:
        train = shelf.live.recommender.train
        ratings = advice.trained_ratings(shelf.live, user_id)
        if train.timestamp is None or not ratings:
            return {movie_id: Rated(movie_id, stars, None) for movie_id, stars in ratings.items()}
        times = train.timestamp[shelf.live.rows_of(train.users.number(user_id))].tolist()
        return {
            movie_id: Rated(movie_id, stars, float(at_s))
            for (movie_id, stars), at_s in zip(ratings.items(), times, strict=True)
        }

    def export(self, user_id: str) -> dict[str, Any]:
        """All that is kept of a person, JSON-ready."""
        data = self.store.export_user(user_id)
        return {
            "user_id": user_id,
            "ratings": [asdict(rated) for rated in self.ratings(user_id)],
            "disliked": sorted(data.disliked),
            "events": list(data.events),
            "erased": data.erased,
            "exported_s": time.time(),
        }

    def erase(self, user_id: str) -> int:
        """Forget a person: what is stored is removed, what the model learned is not used."""
        return self.store.erase_user(user_id)

    def put_film(self, movie_id: str, title: str, year: int | None, genres: Sequence[str]) -> bool:
        """Add or alter a film; whether anything changed."""
        changed = self.store.put_film(movie_id, title, year, genres)
        self.reshelve()
        return changed

    def delete_film(self, movie_id: str) -> bool:
        """Take a film from the catalogue.

        Raises:
            NotFoundError: no such film.
        """
        self.film(movie_id)
        changed = self.store.delete_film(movie_id)
        self.reshelve()
        return changed

    def close(self) -> None:
        """Finish what is under way."""
        for pool in (self.pool, self._writers, self._long, self._operator):
            pool.close()
        self.store.close()
