# Keras has no types, so what its classes inherit is unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""From ratings, or from a dictionary of ids as the seed writes it, to numbered batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.data.vocabulary import Kind, Vocabulary
from matinee.errors import ConfigError
from matinee.towers.backend import keras

Features = dict[str, NDArray[Any]]
_KINDS = {"user_index": np.int32, "movie_index": np.int32, "user_rating": np.float32}
# The number of a batch's distinct ids is rounded up to a multiple of this.
_DISTINCT = 64
Ids = Vocabulary | Iterable[str | int] | pl.Series


def vocabulary_of(ids: Ids, kind: Kind) -> Vocabulary:
    """The vocabulary itself, or one of the ids given."""
    return ids if isinstance(ids, Vocabulary) else Vocabulary.of(ids, kind)


def encode(
    features: Ratings | Mapping[str, Any], users: Vocabulary, movies: Vocabulary
) -> Features:
    """Numbers for a model: `user_index` and `movie_index` int32 [b], `user_rating` float32 [b].

    Args:
        features: ratings, or a dictionary with `user_id` and `movie_id` (external ids; unknown
            ones become the unknown row) or `user_index` and `movie_index` (numbers), and
            `user_rating` where there is one. A dictionary that has numbers passes as it is.
        users: the model's users.
        movies: the model's films.

    Raises:
        ConfigError: neither ratings nor a dictionary with these keys.
    """
    if isinstance(features, Ratings):
        return {
            "user_index": _renumber(features.user_index, features.users, users),
            "movie_index": _renumber(features.item_index, features.items, movies),
            "user_rating": np.asarray(features.rating),
        }
    if not isinstance(features, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"got a {type(features).__name__}; expected ratings or a dictionary")
    if "user_index" in features and "movie_index" in features:
        return dict(features)
    encoded: Features = {}
    for name, vocabulary in (("user", users), ("movie", movies)):
        if f"{name}_id" not in features:
            raise ConfigError(
                f"features {sorted(features)}; expected user_id and movie_id (external ids), or "
                "user_index and movie_index (numbers)"
            )
        ids = np.asarray(features[f"{name}_id"])
        encoded[f"{name}_index"] = vocabulary.numbers(ids, unknown="row")
    if "user_rating" in features:
        stars = np.asarray(features["user_rating"])
        encoded["user_rating"] = stars.astype(np.float32) if stars.dtype.kind in "iuf" else stars
    return encoded


def encode_all(
    features: Ratings | Mapping[str, Any], users: Vocabulary, movies: Vocabulary
) -> Features:
    """As `encode`, for a whole dataset: arrays of their types, one length, numbers in range.

    Raises:
        ConfigError: no rows, columns of several lengths, or numbers that no row has.
    """
    encoded = encode(features, users, movies)
    columns = {name: np.asarray(encoded[name]) for name in _KINDS if name in encoded}
    lengths = {name: column.shape for name, column in columns.items()}
    shapes = set(lengths.values())
    if len(shapes) != 1 or shapes == {(0,)} or len(shapes.pop()) != 1:
        raise ConfigError(f"features of shapes {lengths}; expected columns of one length, not 0")
    for name, vocabulary in (("user_index", users), ("movie_index", movies)):
        column, expected = columns[name], f"0 … {len(vocabulary)}, the last standing for unknown"
        if column.dtype.kind not in "iu":
            raise ConfigError(f"{name} is {column.dtype}; expected whole numbers {expected}")
        low, high = int(column.min()), int(column.max())
        if low < 0 or high > len(vocabulary):
            raise ConfigError(f"{name} runs from {low} to {high}; expected {expected}")
    stars = columns.get("user_rating")
    if stars is not None and (stars.dtype.kind not in "iuf" or not np.isfinite(stars).all()):
        raise ConfigError(f"user_rating is {stars.dtype}; expected finite numbers, stars")
    return {name: column.astype(_KINDS[name]) for name, column in columns.items()}


