"""Cutting ratings into train, validation and test, by protocols that have names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed, require
from matinee.data.ratings import Ratings, all_different
from matinee.errors import ConfigError, DataError, LeakageError

PROTOCOLS = ("seed", "u1", "u2", "u3", "u4", "u5", "ua", "ub", "leave-last-out", "time", "all")


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint parts of one set of ratings.

    Attributes:
        protocol: the name that the split goes by.
        train: what models learn from.
        validation: what settings are chosen on; may be empty.
        test: what is looked at once, at the end; may be empty.
        seed: of the random generator, or None where nothing is random.
    """

    protocol: str
    train: Ratings
    validation: Ratings
    test: Ratings
    seed: int | None = None

    def __post_init__(self) -> None:
        parts = (self.train, self.validation, self.test)
        if any(p.users is not self.train.users or p.items is not self.train.items for p in parts):
            raise DataError(
                "the parts of a split must share their vocabularies; cut them with take"
            )
        places = np.concatenate([part.position for part in parts])
        if not all_different(places):
            raise LeakageError(
                f"split {self.protocol}: a rating stands in two of train, validation and test; "
                "expected disjoint parts"
            )

    def __repr__(self) -> str:
        sizes = (len(self.train), len(self.validation), len(self.test))
        return "Split({}: {:,} train, {:,} validation, {:,} test)".format(self.protocol, *sizes)


def make_split(ratings: Ratings, protocol: str, seed: int = 42, validation: float = 0.0) -> Split:
    """The split of a named protocol.

    Args:
        ratings: all of them.
        protocol: one of `PROTOCOLS`. `seed` is the seed program's random 80/20; `u1`…`u5`, `ua`
            and `ub` are MovieLens 100K's published files; `leave-last-out` tests each user's last
            rating; `time` tests the last tenth of all; `all` trains on everything.
        seed: of whatever is random.
        validation: share of the training part to hold back for choosing settings, cut the way
            the test part is.

    Raises:
        ConfigError: an unknown protocol, or a seed below 0.
        DataError: the protocol needs times or sizes that the ratings don't have.
    """
    check_protocol(protocol)
    if protocol == "seed":
        return split_random(ratings, test=0.2, validation=0.8 * validation, seed=seed)
    if protocol == "leave-last-out":
        return split_leave_last_out(ratings, validation=validation > 0)
    if protocol == "time":
        return split_by_time(ratings, validation=0.9 * validation, test=0.1)
    if protocol == "all":
        split = split_random(ratings, test=0.0, validation=validation, seed=seed)
        return Split("all", split.train, split.validation, split.test, seed)
    return split_published(ratings, protocol, validation=validation, seed=seed)


def check_protocol(protocol: str) -> None:
    """Refuse a name that `make_split` does not know.

    Raises:
        ConfigError: an unknown protocol.
    """
    expected = f"one of {', '.join(PROTOCOLS)}"
    require(protocol in PROTOCOLS, "protocol", protocol, expected)


def split_random(
    ratings: Ratings, test: float = 0.2, validation: float = 0.0, seed: int = 42
) -> Split:
    """Cut at random, as the seed program does: shuffle, the first part trains, the last tests.

    What is known at prediction time: ratings from before and after the one asked for. Good for
    comparing with published tables, too kind as a forecast of live use.

    Args:
        ratings: all of them.
        test: share of all ratings.
        validation: share of all ratings.
        seed: of NumPy's default generator, which permutes the ratings in file order.
    """
    _check_shares(test, validation)
    check_seed(seed)
    size = len(ratings)
    file_order = np.argsort(ratings.position, kind="stable")
    shuffled = file_order[np.random.default_rng(seed).permutation(size)]
    part = np.zeros(size, np.int8)
    n_test, n_validation = round(test * size), round(validation * size)
    part[shuffled[size - n_test :]] = 2
    part[shuffled[size - n_test - n_validation : size - n_test]] = 1
    return _cut(ratings, "seed", part, seed)


