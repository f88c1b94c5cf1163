"""Ratings as frozen columns, validated once, at birth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.vocabulary import Vocabulary
from matinee.errors import ConfigError, DataError
from matinee.types import IntArray

# Past so many times the number of ratings, a mark for every place would waste memory.
_SPARSE = 64


@dataclass(frozen=True, eq=False)
class Ratings:
    """Who rated what, how, and when; in the order of time, and of the file where times are equal.

    Attributes:
        users: the users' ids.
        items: the films' ids; films that nobody rated are in it too.
        user_index: int32 [n].
        item_index: int32 [n].
        rating: float32 [n], within `scale`.
        timestamp: int64 [n], seconds since 1970, or None where the source has no times.
        position: int64 [n], the rating's place in its source, from 0; unique.
        scale: the lowest and the highest rating that the source allows.
        user_features: one row a user, aligned to `users` (for example age, gender, occupation).
    """

    users: Vocabulary
    items: Vocabulary
    user_index: IntArray
    item_index: IntArray
    rating: NDArray[np.float32]
    timestamp: NDArray[np.int64] | None
    position: NDArray[np.int64]
    scale: tuple[float, float]
    user_features: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        size = len(self.rating)
        for name, dtype in _COLUMNS.items():
            if name == "timestamp" and self.timestamp is None:
                continue
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (size,):
                raise DataError(
                    f"ratings column {name} is {column.dtype} {column.shape}; "
                    f"expected {np.dtype(dtype)} ({size},)"
                )
            # A view, so that the caller's own array stays writable.
            frozen = column.view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)
        if size:
            self._check_ranges()
            self._check_order()

    @classmethod
    def of(
        cls,
        users: Vocabulary,
        items: Vocabulary,
        user_index: IntArray,
        item_index: IntArray,
        rating: NDArray[np.float32],
        timestamp: NDArray[np.int64] | None = None,
        *,
        scale: tuple[float, float] | None = None,
        user_features: pl.DataFrame | None = None,
    ) -> Ratings:
        """Ratings from columns in the source's order: sorts them and refuses repeated pairs.

        Args:
            users: the users' ids.
            items: the films' ids.
            user_index: int32 [n].
            item_index: int32 [n].
            rating: float32 [n].
            timestamp: int64 [n] or None.
            scale: lowest and highest rating allowed; None takes those that occur.
            user_features: one row a user.

        Raises:
            DataError: wrong types or sizes, values out of range, or a (user, film) pair twice.
        """
        position = np.arange(len(rating), dtype=np.int64)
        if timestamp is not None:
            position, timestamp = _in_order_of_time(timestamp, position)
        if scale is None:
            finite = rating[np.isfinite(rating)]
            scale = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
        ratings = cls(
            users,
            items,
            user_index[position],
            item_index[position],
            rating[position],
            timestamp,
            position,
            scale,
            user_features,
        )
        ratings.check()
        return ratings

    def check(self) -> None:
        """Prove that nobody rated a film twice: what `of` does, and making them directly does not.

        Raises:
            DataError: a (user, film) pair stands there twice; both places are named.
        """
        keys = self.user_index.astype(np.int64) * len(self.items) + self.item_index
        series = pl.Series(keys)
        if series.n_unique() == len(keys):
            return
        first = int(np.argmax(series.is_duplicated().to_numpy()))
        places = self.position[keys == keys[first]][:2]
        raise DataError(
            f"user {self.users.id(int(self.user_index[first]))} rated film "
            f"{self.items.id(int(self.item_index[first]))} twice (places {places[0]} and "
            f"{places[1]}); expected one rating a pair; keep the newest"
        )

    def __len__(self) -> int:
        return len(self.rating)

    def __repr__(self) -> str:
        return (
            f"Ratings({len(self):,} ratings of {len(self.items):,} films by "
            f"{len(self.users):,} users, {self.scale[0]:g}–{self.scale[1]:g})"
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.integer]) -> Ratings:
        """Some of the ratings, by mask or ascending row numbers, with the same vocabularies."""
        return replace(
            self,
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            rating=self.rating[rows],
            timestamp=None if self.timestamp is None else self.timestamp[rows],
            position=self.position[rows],
        )

    def relevant(self, stars: float | None) -> Ratings:
        """The ratings of so many stars or more, with the same vocabularies; None keeps all.

        Raises:
            ConfigError: no rating has as many.
        """
        if stars is None:
            return self
        # As the ratings themselves are compared: in float32.
        kept = self.rating >= np.float32(stars)
        if len(self) and not kept.any():
            raise ConfigError(
                f"relevant from {stars:g} stars; expected at most {self.rating.max():g}, the "
                f"highest of the {len(self):,} ratings"
            )
        return self.take(kept)

    def by_user(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows grouped by user, in order of time within each.

        Returns:
            rows: int64 [n], row numbers; those of user u are rows[offsets[u]:offsets[u + 1]].
            offsets: int64 [n_users + 1].
        """
        rows = np.argsort(self.user_index, kind="stable")
        counts = np.bincount(self.user_index, minlength=len(self.users))
        return rows, np.concatenate([[0], np.cumsum(counts)])

    def items_by_user(self) -> list[IntArray]:
        """Per user, the numbers of the films they rated, oldest first."""
        rows, offsets = self.by_user()
        return np.split(self.item_index[rows], offsets[1:-1])

    def item_counts(self) -> NDArray[np.int64]:
        """How often each film was rated: int64 [n_items]."""
        return np.bincount(self.item_index, minlength=len(self.items))

    def fingerprint(self) -> str:
        """Hex SHA-256 of the ids and of every column: equal for equal ratings."""
        digest = hashlib.sha256(f"{self.users.fingerprint()}{self.items.fingerprint()}".encode())
        for name in _COLUMNS:
            column = getattr(self, name)
            digest.update(b"-" if column is None else np.ascontiguousarray(column).data)
        return digest.hexdigest()

    def _check_ranges(self) -> None:
        for name, limit in (("user_index", len(self.users)), ("item_index", len(self.items))):
            column = getattr(self, name)
            if column.min() < 0 or column.max() >= limit:
                raise DataError(
                    f"{name} runs from {column.min()} to {column.max()}; expected 0 … {limit - 1}"
                )
        low, high = self.scale
        bad = ~((self.rating >= low) & (self.rating <= high))
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"rating {self.rating[row]} at place {self.position[row]} is outside the scale "
                f"{low:g}–{high:g}; correct it or give another scale"
            )

    def _check_order(self) -> None:
        if not all_different(self.position):
            raise DataError(
                "ratings column position is negative or repeats a place; expected each rating's "
                "place in its source, from 0; make ratings with Ratings.of"
            )
        times = self.timestamp
        if times is not None and (times[1:] < times[:-1]).any():
            row = int(np.argmax(times[1:] < times[:-1]))
            raise DataError(
                f"rating {row + 1} has time {times[row + 1]} after {times[row]}; expected them in "
                "the order of time; make ratings with Ratings.of, which sorts"
            )