class Batches(keras.utils.PyDataset):
    """Batches of encoded features, all of one size, shuffled from one seed.

    The last batch is filled up with rows of `weight` 0, which count nowhere: one size is compiled
    once.

    Args:
        features: columns of one length.
        batch_size: rows in a batch.
        seed: of the order and of who is hidden, or None to keep all as it is.
        unknown: by column of numbers, the share of rows to hide in each epoch and the number that
            stands for "unknown" then.
        reshuffle: draw a new order for each epoch, or keep the first one.
        part: which part of each batch to give, and how many there are (`own_part`): they are of one
            size.
        together: how many ratings of a user come one after the other, where there are so many: the
            more, the fewer users a batch has.
        distinct: columns of numbers whose distinct ones are given, too, as `NAME/distinct`, with
            the place of each row's number among them as `NAME/place`. They are filled up to one
            size, which is that of the batch with the most, and at least the one that stands here;
            it is noted here. A size that stays spares compiling anew.
    """

    def __init__(
        self,
        features: Features,
        batch_size: int,
        seed: int | Sequence[int] | None = None,
        unknown: Mapping[str, tuple[float, int]] | None = None,
        *,
        reshuffle: bool = True,
        part: tuple[int, int] = (0, 1),
        together: int = 1,
        distinct: dict[str, int] | None = None,
    ) -> None:
        super().__init__()
        self._reshuffle = reshuffle
        self._together = together
        self._order: NDArray[np.int64] | None = None
        self._unknown = unknown or {}
        self.size = len(features["user_index"])
        self._count = -(-self.size // batch_size)
        self._batch_size = min(batch_size, self.size)
        self._part, parts = part
        self._part_size = -(-self._batch_size // parts)
        self._features = features | {"weight": np.ones(self.size, np.float32)}
        self._generator = None if seed is None else np.random.default_rng(seed)
        self._columns = self._features
        self._distinct = {} if distinct is None else distinct
        self.on_epoch_end()

    @classmethod
    def even(cls, features: Features, most: int) -> Batches:
        """As few batches of at most `most` rows as there can be, the same size each, in order."""
        count = max(-(-len(features["user_index"]) // most), 1)
        return cls(features, -(-len(features["user_index"]) // count))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, batch: int) -> tuple[Features]:
        end = min((batch + 1) * self._batch_size, self.size)
        start = min(batch * self._batch_size + self._part * self._part_size, end)
        rows = slice(start, min(start + self._part_size, end))
        missing = self._part_size - (rows.stop - rows.start)
        given: Features = {
            name: np.pad(column[rows], (0, missing)) for name, column in self._columns.items()
        }
        for name, size in self._distinct.items():
            numbers, places = np.unique(given[name], return_inverse=True)
            given[f"{name}/distinct"] = np.pad(numbers, (0, size - len(numbers)), "edge")
            given[f"{name}/place"] = places.astype(np.int32)
        return (given,)

    def on_epoch_end(self) -> None:
        """Shuffle, at first or always, and choose anew who is unknown in the next epoch."""
        if self._generator is not None:
            self._shuffle(self._generator)
        for name, size in self._distinct.items():
            self._distinct[name] = max(size, self._most_distinct(self._columns[name]))

    def _shuffle(self, generator: np.random.Generator) -> None:
        if self._order is None or self._reshuffle:
            users = self._features["user_index"]
            self._order = _shuffled(users, self._together, generator)
        order = self._order
        self._columns = {name: column[order] for name, column in self._features.items()}
        for name, (rate, number) in self._unknown.items():
            hidden = generator.random(self.size) < rate
            self._columns[name] = np.where(hidden, np.int32(number), self._columns[name])

    def _most_distinct(self, column: NDArray[Any]) -> int:
        """How many distinct numbers a batch has at most, rounded up, so that it seldom changes."""
        filled = np.pad(column, (0, self._count * self._batch_size - self.size))
        batches = np.sort(filled.reshape(self._count, self._batch_size), axis=1)
        most = 1 + int((np.diff(batches, axis=1) != 0).sum(axis=1).max())
        return min(-(-most // _DISTINCT) * _DISTINCT, self._batch_size)


def _shuffled(
    users: NDArray[Any], together: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Places int64 [b] in random order, but so many of each user one after the other."""
    if together == 1:
        return generator.permutation(len(users))
    # One sort, by user and at random among their own ratings.
    keys = (users.astype(np.int64) << 32) | generator.integers(1 << 32, size=len(users))
    # Stable, since processors differ in what they make of equal keys.
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.diff(users[order], prepend=-1))
    place = np.arange(len(users)) - np.repeat(first, np.diff(first, append=len(users)))
    starts = np.flatnonzero(place % together == 0)
    runs = generator.permutation(len(starts))
    starts, sizes = starts[runs], np.diff(starts, append=len(users))[runs]
    return order[np.arange(len(users)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)]


def _renumber(
    numbers: NDArray[np.int32], source: Vocabulary, target: Vocabulary
) -> NDArray[np.int32]:
    """Numbers of one vocabulary as numbers of another; what is not in it becomes its length."""
    if source is target or source == target:
        return numbers
    return target.numbers(source.series, unknown="row")[numbers]
