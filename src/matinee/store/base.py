"""What the stores on SQL have in common: each operation runs as a write or as a read."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

from matinee.store import operations, overview
from matinee.store.operations import Session
from matinee.store.types import (
    Counts,
    Event,
    Reception,
    Standing,
    StoredFilm,
    StoredRating,
    UserData,
    Written,
)

T = TypeVar("T")


class SqlStore(ABC):
    """A `Store` for whatever runs the SQL of `operations`."""

    @abstractmethod
    def write(self, operation: Callable[[Session], T]) -> T:
        """Run an operation in a transaction; it is on the disk when this returns.

        Raises:
            StoreUnavailableError: it cannot be written now.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that sees the store as it is at one moment."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was accepted and let go of the files."""

    def read(self, operation: Callable[[Session], T]) -> T:
        """Run an operation that only reads."""
        with self.reading() as session:
            return operation(session)

    def put_rating(
        self, user_id: str, movie_id: str, stars: float, at_s: float | None = None
    ) -> Written:
        """See `Store.put_rating`."""
        return self._set_rating(user_id, movie_id, stars, at_s)

    def delete_rating(self, user_id: str, movie_id: str, at_s: float | None = None) -> Written:
        """See `Store.delete_rating`."""
        return self._set_rating(user_id, movie_id, None, at_s)

    def _set_rating(
        self, user_id: str, movie_id: str, stars: float | None, at_s: float | None
    ) -> Written:
        when_s = time.time() if at_s is None else at_s
        return self.write(
            lambda session: operations.set_rating(session, user_id, movie_id, stars, when_s)
        )

    def ratings_of(self, user_id: str) -> list[StoredRating]:
        """See `Store.ratings_of`."""
        return self.read(partial(operations.ratings_of, user_id=user_id))

    def standing_of(self, user_id: str) -> Standing:
        """See `Store.standing_of`."""
        return self.read(partial(operations.standing_of, user_id=user_id))

    def is_erased(self, user_id: str) -> bool:
        """See `Store.is_erased`."""
        return self.read(partial(operations.is_erased, user_id=user_id))

    def add_events(self, events: Sequence[Event], key: str | None = None) -> int:
        """See `Store.add_events`."""
        now_s = time.time()
        return self.write(lambda session: operations.add_events(session, events, key, now_s))

    def export_user(self, user_id: str) -> UserData:
        """See `Store.export_user`."""
        return self.read(partial(operations.export_user, user_id=user_id))

    def erase_user(self, user_id: str) -> int:
        """See `Store.erase_user`."""
        now_s = time.time()
        return self.write(lambda session: operations.erase_user(session, user_id, now_s))

    def put_film(self, movie_id: str, title: str, year: int | None, genres: Sequence[str]) -> bool:
        """See `Store.put_film`."""
        now_s = time.time()
        return self.write(
            lambda session: operations.set_film(
                session, movie_id, title, year, genres, False, now_s
            )
        )

    def delete_film(self, movie_id: str) -> bool:
        """See `Store.delete_film`."""
        now_s = time.time()
        return self.write(lambda session: operations.remove_film(session, movie_id, now_s))

    def films(self) -> list[StoredFilm]:
        """See `Store.films`."""
        return self.read(operations.films)

    def all_ratings(self) -> Iterator[StoredRating]:
        """See `Store.all_ratings`."""
        with self.reading() as session:
            yield from operations.all_ratings(session)

    def erased_users(self) -> set[str]:
        """See `Store.erased_users`."""
        return self.read(operations.erased_users)

    def import_ratings(self, ratings: Iterable[StoredRating]) -> int:
        """See `Store.import_ratings`."""
        return sum(
            self.write(partial(operations.import_ratings, ratings=rows))
            for rows in _batched(ratings, 5_000)
        )

    def counts(self) -> Counts:
        """See `Store.counts`."""
        return self.read(overview.counts)

    def receptions(self) -> dict[str, Reception]:
        """See `Store.receptions`."""
        return self.read(overview.receptions)

    def check(self) -> list[str]:
        """See `Store.check`."""
        return self.read(overview.contradictions)

    def secret(self) -> bytes:
        """See `Store.secret`."""
        while (known := self.read(operations.secret)) is None:
            self.write(operations.make_secret)
        return known

    def ping(self) -> None:
        """See `Store.ping`."""
        self.read(operations.secret)


def _batched(ratings: Iterable[StoredRating], size: int) -> Iterator[list[StoredRating]]:
    rows: list[StoredRating] = []
    for row in ratings:
        rows.append(row)
        if len(rows) == size:
            yield rows
            rows = []
    if rows:
        yield rows
