"""The films that are shown: the model's catalogue, and what the store says against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.data.titles import display_title
from matinee.data.vocabulary import Vocabulary
from matinee.errors import NotFoundError
from matinee.service.versions import Live
from matinee.store import StoredFilm
from matinee.types import IntArray

# So many films, the most alike by genres and year, speak for one that nobody rated.
_NEIGHBOURS = 10
_YEARS_APART = 25.0
# Points of likeness, of 100, that being the most rated film is worth in a search, and how many
# times as many titles as are wanted are looked at.
_FAME = 8.0
_SEARCHED = 4


@dataclass(frozen=True)
class Film:
    """A film as it is shown.

    Attributes:
        movie_id: its id.
        title: with the year: `Heat (1995)`.
        name: without the year.
        year: of release.
        genres: names.
        n_ratings: how many training ratings it has; 0 for one the model does not know.
    """

    movie_id: str
    title: str
    name: str
    year: int | None
    genres: tuple[str, ...]
    n_ratings: int


class Shelf:
    """The films of a model, with the store's additions, alterations and removals; immutable.

    Args:
        live: the model.
        changes: what the store says of films.

    Attributes:
        live: the model.
        changes: what the store says of films.
        added: films that are not the model's, by id, in the order they came.
    """

    def __init__(self, live: Live, changes: Sequence[StoredFilm]) -> None:
        self.live = live
        self.changes = changes
        self._catalog = live.recommender.catalog
        self._changed: dict[int, Film] = {}
        self._removed = np.zeros(len(self._catalog), np.bool_)
        self.added: dict[str, Film] = {}
        self._counts = live.recommender.train.item_counts()
        for change in sorted(changes, key=lambda film: (film.at_s, film.movie_id)):
            self._apply(change)

    def _apply(self, change: StoredFilm) -> None:
        number = self.number(change.movie_id)
        if change.removed:
            if number is not None:
                self._removed[number] = True
            return
        film = Film(
            change.movie_id,
            display_title(change.title, change.year),
            change.title,
            change.year,
            change.genres,
            0 if number is None else int(self._counts[number]),
        )
        if number is None:
            self.added[change.movie_id] = film
        else:
            self._changed[number] = film

    def __len__(self) -> int:
        return len(self._catalog) - int(self._removed.sum()) + len(self.added)

    def film(self, movie_id: str) -> Film:
        """The film of an id.

        Raises:
            NotFoundError: no such film is shown.
        """
        if movie_id in self.added:
            return self.added[movie_id]
        number = self.number(movie_id)
        if number is None or self._removed[number]:
            raise NotFoundError(
                f"no film {movie_id!r} among {len(self):,}; look for its id: GET /v1/movies?q=TITLE"
            )
        return self.at(number)

    def number(self, movie_id: str) -> int | None:
        """A film's number in the model; None for one that it does not know."""
        return self.live.numbers.get(movie_id)

    def at(self, number: int) -> Film:
        """The film of a number."""
        return self._changed.get(number) or self._films[number]

    @cached_property
    def _films(self) -> list[Film]:
        table = self._catalog.films
        columns = zip(
            self.live.movie_ids, table["title"], table["year"], table["genres"], strict=True
        )
        return [
            Film(movie_id, display_title(name, year), name, year, tuple(genres), int(count))
            for (movie_id, name, year, genres), count in zip(columns, self._counts, strict=True)
        ]

    def __iter__(self) -> Iterator[Film]:
        yield from (self.at(int(number)) for number in np.flatnonzero(~self._removed))
        yield from self.added.values()

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """Every genre, those of most films first."""
        counts: dict[str, int] = {}
        for film in self:
            for genre in film.genres:
                counts[genre] = counts.get(genre, 0) + 1
        return tuple(sorted(counts, key=lambda genre: (-counts[genre], genre)))

    def allowed(
        self, genres: Sequence[str], years: tuple[int | None, int | None]
    ) -> NDArray[np.bool_]:
        """The model's films that fit a wish: bool [n_items]."""
        allow = ~self._removed
        if genres or years != (None, None):
            fits = (fits_wish(self.at(n), genres, years) for n in range(len(self._catalog)))
            allow &= np.fromiter(fits, np.bool_, len(self._catalog))
        return allow

    @cached_property
    def by_popularity(self) -> IntArray:
        """The model's film numbers that are shown, most rated first: int32 [<= n_items]."""
        order = np.argsort(-self._counts, kind="stable").astype(np.int32)
        return order[~self._removed[order]]

    def neighbours(self, film: Film) -> IntArray:
        """The rated films most like one by genres and year: int32 [<= 10]."""
        numbers = self.by_popularity[self._counts[self.by_popularity] > 0]
        likeness = np.array([_likeness(film, self.at(int(n))) for n in numbers])
        # Stable: among equally alike films the most rated ones, of which the model knows most.
        return numbers[np.argsort(-likeness, kind="stable")[:_NEIGHBOURS]]

    @cached_property
    def spoken_for(self) -> dict[str, IntArray]:
        """The neighbours of every added film, by its id."""
        return {movie_id: self.neighbours(film) for movie_id, film in self.added.items()}

    @cached_property
    def _searched(self) -> tuple[list[Film], Catalog]:
        films = list(self)
        numbers = Vocabulary.of(range(len(films)), "movie")
        titles = [film.name for film in films]
        found = Catalog.of_titles(
            numbers.series.to_list(), titles, years=[film.year for film in films]
        )
        return films, found

    def search(self, text: str, limit: int) -> list[Film]:
        """Films whose titles look like a text, best first; see `Catalog.search`.

        Of titles about as alike the one that more people know is meant.
        """
        films, catalog = self._searched
        most = np.log1p(max(1, self._counts.max(initial=1)))
        found = [
            (likeness + _FAME * float(np.log1p(films[number].n_ratings) / most), films[number])
            for number, likeness in catalog.search(text, _SEARCHED * limit)
        ]
        found.sort(key=lambda pair: -pair[0])
        return [film for _, film in found[:limit]]


def fits_wish(film: Film, genres: Sequence[str], years: tuple[int | None, int | None]) -> bool:
    """Whether a film is of one of the genres, and of the years, both of which may be open."""
    first, last = years
    if genres and not set(genres) & set(film.genres):
        return False
    if film.year is None:
        return first is None and last is None
    return (first is None or film.year >= first) and (last is None or film.year <= last)


def _likeness(one: Film, other: Film) -> float:
    """Shared genres (Jaccard), and nearness in years as far as both are known; 0 … 2."""
    mine, theirs = set(one.genres), set(other.genres)
    shared = len(mine & theirs) / max(1, len(mine | theirs))
    if one.year is None or other.year is None:
        return shared
    return shared + float(np.exp(-abs(one.year - other.year) / _YEARS_APART))
