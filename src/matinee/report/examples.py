"""Three users, what they rated highest, and what each model shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split
from matinee.report.models import Model
from matinee.types import EMPTY_ITEM, IntArray

# Where the three users stand among the tested ones, from few training ratings to many.
_PLACES = ((0.1, "few ratings"), (0.5, "a typical number of ratings"), (0.9, "many ratings"))
_HISTORY = 8


@dataclass(frozen=True)
class Film:
    """A film in a list; `stars` are what the user gave it, None where they did not rate it."""

    title: str
    stars: float | None


@dataclass(frozen=True)
class Shown:
    """A model's list for a user."""

    model: Model
    films: list[Film]

    @property
    def found(self) -> int:
        """How many of the films the user did rate in the test part."""
        return sum(film.stars is not None for film in self.films)


@dataclass(frozen=True)
class Example:
    """A user.

    Attributes:
        user_id: the external id.
        activity: how many ratings they gave, in words.
        trained: how many of them the models know.
        tested: how many are to be found.
        history: the films they rated best, and of those the latest.
        lists: what each model shows.
    """

    user_id: str
    activity: str
    trained: int
    tested: int
    history: list[Film]
    lists: list[Shown]


def examples_of(split: Split, catalog: Catalog, models: Sequence[Model]) -> list[Example]:
    """Up to three users that every model made a list for; none where no model makes lists.

    Args:
        split: the one that each model's last lists are of.
        catalog: the films.
        models: with their lists.
    """
    listing = [(m, m.measured.lists[-1]) for m in models if m.measured.lists]
    if not listing:
        return []
    tested = np.bincount(split.test.user_index, minlength=len(split.test.users))
    shown = np.all([(lists != EMPTY_ITEM).any(axis=1) for _, lists in listing], axis=0)
    users = np.flatnonzero((tested > 0) & shown)
    counts = np.bincount(split.train.user_index, minlength=len(tested))
    order = users[np.argsort(counts[users], kind="stable")]
    places = {int(place * (len(order) - 1)): name for place, name in _PLACES if len(order)}
    return [
        _example(int(order[place]), activity, split, catalog, listing)
        for place, activity in places.items()
    ]


def _example(
    user: int,
    activity: str,
    split: Split,
    catalog: Catalog,
    listing: Sequence[tuple[Model, IntArray]],
) -> Example:
    train, test = _of_user(split.train, user), _of_user(split.test, user)
    wanted = dict(zip(test.item_index.tolist(), test.rating.tolist(), strict=True))
    # Ratings are in order of time, so of equal stars the last ones are the latest.
    best = np.lexsort((np.arange(len(train)), train.rating))[::-1][:_HISTORY]
    return Example(
        str(split.test.users.id(user)),
        activity,
        len(train),
        len(test),
        [Film(catalog.title(int(train.item_index[row])), float(train.rating[row])) for row in best],
        [
            Shown(
                model,
                [
                    Film(catalog.title(int(film)), wanted.get(int(film)))
                    for film in lists[user]
                    if film != EMPTY_ITEM
                ],
            )
            for model, lists in listing
        ],
    )


def _of_user(ratings: Ratings, user: int) -> Ratings:
    return ratings.take(ratings.user_index == user)
