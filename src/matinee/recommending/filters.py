"""Which films may be shown: by genre, by year, by name; decided before the best are picked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from matinee.config import is_whole
from matinee.data.catalog import Catalog
from matinee.errors import ConfigError, NotFoundError
from matinee.types import IntArray

Mask = NDArray[np.bool_]
Years = tuple[int | None, int | None]
# One film, or several, by id or title.
Named = str | int | Iterable[str | int]


class Filters:
    """Turns wishes about films into the films that meet them.

    Args:
        catalog: the films.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def allowed(
        self,
        genres: str | Iterable[str] | None,
        years: Years | None,
        allow: Named | Mask | None,
    ) -> Mask | None:
        """The films that meet every wish, bool [n_items]; None where nothing is wished for.

        Args:
            genres: names, upper or lower case; a film needs one of them.
            years: of release, from and to, both included; None leaves an end open. A film without a
                year is in no range.
            allow: ids or titles, or bool [n_items] of film numbers; no other film may be shown.

        Raises:
            ConfigError: years in the wrong order, or something else than years or names.
            NotFoundError: a genre or a film that the catalogue does not have.
        """
        masks: list[Mask] = []
        if genres is not None:
            wanted = [self._genre(name) for name in _names(genres)]
            masks.append(np.logical_or.reduce(self._catalog.genre_marks[:, wanted], axis=1))
        if years is not None:
            masks.append(self._between(*_ends(years)))
        if _is_mask(allow):
            masks.append(allow)
        elif allow is not None:
            mask = np.zeros(len(self._catalog), np.bool_)
            mask[self.numbers(allow)] = True
            masks.append(mask)
        return np.logical_and.reduce(masks) if masks else None

    def numbers(self, films: Named) -> IntArray:
        """The numbers int32 [m] of films named by id or title; of one film int32 [1].

        Raises:
            NotFoundError: a film that the catalogue does not have.
        """
        # Text is iterable too: "12" would be films 1 and 2.
        named = films if isinstance(films, Iterable) and not isinstance(films, str) else [films]
        return np.array([self._catalog.find(film) for film in named], np.int32)

    def _genre(self, name: str) -> int:
        """The column of a genre among the catalogue's."""
        names = self._catalog.genre_names
        known = {own.casefold(): place for place, own in enumerate(names)}
        found = known.get(name.strip().casefold())
        if found is None:
            near = difflib.get_close_matches(name.casefold(), known, n=1)
            meant = f"; did you mean {names[known[near[0]]]}?" if near else ""
            listed = ", ".join(names) or "no genres at all"
            raise NotFoundError(f"no genre {name!r}; the catalogue has {listed}{meant}")
        return found

    def _between(self, first: int | None, last: int | None) -> Mask:
        if first is not None and last is not None and first > last:
            raise ConfigError(
                f"years {first}:{last}; expected the earlier year first; try {last}:{first}"
            )
        mask = ~np.isnan(self._years)
        if first is not None:
            mask &= self._years >= first
        if last is not None:
            mask &= self._years <= last
        return mask

    @cached_property
    def _years(self) -> NDArray[np.float64]:
        """Of release; NaN where unknown."""
        return self._catalog.films["year"].cast(float).to_numpy()


def _names(genres: Any) -> list[str]:
    """One name, or several, as a list."""
    several = isinstance(genres, Iterable) and not isinstance(genres, str)
    names: list[Any] = list(cast(Iterable[Any], genres)) if several else [genres]
    if not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f'genres = {genres!r}; expected a name, or several, as ["Comedy", "Drama"]'
        )
    return names


def _ends(years: Any) -> Years:
    """The two ends of a range of years."""
    pair: list[Any] = list(cast(Sequence[Any], years)) if isinstance(years, Sequence) else []
    if len(pair) != 2 or not all(end is None or is_whole(end) for end in pair):
        raise ConfigError(
            f"years = {years!r}; expected the first and the last year, as (1990, 1999); None "
            "leaves an end open"
        )
    return pair[0], pair[1]


def _is_mask(allow: object) -> TypeGuard[Mask]:
    """Whether that is a mark for each film; an array of ids is not."""
    return isinstance(allow, np.ndarray) and cast(NDArray[Any], allow).dtype == np.bool_
