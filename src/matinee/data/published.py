"""What published tables were measured on: their test ratings, and the exact order of MovieLens 1M.

No data is in here, only the rules that find it again.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee.data.ratings import Ratings
from matinee.errors import DataError, NotFoundError
from matinee.types import IntArray

_LINES_100K = 100_000
_LINES_1M = 1_000_209


def published_test(ratings: Ratings, name: str) -> NDArray[np.bool_]:
    """The test ratings of a published split: bool [n].

    Args:
        ratings: the whole set.
        name: of MovieLens 100K (GroupLens's `mku.sh`), `u1` … `u5` test one fifth of the lines
            each, in turn, `ua` each user's first ten lines and `ub` their next ten; of MovieLens
            1M, `ml1m-90-10` tests a random tenth, as GLocal-K (Han et al. 2021) and others after
            it: the first tenth of the line numbers shuffled by NumPy's old generator, seed 1234.

    Raises:
        DataError: they are not the lines of that set.
    """
    if name == "ml1m-90-10":
        _check_lines(ratings, name, _LINES_1M, "1M", "1m")
        lines = np.arange(_LINES_1M)
        # The published split is made by this generator, so no better one will do.
        np.random.RandomState(1234).shuffle(lines)
        tested = np.zeros(_LINES_1M, np.bool_)
        tested[lines[: int(0.1 * _LINES_1M)]] = True
        return tested[ratings.position]
    _check_lines(ratings, name, _LINES_100K, "100K", "100k")
    if name[1:].isdigit():
        return ratings.position // (_LINES_100K // 5) == int(name[1:]) - 1
    first = 0 if name == "ua" else 10
    place = _places(ratings.user_index, ratings.position)
    return (place >= first) & (place < first + 10)


def shuffled_places(groups: IntArray, position: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Each rating's place within its group, shuffled as Microsoft's recommenders did: int64 [n].

    Up to its version 1.1 `python_stratified_split` sampled each group by itself with pandas, which
    takes the permutation of NumPy's old generator, and started that from the same seed each time:
    groups of one size are shuffled alike.

    Args:
        groups: int32 [n], the group of each rating, from 0.
        position: int64 [n], its line.
        seed: of the generator; 42 in the published tables.
    """
    counts = np.bincount(groups, minlength=1)
    sizes, kind = np.unique(counts, return_inverse=True)
    # For every size, where each line of a group of that size goes.
    moved = [np.argsort(np.random.RandomState(seed).permutation(size)) for size in sizes]
    start = np.cumsum(sizes) - sizes
    return np.concatenate(moved)[start[kind[groups]] + _places(groups, position)]


def in_exact_order(ratings: Ratings, order: Path | str | None) -> Ratings:
    """MovieLens 1M in the order that the tables of SASRec and its successors were measured in.

    Those tables sort each user's ratings by time, ties by place in a file that differs from
    GroupLens's, and drop films with fewer than five ratings. A file tells the order.

    Args:
        ratings: all of MovieLens 1M, with times.
        order: a NumPy .npz file with `position`, whole numbers [lines of ratings.dat]: the place of
            each line's rating among its user's, ascending in time, and -1 for lines to drop.

    Returns:
        The ratings kept. Sorting by time must give the exact order, so each user's times are given
        out anew, the sorted times to the ratings in exact order, each pushed to at least one
        second after the one before: an order to rely on, but no longer quite the times.

    Raises:
        DataError: no file is named, or it is not such a file or not one of these ratings.
        NotFoundError: the file is not there.
    """
    if ratings.timestamp is None:
        raise DataError("an exact order needs ratings with times, and these have none")
    place = _read_order(order, len(ratings))[ratings.position]
    kept = np.flatnonzero(place >= 0)
    # Rows by user and exact place; the times, by user, ascend already.
    exact = kept[np.lexsort((place[kept], ratings.user_index[kept]))]
    by_time = kept[np.argsort(ratings.user_index[kept], kind="stable")]
    users = ratings.user_index[exact]
    if ((users[1:] == users[:-1]) & (place[exact][1:] == place[exact][:-1])).any():
        raise DataError(
            f"order file {order} gives two ratings of one user the same place; expected the order "
            "of these ratings, or their own order file"
        )
    times = _strictly_ascending(ratings.timestamp[by_time], users)
    chosen = np.lexsort((ratings.position[exact], times))
    rows = exact[chosen]
    return replace(
        ratings,
        user_index=ratings.user_index[rows],
        item_index=ratings.item_index[rows],
        rating=ratings.rating[rows],
        timestamp=times[chosen],
        position=ratings.position[rows],
    )


def _strictly_ascending(times: NDArray[np.int64], users: NDArray[np.int32]) -> NDArray[np.int64]:
    """The least times that are no earlier and differ by a second or more within each user.

    Both are grouped by user, and times ascend within each.
    """
    if not len(times):
        return times
    count = np.arange(len(times))
    earliest = times.min()
    # t[i] - i must never fall within a user; users apart by more than any time, it never does.
    apart = users * (times.max() - earliest + len(times) + 1)
    slack = np.maximum.accumulate(times - earliest - count + apart)
    return slack + count - apart + earliest


def _places(groups: IntArray, position: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each rating's place among the lines of its group (its user, say), from 0: int64 [n]."""
    order = np.lexsort((position, groups))
    place = np.empty(len(groups), np.int64)
    place[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    return place


def _read_order(order: Path | str | None, lines: int) -> NDArray[np.integer]:
    what = (
        "a NumPy .npz file with `position`, whole numbers, one a line of MovieLens 1M's "
        "ratings.dat: the rating's place in its user's order, -1 for lines to drop"
    )
    if order is None:
        raise DataError(
            f"protocol sasrec got no order file; expected {what}; give its path as order, or use "
            "protocol leave-last-out, which takes the order of the times"
        )
    try:
        # Opened here, since NumPy leaves a file that it can't read open.
        with Path(order).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            position = np.asarray(file["position"])
    except FileNotFoundError as error:
        raise NotFoundError(f"no order file {order}; expected {what}") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = type(error).__name__
        raise DataError(f"{order} is no order file ({reason}); expected {what}") from error
    if position.dtype.kind not in "iu" or position.shape != (lines,):
        raise DataError(
            f"order file {order} has `position` {position.dtype} {position.shape} for {lines:,} "
            f"ratings; expected one whole number each; expected {what}"
        )
    return position


def _check_lines(ratings: Ratings, name: str, lines: int, of: str, data: str) -> None:
    size = len(ratings)
    if size != lines or int(ratings.position.max()) + 1 != size:
        raise DataError(
            f"protocol {name} is defined by the {lines:,} lines of MovieLens {of}; got {size:,} "
            f"ratings; use the whole of --data {data}, or protocol seed"
        )
