"""Who asks, in numbers: a user, a history, or a user with ratings made since training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from matinee.config import is_number
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.ragged import Ragged
from matinee.types import FloatArray, IntArray, Query, known_users


class Asking:
    """Makes queries of what users and visitors say of themselves.

    Args:
        catalog: the films.
        train: the ratings of known users.
        relevant_from: stars that a training rating needs for the retriever to have read it; None
            if it has read all.
    """

    def __init__(
        self, catalog: Catalog, train: Ratings, relevant_from: float | None = None
    ) -> None:
        self._catalog = catalog
        self._relevant_from = np.float32(-np.inf if relevant_from is None else relevant_from)
        self._train = train
        self._rows, self._offsets = train.by_user()
        read = train.user_index[train.rating >= self._relevant_from]
        self._is_read = np.bincount(read, minlength=len(train.users)) > 0

    def query(self, user: str | int | None, history: Mapping[str, float] | None) -> Query:
        """See `Recommender.query`."""
        if not isinstance(history, Mapping | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(
                f"history = {history!r}; expected stars by film, as {{'Heat (1995)': 5}}"
            )
        if user is None and not history:
            raise ConfigError(
                "neither a user nor a history of stars by film; expected one of them, or a user "
                "with the ratings they made since training"
            )
        index = None if user is None else self._number(user)
        if not history:
            return Query(index)
        films, stars = self._given(history)
        if index is not None:
            # A film rated anew counts once, by its newer stars.
            old, before = self.training(index)
            kept = ~np.isin(old, films)
            films, stars = (
                np.concatenate([old[kept], films]),
                np.concatenate([before[kept], stars]),
            )
        return Query(index, films, stars)

    def checked(self, query: Query) -> Query:
        """The query itself.

        Raises:
            ConfigError: it has a number that no user or no film has.
        """
        known_users([query], len(self._train.users))
        films = query.history[0]
        strange = films[(films < 0) | (films >= len(self._catalog))]
        if len(strange):
            raise ConfigError(
                f"film number {strange[0]} in a query; expected 0 … {len(self._catalog) - 1}"
            )
        return query

    def rated(self, query: Query) -> tuple[IntArray, FloatArray]:
        """The query's films and their stars, oldest first.

        These are its history, or the training ratings that the retriever has read.
        """
        if len(query.history[0]) or query.user_index is None:
            return query.history
        films, stars = self.training(query.user_index)
        read = stars >= self._relevant_from
        return films[read], stars[read]

    def is_read(self, user_index: int | None) -> bool:
        """Whether the retriever has read any training rating of a user."""
        return user_index is not None and bool(self._is_read[user_index])

    def left_out(self, query: Query, seen: bool) -> IntArray:
        """The films int32 [m] to leave out of a list: what is new, and what was `seen` before."""
        films, stars = query.history
        if query.user_index is None:
            return films
        old, before = self.training(query.user_index)
        if seen:
            return np.concatenate([films, old])
        # A known user's history holds their training ratings too; new ones stay out in any case.
        trained = set(zip(old.tolist(), before.tolist(), strict=True))
        told = zip(films.tolist(), stars.tolist(), strict=True)
        return films[[rating not in trained for rating in told]]

    def left_out_of_users(self, users: IntArray, seen: bool) -> Ragged:
        """What `left_out` gives for each of some known users [b] without a history."""
        starts, ends = self._offsets[users], self._offsets[users + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts if seen else 0 * users)])
        shifts = np.repeat(starts - offsets[:-1], np.diff(offsets))
        rows = self._rows[shifts + np.arange(len(shifts))]
        return Ragged(self._train.item_index[rows], offsets)

    def training(self, user_index: int) -> tuple[IntArray, FloatArray]:
        """The films int32 [m] and the stars float32 [m] of a user's training ratings."""
        first, last = self._offsets[user_index : user_index + 2]
        rows = self._rows[first:last]
        return self._train.item_index[rows], self._train.rating[rows]

    def _number(self, user: str | int) -> int | None:
        """A user's number; None of one without a place in the vocabulary."""
        [number] = self._train.users.numbers([user], unknown="row").tolist()
        return number if number < len(self._train.users) else None

    def _given(self, history: Mapping[str, float]) -> tuple[IntArray, FloatArray]:
        low, high = self._train.scale
        for film, stars in history.items():
            # As the ratings themselves are compared: in float32.
            fits = is_number(stars) and np.float32(low) <= np.float32(stars) <= np.float32(high)
            if not fits:
                raise ConfigError(f"{film} = {stars!r}; expected stars from {low:g} to {high:g}")
        films = np.array([self._catalog.find(film) for film in history], np.int32)
        if len(np.unique(films)) != len(films):
            raise ConfigError(
                f"history {list(history)} names a film twice; expected each film once"
            )
        return films, np.array(list(history.values()), np.float32)
