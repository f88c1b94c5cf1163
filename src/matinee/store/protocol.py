"""What every store can do; `tests/store/contract.py` holds each of them to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

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


class Store(Protocol):
    """Keeps ratings, events and films that arrive while a model serves.

    Every method may be called from any thread. What writes returns when the write is on the disk,
    and raises `StoreUnavailableError` when it cannot be written, now; the next call tries anew.

    Attributes:
        is_near: reads are answered from this process's memory, so a coroutine may wait for them.
    """

    is_near: bool

    def put_rating(
        self, user_id: str, movie_id: str, stars: float, at_s: float | None = None
    ) -> Written:
        """Set a rating. The same stars again change nothing, not even the time.

        Any stars take a dislike of the film back.

        Args:
            user_id: whose.
            movie_id: of which film.
            stars: on any scale; the store knows none.
            at_s: when, in seconds since 1970; None is now.
        """
        ...

    def delete_rating(self, user_id: str, movie_id: str, at_s: float | None = None) -> Written:
        """Take a rating back, be it the store's or of the data that a model was trained on."""
        ...

    def ratings_of(self, user_id: str) -> list[StoredRating]:
        """Everything somebody said of films, oldest first, ratings taken back among it."""
        ...

    def standing_of(self, user_id: str) -> Standing:
        """What counts of somebody for their next list, as it stood at one moment."""
        ...

    def is_erased(self, user_id: str) -> bool:
        """Whether they were erased: what a model learned of them before is not to be used."""
        ...

    def add_events(self, events: Sequence[Event], key: str | None = None) -> int:
        """Record events; a film that was disliked stays so until stars or an "undislike".

        Args:
            events: in order.
            key: the caller's name for this call; a call of the same name has no effect of its own
                and the same answer, for at least a day.

        Returns:
            How many were recorded by the first call of that name.

        Raises:
            ConflictError: other events were recorded under this name.
        """
        ...

    def export_user(self, user_id: str) -> UserData:
        """All that is kept of a person."""
        ...

    def erase_user(self, user_id: str) -> int:
        """Remove all that is kept of a person, and note that older knowledge of them is void.

        Returns:
            How many ratings and events were removed.
        """
        ...

    def put_film(self, movie_id: str, title: str, year: int | None, genres: Sequence[str]) -> bool:
        """Add or alter a film; whether anything changed."""
        ...

    def delete_film(self, movie_id: str) -> bool:
        """Take a film from the catalogue, be it the store's or the model's; whether it changed."""
        ...

    def films(self) -> list[StoredFilm]:
        """Every film that was added, altered or removed, by id."""
        ...

    def all_ratings(self) -> Iterator[StoredRating]:
        """Every rating, by user and film, as they stood at one moment; taken back ones too."""
        ...

    def erased_users(self) -> set[str]:
        """The hashes of everybody erased; see `matinee.store.operations.hash_of`."""
        ...

    def import_ratings(self, ratings: Iterable[StoredRating]) -> int:
        """Set many ratings with their times, some thousands at a time; how many changed."""
        ...

    def counts(self) -> Counts:
        """How much is kept."""
        ...

    def receptions(self) -> dict[str, Reception]:
        """What became of the films that each version of the model proposed, by its name."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the store, in words; nothing if it is sound."""
        ...

    def secret(self) -> bytes:
        """32 random bytes that were made with the store, to sign what visitors bring back."""
        ...

    def ping(self) -> None:
        """Read something.

        Raises:
            StoreUnavailableError: it cannot be read now.
        """
        ...

    def close(self) -> None:
        """Finish what was accepted and let go of the files."""
        ...
