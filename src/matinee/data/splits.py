"""Cutting ratings into train, validation and test, by protocols that have names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matinee.config import check_seed, require
from matinee.data.published import in_exact_order, published_test, shuffled_places
from matinee.data.ratings import Ratings, all_different
from matinee.errors import ConfigError, DataError, LeakageError

_OWN_OTHER = "other ratings of the same user and of everybody, from before and after"
_OWN_PAST = "the user's own past, and of others also what came later"

PROTOCOLS: Mapping[str, str] = MappingProxyType(
    {
        "seed": _OWN_OTHER,
        "stratified-75-25": f"three quarters of each film's ratings: {_OWN_OTHER}",
        **{f"u{fold}": _OWN_OTHER for fold in range(1, 6)},
        "ua": f"all but ten ratings of each user: {_OWN_OTHER}",
        "ub": f"all but ten ratings of each user: {_OWN_OTHER}",
        "ml1m-90-10": _OWN_OTHER,
        "leave-last-out": _OWN_PAST,
        "sasrec": _OWN_PAST,
        "time": "what anybody rated before one moment, and nothing of later",
        "all": "everything; nothing is tested",
    }
)
"""Each protocol by its name, with what is known when a test rating is predicted."""


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


def make_split(
    ratings: Ratings,
    protocol: str,
    seed: int = 42,
    validation: float = 0.0,
    *,
    order: Path | str | None = None,
) -> Split:
    """The split of a named protocol.

    Args:
        ratings: all of them.
        protocol: one of `PROTOCOLS`. `seed` is the seed program's random 80/20;
            `stratified-75-25` tests a random quarter of each film's ratings; `u1`…`u5`, `ua` and
            `ub` are MovieLens 100K's published files and `ml1m-90-10` is a published tenth of
            MovieLens 1M; `leave-last-out` tests each user's last rating, as does `sasrec`, for
            MovieLens 1M in its exact order; `time` tests the last tenth of all; `all` trains on
            everything.
        seed: of whatever is random.
        validation: share of the training part to hold back for choosing settings, cut the way
            the test part is: at random, or the newest. Where each user's last rating is tested,
            any share above 0 holds back the one before, and with 0 that one trains.
        order: for `sasrec` alone, the file of the exact order; see `in_exact_order`.

    Raises:
        ConfigError: an unknown protocol, a seed below 0, or an order that the protocol has no use
            for.
        DataError: the protocol needs times, sizes or an order that are not there.
    """
    check_protocol(protocol)
    fits = order is None or protocol == "sasrec"
    require(fits, "order", str(order), "none but for protocol sasrec")
    if protocol == "sasrec":
        _need_times(ratings, protocol)
        last = split_leave_last_out(in_exact_order(ratings, order), validation=validation > 0)
        return replace(last, protocol=protocol)
    if protocol == "stratified-75-25":
        return split_stratified(ratings, test=0.25, validation=0.75 * validation, seed=seed)
    if protocol == "seed":
        return split_random(ratings, test=0.2, validation=0.8 * validation, seed=seed)
    if protocol == "leave-last-out":
        return split_leave_last_out(ratings, validation=validation > 0)
    if protocol == "time":
        return split_by_time(ratings, validation=0.9 * validation, test=0.1)
    if protocol == "all":
        return replace(split_random(ratings, 0.0, validation, seed), protocol=protocol)
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


def split_stratified(
    ratings: Ratings, test: float = 0.25, validation: float = 0.0, seed: int = 42
) -> Split:
    """Cut each film's ratings at random, as the table of Microsoft's recommenders was measured.

    Their benchmark stratifies by film: of its n ratings the first round((1 - test) n) of a shuffle
    are not tested, halves rounded to even. With seed 42 the test part is theirs, rating by rating.

    Args:
        ratings: all of them.
        test: share of each film's ratings.
        validation: share of each film's ratings.
        seed: of NumPy's old generator; see `shuffled_places`.
    """
    _check_shares(test, validation)
    check_seed(seed)
    films = ratings.item_index
    place = shuffled_places(films, ratings.position, seed)
    counts = np.bincount(films, minlength=1)[films]
    part = np.zeros(len(ratings), np.int8)
    for number, share in ((1, test + validation), (2, test)):
        part[place >= np.rint((1 - share) * counts)] = number
    return _cut(ratings, "stratified-75-25", part, seed)


def split_published(ratings: Ratings, name: str, validation: float = 0.0, seed: int = 42) -> Split:
    """A published test set by its name; see `published_test`.

    Validation is drawn at random from the training lines.
    """
    part = np.where(published_test(ratings, name), np.int8(2), np.int8(0))
    train = np.flatnonzero(part == 0)
    n_validation = round(validation * len(train))
    chosen = np.random.default_rng(seed).permutation(len(train))[:n_validation]
    part[train[chosen]] = 1
    return _cut(ratings, name, part, seed if n_validation else None)


def check_split(split: Split) -> None:
    """Prove that a split tells nothing that its protocol says is unknown.

    That its parts share no rating is known from its birth; here, that they share no pair of user
    and film either, and that the past comes before the future.

    Raises:
        LeakageError: a (user, film) pair stands in two parts; or, by protocol `time`, a rating is
            not older than all of a later part; or, by `leave-last-out` and `sasrec`, a user's
            rating is newer than one of theirs in a later part.
        DataError: the protocol is one of those, and the ratings have no times.
    """
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    parts = {name: part for name, part in parts.items() if len(part)}
    _check_pairs(split.protocol, parts)
    if split.protocol not in ("time", "leave-last-out", "sasrec"):
        return
    for earlier, later in combinations(parts, 2):
        if _knows_later(split.protocol, parts[earlier], parts[later]):
            raise LeakageError(
                f"split {split.protocol}: {earlier} has ratings from after ones of {later}; "
                "expected train, validation and test to follow each other in time; cut the ratings "
                "with make_split"
            )


def _knows_later(protocol: str, earlier: Ratings, later: Ratings) -> bool:
    times = [_need_times(part, protocol) for part in (earlier, later)]
    if protocol == "time":
        return int(times[0].max()) >= int(times[1].min())
    limits = np.iinfo(np.int64)
    newest = np.full(len(earlier.users), limits.min)
    oldest = np.full(len(later.users), limits.max)
    np.maximum.at(newest, earlier.user_index, times[0])
    np.minimum.at(oldest, later.user_index, times[1])
    return bool((newest > oldest).any())


def _check_pairs(protocol: str, parts: Mapping[str, Ratings]) -> None:
    keys = {name: p.user_index * np.int64(len(p.items)) + p.item_index for name, p in parts.items()}
    if all_different(np.concatenate([*keys.values(), np.empty(0, np.int64)])):
        return
    for one, other in combinations(parts, 2):
        shared = np.intersect1d(keys[one], keys[other])
        if len(shared):
            user, item = divmod(int(shared[0]), len(parts[one].items))
            raise LeakageError(
                f"split {protocol}: user {parts[one].users.id(user)} and film "
                f"{parts[one].items.id(item)} stand in {one} and in {other} (so do "
                f"{len(shared) - 1:,} more pairs); expected none; keep one rating a pair"
            )


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