def split_leave_last_out(ratings: Ratings, validation: bool = True) -> Split:
    """Test each user's last rating and validate on the one before; all before those trains.

    A user's only rating stays in train. What is known at prediction time: the user's own past,
    but also what others did later.
    """
    _need_times(ratings, "leave-last-out")
    rows, offsets = ratings.by_user()
    counts = np.diff(offsets)
    part = np.zeros(len(ratings), np.int8)
    part[rows[offsets[1:][counts >= 2] - 1]] = 2
    if validation:
        part[rows[offsets[1:][counts >= 3] - 2]] = 1
    return _cut(ratings, "leave-last-out", part)


def split_by_time(ratings: Ratings, validation: float = 0.1, test: float = 0.1) -> Split:
    """Cut at two moments, the same for everybody: what is known is the past and nothing else.

    Ratings made in the same second fall on the same side, so shares are met to within one second.

    Args:
        ratings: all of them, with times.
        validation: share of all ratings, just before the test part.
        test: share of all ratings, the newest.
    """
    _check_shares(test, validation)
    times = _need_times(ratings, "time")
    size = len(ratings)
    part = np.zeros(size, np.int8)
    for number, share in ((1, test + validation), (2, test)):
        first = min(round((1 - share) * size), size - 1)
        if share > 0:
            part[times >= times[first]] = number
    return _cut(ratings, "time", part)


def split_published(ratings: Ratings, name: str, validation: float = 0.0, seed: int = 42) -> Split:
    """MovieLens 100K's published test sets, rebuilt from the order of `u.data`.

    u1 … u5 test one fifth of the lines each, in turn; ua tests each user's first ten lines, ub
    their next ten (GroupLens's `mku.sh`). Validation is drawn at random from the training lines.
    """
    size = len(ratings)
    if size != 100_000 or int(ratings.position.max()) + 1 != size:
        raise DataError(
            f"protocol {name} is defined by the 100,000 lines of MovieLens 100K; got "
            f"{size:,} ratings; use the whole of --data 100k, or protocol seed"
        )
    part = np.zeros(size, np.int8)
    if name[1:].isdigit():
        fold = int(name[1:]) - 1
        fifth = size // 5
        part[(ratings.position >= fold * fifth) & (ratings.position < (fold + 1) * fifth)] = 2
    else:
        first = 0 if name == "ua" else 10
        order = np.lexsort((ratings.position, ratings.user_index))
        starts = np.searchsorted(ratings.user_index[order], ratings.user_index[order])
        place = np.arange(size) - starts
        part[order[(place >= first) & (place < first + 10)]] = 2
    train = np.flatnonzero(part == 0)
    n_validation = round(validation * len(train))
    chosen = np.random.default_rng(seed).permutation(len(train))[:n_validation]
    part[train[chosen]] = 1
    return _cut(ratings, name, part, seed if n_validation else None)


def _cut(ratings: Ratings, protocol: str, part: NDArray[np.int8], seed: int | None = None) -> Split:
    if not (part == 0).any():
        raise DataError(
            f"protocol {protocol} leaves no rating of {len(ratings):,} to train on; "
            "give more ratings or smaller shares"
        )
    train, validation, test = (ratings.take(part == number) for number in range(3))
    return Split(protocol, train, validation, test, seed)


def _check_shares(test: float, validation: float) -> None:
    if not (0 <= test < 1 and 0 <= validation < 1 and test + validation < 1):
        raise ConfigError(
            f"shares test={test}, validation={validation}; expected each in [0, 1) and together "
            "less than 1"
        )


def _need_times(ratings: Ratings, protocol: str) -> NDArray[np.int64]:
    if ratings.timestamp is None:
        raise DataError(
            f"protocol {protocol} needs times, and these ratings have none; name the timestamp "
            "column, or use protocol seed"
        )
    return ratings.timestamp
