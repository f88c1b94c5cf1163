"""What a store keeps and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

EventKind = Literal["impression", "click", "dislike", "undislike"]
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)


@dataclass(frozen=True)
class StoredRating:
    """What somebody last said of a film.

    Attributes:
        user_id: who.
        movie_id: of which film.
        stars: the rating; None where it was taken back, which also takes back a rating of the
            data that a model was trained on.
        at_s: when, in seconds since 1970.
    """

    user_id: str
    movie_id: str
    stars: float | None
    at_s: float


@dataclass(frozen=True)
class Written:
    """What a write left.

    Attributes:
        changed: whether anything is other than before.
        stars: the rating that now stands; None for none.
        previous: the rating that stood before; None for none that the store knew.
        at_s: when the rating that now stands was given or taken back, in seconds since 1970.
    """

    changed: bool
    stars: float | None
    previous: float | None
    at_s: float


@dataclass(frozen=True)
class Event:
    """Something that happened to a film on somebody's screen.

    Attributes:
        kind: it was shown, it was opened, it was not wanted, or that was taken back.
        user_id: who.
        movie_id: which film.
        model_version: the model that had proposed it.
        position: its place in the list, from 1.
        at_s: when, in seconds since 1970; None for when it is stored.
    """

    kind: EventKind
    user_id: str
    movie_id: str
    model_version: str | None = None
    position: int | None = None
    at_s: float | None = None


@dataclass(frozen=True)
class StoredFilm:
    """A film that was added to, altered in or taken from the catalogue of the model.

    Attributes:
        movie_id: its id.
        title: without the year.
        year: of release.
        genres: names.
        removed: it is to be shown to nobody.
        at_s: when this was said, in seconds since 1970.
    """

    movie_id: str
    title: str
    year: int | None
    genres: tuple[str, ...]
    removed: bool
    at_s: float


@dataclass(frozen=True)
class Standing:
    """What counts of a person for their next list.

    Attributes:
        ratings: current ones, oldest first; one taken back has no stars.
        disliked: the films that they do not want to be shown.
        erased: they were erased once: what a model learned of them before is not to be used.
    """

    ratings: tuple[StoredRating, ...] = ()
    disliked: frozenset[str] = frozenset()
    erased: bool = False


@dataclass(frozen=True)
class UserData(Standing):
    """All that a store knows of a person.

    Attributes:
        events: everything that was recorded, oldest first, as a table's rows by column.
    """

    events: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class Reception:
    """What became of the films that a version of the model proposed.

    Attributes:
        shown: how many were shown.
        opened: how many of them were opened.
    """

    shown: int = 0
    opened: int = 0

    @property
    def click_through(self) -> float | None:
        """Films opened per film shown; None if none was shown."""
        return self.opened / self.shown if self.shown else None


@dataclass(frozen=True)
class Counts:
    """How much a store holds.

    Attributes:
        users: with a current rating.
        ratings: current ones.
        films: added, altered or removed ones.
        events: of all kinds, ratings among them.
        impressions: films shown.
        clicks: films opened.
        dislikes: films not wanted.
    """

    users: int
    ratings: int
    films: int
    events: int
    impressions: int
    clicks: int
    dislikes: int
