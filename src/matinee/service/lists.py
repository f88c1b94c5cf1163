"""Lists that are the same for everybody: popular, trending, new, and films to start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from matinee.service.films import Film, Shelf

# The newest part of the ratings in which a film must be rated much to be trending.
_LATE = 0.1
_GROUPS = 8
_GROUP_SIZE = 5
# How many average ratings are added to a film's own before its mean says how good it is.
_DOUBT = 50


@dataclass(frozen=True)
class Group:
    """Well-known films of one kind, to pick from.

    Attributes:
        group_id: its name in addresses.
        title: what they have in common.
        films: the best known of them.
    """

    group_id: str
    title: str
    films: tuple[Film, ...]


def popular(shelf: Shelf, n: int, genre: str | None = None) -> list[Film]:
    """The most rated films."""
    return _first((shelf.at(int(number)) for number in shelf.by_popularity), n, genre)


def trending(shelf: Shelf, n: int, genre: str | None = None) -> list[Film]:
    """Films whose share of the newest tenth of ratings is most above their share of the rest.

    Both shares are smoothed by one rating, so a handful of ratings makes no trend.
    """
    train = shelf.live.recommender.train
    cut = len(train) - max(1, round(len(train) * _LATE))
    late = np.bincount(train.item_index[cut:], minlength=len(train.items)).astype(float)
    early = np.bincount(train.item_index[:cut], minlength=len(train.items)).astype(float)
    rise = late - early * late.sum() / max(1.0, early.sum())
    surprise = rise / np.sqrt(late + early + 1.0)
    shown = shelf.by_popularity
    order = shown[np.argsort(-surprise[shown], kind="stable")]
    return _first((shelf.at(int(number)) for number in order), n, genre)


def newest(shelf: Shelf, n: int, genre: str | None = None) -> list[Film]:
    """The films that were added last, then those released last, well-known ones first."""
    known = (shelf.at(int(number)) for number in shelf.by_popularity)
    released = sorted(known, key=lambda film: -(film.year or 0))
    return _first([*reversed(shelf.added.values()), *released], n, genre)


def onboarding(shelf: Shelf) -> list[Group]:
    """For each of the largest genres its best-loved films, no film twice.

    Loved is the sum of stars above the mean of all ratings, shrunk for films of few ratings.
    """
    train = shelf.live.recommender.train
    counts = train.item_counts().astype(float)
    sums = np.bincount(train.item_index, train.rating, len(train.items))
    mean = float(train.rating.mean())
    quality = (sums + _DOUBT * mean) / (counts + _DOUBT)
    love = (quality - mean) * np.sqrt(counts)
    shown = shelf.by_popularity
    order = [shelf.at(int(number)) for number in shown[np.argsort(-love[shown], kind="stable")]]
    groups, taken = list[Group](), set[str]()
    for genre in shelf.genres[:_GROUPS]:
        films = _first((film for film in order if film.movie_id not in taken), _GROUP_SIZE, genre)
        taken |= {film.movie_id for film in films}
        if films:
            slug = "".join(letter if letter.isalnum() else "-" for letter in genre.lower())
            groups.append(Group(slug, genre, tuple(films)))
    return groups


def _first(films: Iterable[Film], n: int, genre: str | None) -> list[Film]:
    wanted = (film for film in films if genre is None or genre in film.genres)
    return list(islice(wanted, n))