def all_different(places: NDArray[np.int64]) -> bool:
    """Whether no place is negative or stands there twice; linear where places are dense."""
    if not len(places):
        return True
    last = int(places.max())
    if int(places.min()) < 0:
        return False
    if last > _SPARSE * len(places):
        return pl.Series(places).n_unique() == len(places)
    seen = np.zeros(last + 1, np.bool_)
    seen[places] = True
    return np.count_nonzero(seen) == len(places)


def _in_order_of_time(
    timestamp: NDArray[np.int64], position: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions and times sorted by time, then by position; new arrays."""
    if not len(timestamp):
        return position, timestamp.copy()
    earliest = int(timestamp.min())
    bits = len(timestamp).bit_length()
    span = (int(timestamp.max()) - earliest).bit_length()
    if timestamp.dtype != np.int64 or span + bits > 63:
        order = np.argsort(timestamp, kind="stable")
        return position[order], timestamp[order]
    # Both fit one integer, and Polars sorts integers on every core: three times as fast.
    keys = pl.Series(((timestamp - earliest) << bits) | position).sort().to_numpy()
    return keys & ((1 << bits) - 1), (keys >> bits) + earliest


_COLUMNS = {
    "user_index": np.int32,
    "item_index": np.int32,
    "rating": np.float32,
    "timestamp": np.int64,
    "position": np.int64,
}
