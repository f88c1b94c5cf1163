"""What a film that might be recommended is compared with: the ratings somebody gave last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import EMPTY_ITEM, FloatArray, IntArray


def latest(
    users: IntArray, films: IntArray, stars: FloatArray, n_users: int, length: int
) -> tuple[IntArray, FloatArray]:
    """Each user's latest ratings, newest first.

    Args:
        users: int32 [n], of n ratings, each user's in the order of time.
        films: int32 [n].
        stars: float32 [n].
        n_users: how many users there are; ratings of the unknown one, n_users, are left out.
        length: how many to keep of each.

    Returns:
        Films int32 [n_users + 1, length] and their stars float32, likewise; an empty slot is -1
        and 0 stars. The last row is the unknown user's, who has none.
    """
    order = np.argsort(users, kind="stable")
    sorted_users = users[order]
    ends = np.cumsum(np.bincount(users, minlength=n_users + 1))
    age: NDArray[np.int64] = ends[sorted_users] - 1 - np.arange(len(users))
    kept = (age < length) & (sorted_users < n_users)
    own_films = np.full((n_users + 1, length), EMPTY_ITEM, np.int32)
    own_stars = np.zeros((n_users + 1, length), np.float32)
    own_films[sorted_users[kept], age[kept]] = films[order][kept]
    own_stars[sorted_users[kept], age[kept]] = stars[order][kept]
    return own_films, own_stars
