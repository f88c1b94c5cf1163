"""What is kept of all draws: their mean score as a short inner product, and how far they differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import IntArray

Array = NDArray[np.float64]

# Columns that wait before they are pressed together with those before them.
_WAITING = 192
_PAIRS = 16
_ROUNDS = 5
_LEAST = 1e-4


class MeanProduct:
    """The mean of P Qᵀ over draws of P [n, d] and Q [m, d], as U Vᵀ with few columns.

    The draws side by side are such factors already, with too many columns. Now and then they are
    cut to the largest singular values, which costs a QR of each side and a small SVD. What is cut
    off is for the most part the noise of single draws, which the mean is there to remove.

    Args:
        size: columns of U and V.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left: list[Array] = []
        self._right: list[Array] = []
        self._draws = 0

    def add(self, left: Array, right: Array) -> None:
        """Another draw."""
        self._draws += 1
        self._left.append(left)
        self._right.append(right)
        if sum(block.shape[1] for block in self._left) >= self._size + _WAITING:
            self._press()

    def factors(self) -> tuple[Array, Array]:
        """U [n, size] and V [m, size], with columns of 0 where fewer are needed."""
        self._press()
        left, right = self._left[0], self._right[0]
        missing = ((0, 0), (0, self._size - left.shape[1]))
        scale = 1 / np.sqrt(self._draws)
        return np.pad(left * scale, missing), np.pad(right * scale, missing)

    def _press(self) -> None:
        left, lower = np.linalg.qr(np.concatenate(self._left, axis=1))
        right, upper = np.linalg.qr(np.concatenate(self._right, axis=1))
        first, values, second = np.linalg.svd(lower @ upper.T)
        size = min(self._size, len(values))
        root = np.sqrt(values[:size])
        self._left = [left @ (first[:, :size] * root)]
        self._right = [right @ (second[:size].T * root)]


class Variances:
    """How far the draws of a score differ, as the product of a user's and a film's number.

    It is measured on random pairs, sixteen for each user and each film.

    Args:
        n_users: with the unknown one.
        n_items: with the unknown one.
        rng: which pairs.
    """

    def __init__(self, n_users: int, n_items: int, rng: np.random.Generator) -> None:
        users = np.repeat(np.arange(n_users), _PAIRS)
        films = np.repeat(np.arange(n_items), _PAIRS)
        self._shape = (n_users, n_items)
        self.users: IntArray = np.append(users, rng.integers(n_users, size=len(films))).astype(
            np.int32
        )
        self.items: IntArray = np.append(rng.integers(n_items, size=len(users)), films).astype(
            np.int32
        )
        self._sum = np.zeros(len(self.users))
        self._squares = np.zeros(len(self.users))
        self._draws = 0

    def add(self, scores: Array) -> None:
        """The scores float64 [pairs] of another draw."""
        self._draws += 1
        self._sum += scores
        self._squares += scores**2

    def factors(self) -> tuple[Array, Array]:
        """Of users and of films; found in logarithms, as means in turn."""
        mean = self._sum / self._draws
        variance = np.maximum(self._squares / self._draws - mean**2, _LEAST)
        target = np.log(variance)
        user, film = np.zeros(self._shape[0]), np.zeros(self._shape[1])
        for _ in range(_ROUNDS):
            user = _means(self.users, target - film[self.items], len(user))
            film = _means(self.items, target - user[self.users], len(film))
        # The logarithm's mean lies below the mean's logarithm.
        shift = np.mean(variance) / np.mean(np.exp(user[self.users] + film[self.items]))
        return np.exp(user) * float(shift), np.exp(film)


def _means(groups: IntArray, values: Array, size: int) -> Array:
    counts = np.bincount(groups, minlength=size)
    return np.bincount(groups, values, minlength=size) / np.maximum(counts, 1)
