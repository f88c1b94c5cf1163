"""What is known of films at one moment: how popular they are, and since when they were there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.types import FloatArray, IntArray

DAY_S = 86_400.0
# After so many days a rating counts half in recent popularity.
HALF_LIVES_DAYS = (7.0, 30.0, 180.0)
_YEAR_S = 365.25 * DAY_S
# Ratings' worth of trust in a film's share of all ratings, beside its share of recent ones.
_SHARE_TRUST = 500.0
# Ratings' worth of trust in the mean of all stars, beside that of a film's own.
_STAR_TRUST = 20.0
# Moments between which ratings are counted, each as many ratings after the one before.
_MOMENTS = 64


@dataclass(frozen=True, eq=False)
class Films:
    """Films as they are at the end of some ratings.

    Attributes:
        share: float32 [n], logarithm of a film's share of all ratings.
        trend: float32 [n, 3], logarithm of its share of recent ratings, by half-life, over `share`.
        stars: float32 [n], mean stars, drawn to the mean of all where there are few.
        age: float32 [n], years since release.
        first: int64 [n], seconds, of the first rating; the end where there is none.
        now: seconds, the time of the last rating.
    """

    share: FloatArray
    trend: FloatArray
    stars: FloatArray
    age: FloatArray
    first: NDArray[np.int64]
    now: int
    _moments: NDArray[np.int64]
    _before: FloatArray

    @classmethod
    def of(cls, train: Ratings, years: FloatArray) -> Films:
        """The films at the end of `train`, with their release years float32 [n].

        Raises:
            DataError: the ratings have no times, or there are none.
        """
        times = times_of(train)
        size, n, films = len(train), len(train.items), train.item_index
        now = int(times[-1])
        counts = train.item_counts()
        share = (counts.astype(np.float64) + 0.5) / (size + 0.5 * n)
        mean = float(train.rating.mean())
        first = np.full(n, now, np.int64)
        np.minimum.at(first, films, times)
        moments = times[np.linspace(0, size - 1, _MOMENTS).astype(np.int64)]
        return cls(
            share=np.log(share).astype(np.float32),
            trend=_trend(films, (now - times) / DAY_S, share),
            stars=_means(films, train.rating, counts, mean),
            age=np.maximum(1970 + now / _YEAR_S - years, 0).astype(np.float32),
            first=first,
            now=now,
            _moments=moments,
            _before=_shares_before(films, times, moments, counts),
        )

    def after(self, items: IntArray, times: NDArray[np.int64]) -> FloatArray:
        """The share float32 [b, k] of the ratings of `items` [b, k] from after `times` [b]."""
        moment = np.searchsorted(self._moments, times, side="right") - 1
        return 1 - self._before[np.maximum(moment, 0)[:, None], items]


def times_of(train: Ratings) -> NDArray[np.int64]:
    """The times of some ratings.

    Raises:
        DataError: they have none, or there are no ratings.
    """
    if train.timestamp is None or not len(train):
        raise DataError(
            f"{len(train):,} ratings{' without times' if len(train) else ''}; expected some with "
            "times: a list ranker learns from what was rated last; name the timestamp column, or "
            "leave the list stage out"
        )
    return train.timestamp


def years_of(catalog: Catalog) -> FloatArray:
    """Release years float32 [n]; the middle one where a film's is unknown."""
    years = catalog.films["year"].cast(float)
    middle = years.median()
    return (
        years.fill_null(middle if isinstance(middle, float) else 0.0).to_numpy().astype(np.float32)
    )


def _trend(films: IntArray, days: NDArray[np.float64], share: NDArray[np.float64]) -> FloatArray:
    columns: list[NDArray[np.float64]] = []
    for half_life in HALF_LIVES_DAYS:
        weights = 0.5 ** (days / half_life)
        recent = np.bincount(films, weights, len(share)) + _SHARE_TRUST * share
        columns.append(np.log(recent / (weights.sum() + _SHARE_TRUST) / share))
    return np.stack(columns, axis=1).astype(np.float32)


def _means(
    films: IntArray, stars: FloatArray, counts: NDArray[np.int64], mean: float
) -> FloatArray:
    total = np.bincount(films, stars - mean, len(counts))
    return (mean + total / (counts + _STAR_TRUST)).astype(np.float32)


def _shares_before(
    films: IntArray,
    times: NDArray[np.int64],
    moments: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> FloatArray:
    """The share float32 [moments, n] of each film's ratings up to each moment."""
    n = len(counts)
    place = np.searchsorted(moments, times, side="left")
    cells = np.bincount(place * n + films, minlength=len(moments) * n)
    upto = np.cumsum(cells.reshape(len(moments), n), axis=0)
    return (upto / np.maximum(counts, 1)).astype(np.float32)
