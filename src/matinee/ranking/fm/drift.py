"""A user's mood: how far their ratings at one time lie from their usual ones.

In the order of time a user's ratings are cut into leaves of two or more. Leaves, threes of leaves,
nines and so on each have a deviation of their own, normal around 0 with a variance by scale that is
drawn too; a rating's drift is the sum of those it lies in. That is the user's day effect of Koren's
timeSVD++ (2009), at several scales at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]

_SCALES = 4
_RATIO = 3
_LEAF = 2
_DAY = 86_400
# After so many seconds without a rating, the mood of the last one says nothing any more.
_FADES = 3_600
_NEVER = 1e30
SHAPE, RATE = 1.0, 0.01


@dataclass(frozen=True, eq=False)
class Leaves:
    """When each user's leaves end.

    Attributes:
        start: float32 [n_users + 1], whole days since 1970, of a user's first rating.
        ends: float32 [n_users + 1, leaves], seconds since then; what comes after the last is at no
            known time.
    """

    start: FloatArray
    ends: FloatArray

    @classmethod
    def of(cls, train: Ratings, leaves: int) -> Leaves:
        """Cut each user's ratings into leaves of equal size, at least 2, at most `leaves` of them.

        Without times, or with no leaves allowed, no time is ever known.
        """
        size = len(train.users) + 1
        start, ends = np.zeros(size, np.float32), np.full((size, leaves), -_NEVER, np.float32)
        if train.timestamp is None or not leaves:
            return cls(start, ends)
        rows, offsets = train.by_user()
        for user in np.flatnonzero(np.diff(offsets)):
            times = train.timestamp[rows[offsets[user] : offsets[user + 1]]]
            start[user] = times[0] // _DAY
            seconds = (times - int(start[user]) * _DAY).astype(np.float64)
            count = max(1, min(leaves, len(times) // _LEAF))
            cuts = np.arange(1, count) * len(times) // count
            ends[user] = seconds[-1] + _FADES
            ends[user, : count - 1] = (seconds[cuts - 1] + seconds[cuts]) / 2
        return cls(start, ends)

    def find(self, users: IntArray, times: NDArray[np.int64]) -> IntArray:
        """The leaf of each of the times int64 [b, k] of b users, int32 [b, k]; `leaves` if none."""
        seconds = (times - self.start[users].astype(np.int64)[:, None] * _DAY).astype(np.float32)
        return (self.ends[users][:, None, :] < seconds[:, :, None]).sum(axis=2, dtype=np.int32)

    @property
    def count(self) -> int:
        """The most leaves that a user has."""
        return self.ends.shape[1]


class Drift:
    """Draws the drift of each rating.

    Args:
        train: the ratings.
        leaves: of its users.
    """

    def __init__(self, train: Ratings, leaves: Leaves) -> None:
        self.leaves = leaves
        self._users = len(train.users)
        self._own = train.user_index
        self._rated = np.bincount(self._own, minlength=self._users)
        self.values: Array = np.zeros(len(train))
        self._deviations: list[Array] = []
        self._bins: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self.variances = np.zeros(0)
        if train.timestamp is None or not leaves.count:
            return
        leaf = np.empty(len(train), np.int64)
        rows, offsets = train.by_user()
        for user in np.flatnonzero(np.diff(offsets)):
            own = rows[offsets[user] : offsets[user + 1]]
            number = np.array([user], np.int32)
            leaf[own] = leaves.find(number, train.timestamp[own][None])[0]
        for scale in range(_SCALES):
            width = -(-leaves.count // _RATIO**scale)
            bins = train.user_index * width + leaf // _RATIO**scale
            self._bins.append(bins)
            counts: NDArray[np.int64] = np.bincount(bins, minlength=self._users * width)
            self._counts.append(counts)
            self._deviations.append(np.zeros(len(counts)))
        self.variances = np.full(_SCALES, 0.02)

    def draw(self, residuals: Array, rng: np.random.Generator) -> None:
        """Draw all scales in turn, given latent scores less everything else, float64 [n]."""
        for scale, (bins, counts) in enumerate(zip(self._bins, self._counts, strict=True)):
            others = self.values - self._deviations[scale][bins]
            total = np.bincount(bins, residuals - others, minlength=len(counts))
            precision = counts + 1 / self.variances[scale]
            noise = rng.standard_normal(len(counts)) / np.sqrt(precision)
            drawn = total / precision + noise
            rated = drawn[counts > 0]
            rate = RATE + 0.5 * float(rated @ rated)
            self.variances[scale] = 1 / rng.gamma(SHAPE + 0.5 * len(rated), 1 / rate)
            self._deviations[scale] = drawn
            self.values = others + drawn[bins]

    def tables(self) -> tuple[Array, Array, Array]:
        """Each user's mean drift, what differs from it at each leaf, and the square of that.

        A bias and a mean drift can't be told apart by the ratings, so only their sum is sure; kept
        apart, what is unsure of either would be counted twice.

        Returns:
            mean over the user's ratings float64 [n_users]; two tables [n_users + 1, leaves + 1].
            Their last column is of no known time: 0, and the mean square over the user's ratings.
            Whoever has none, and the unknown user, may be in any mood.
        """
        count = np.maximum(self._rated, 1)
        mean = np.bincount(self._own, self.values, minlength=self._users) / count
        shape = (self._users + 1, self.leaves.count + 1)
        drift, squares = np.zeros(shape), np.full(shape, self.variances.sum())
        for scale, drawn in enumerate(self._deviations):
            wide = np.repeat(drawn.reshape(self._users, -1), _RATIO**scale, axis=1)
            drift[:-1, :-1] += wide[:, : self.leaves.count]
        drift[:-1, :-1] -= mean[:, None]
        squares[:-1, :-1] = drift[:-1, :-1] ** 2
        away = (self.values - mean[self._own]) ** 2
        spread = np.bincount(self._own, away, minlength=self._users) / count
        squares[:-1, -1] = np.where(self._rated > 0, spread, squares[:-1, -1])
        return mean, drift, squares
