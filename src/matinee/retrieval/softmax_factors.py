"""Users' and films' vectors under the full softmax, trained user by user in NumPy.

The loss of a user is that of all their ratings at once, n·logΣexp(logits) - Σ logits of what they
rated, so one row of logits serves all of them: as many times less work than a row for each rating
as users have ratings. Several members are trained from different first weights, and their scores
averaged: each has its own errors (Lakshminarayanan et al. 2017, "deep ensembles"), and the average
of inner products is again one, cut back to few dimensions by a singular value decomposition.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray

from matinee import interrupts
from matinee.console import Advance
from matinee.index.blocks import blas_on_one_thread
from matinee.retrieval.histories import Csr, Histories
from matinee.types import FloatArray

_START = 0.05
_MOMENTUM, _MEMORY, _EPSILON = 0.9, 0.999, 1e-7
# The learning rate falls to this share of itself.
_LAST_SHARE = 0.1
# A film moves in every step, a user only once in an epoch: theirs are so many times as long.
_USER_STRIDE = 20.0


@dataclass(frozen=True, eq=False)
class Factors:
    """A model of inner products: logits = users · films + bias.

    Attributes:
        users: float32 [n_users, d].
        films: float32 [n_items, d].
        bias: float32 [n_items].
        losses: mean training loss of a rating, by epoch.
    """

    users: FloatArray
    films: FloatArray
    bias: FloatArray
    losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class FactorSettings:
    """How a member is trained.

    Attributes:
        size: length of its vectors.
        epochs: passes over the users.
        batch_users: users in a step.
        learning_rate: of Adam for films, at first; it falls in a line to a tenth.
        l2: weight of the squared vectors of each training rating, so that those who rate more are
            held back more (Rendle et al. 2022).
    """

    size: int
    epochs: int
    batch_users: int
    learning_rate: float
    l2: float


def fit_members(
    histories: Histories,
    settings: FactorSettings,
    seeds: Sequence[int],
    advance: Advance,
    start: Factors | None = None,
) -> list[Factors]:
    """Train members beside each other, each on a thread of its own.

    Their products are too small to be shared among threads, which would wait for each other.

    Args:
        histories: who rated what.
        settings: how.
        seeds: one for each member; see `fit_factors`.
        advance: told how many passes all have done together, and the loss of each.
        start: what each goes on from; None starts anew.
    """
    done, stopped = [0.0] * len(seeds), Event()

    def fit(place: int) -> Factors:
        def told(passes: float, /, loss: float | None = None) -> None:
            if stopped.is_set():
                raise KeyboardInterrupt
            done[place] = passes
            advance(sum(done), loss)

        return fit_factors(histories, settings, seeds[place], told, start)

    with blas_on_one_thread() as threads, ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(fit, range(len(seeds))))
        except BaseException:
            # Whoever waits for the pool would wait for the members that are still at work.
            stopped.set()
            raise


def fit_factors(
    histories: Histories,
    settings: FactorSettings,
    seed: int,
    advance: Advance,
    start: Factors | None = None,
) -> Factors:
    """Train one member.

    Args:
        histories: who rated what.
        settings: how.
        seed: of the first weights and of the order of users.
        advance: told how many passes are done, and the loss of each.
        start: factors of the same users and films, to go on from; None starts anew.
    """
    rng = np.random.default_rng(seed)
    matrix: Csr = histories.matrix
    active = np.flatnonzero(np.diff(matrix.indptr))
    size = settings.size
    users = rng.uniform(-_START, _START, (matrix.shape[0] - 1, size)).astype(np.float32)
    films = rng.uniform(-_START, _START, (matrix.shape[1], size)).astype(np.float32)
    bias = np.zeros(matrix.shape[1], np.float32)
    if start is not None:
        width = min(size, start.users.shape[1])
        users[:, :width] += start.users[:, :width]
        films[:, :width] += start.films[:, :width]
        bias += start.bias
    of_users, of_films, of_bias = _Adam(users), _Adam(films), _Adam(bias)
    steps = -(-len(active) // settings.batch_users) * settings.epochs
    losses: list[float] = []
    done = 0
    for _ in range(settings.epochs):
        total = 0.0
        order = rng.permutation(active)
        for first in range(0, len(order), settings.batch_users):
            interrupts.check()
            rows = order[first : first + settings.batch_users]
            rated: FloatArray = matrix[rows].toarray()
            loss, own, other, shift = _gradients(users[rows], films, bias, rated, settings.l2)
            rate = settings.learning_rate * (1 - (1 - _LAST_SHARE) * done / steps)
            of_users.step(own, _USER_STRIDE * rate, rows)
            of_films.step(other, rate)
            of_bias.step(shift, rate)
            total += loss
            done += 1
            advance(done / steps * settings.epochs)
        losses.append(total / max(len(matrix.indices), 1))
        advance(done / steps * settings.epochs, losses[-1])
    return Factors(users, films, bias, tuple(losses))


def _gradients(
    users: FloatArray, films: FloatArray, bias: FloatArray, rated: FloatArray, l2: float
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """The loss of a batch, summed, and the gradients of its mean by users, films and bias."""
    logits = users @ films.T
    logits += bias
    logits -= logits.max(axis=1, keepdims=True)
    count = rated.sum(axis=1, keepdims=True)
    ratings = count.sum()
    positive = float((rated * logits).sum())
    np.exp(logits, out=logits)
    normalizer = logits.sum(axis=1, keepdims=True)
    loss = float((count * np.log(normalizer)).sum()) - positive
    logits *= count / normalizer
    logits -= rated
    logits /= ratings
    own = logits @ films + (2 * l2 / ratings) * count * users
    other = logits.T @ users + (2 * l2 / ratings) * rated.sum(axis=0)[:, None] * films
    return loss, own, other, logits.sum(axis=0)


class _Adam:
    """Adam (Kingma & Ba 2015) on an array in place; of some rows alone where only they are seen."""

    def __init__(self, values: FloatArray) -> None:
        self._values = values
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)
        self._count = np.zeros((len(values),) + (1,) * (values.ndim - 1), np.float32)

    def step(
        self, gradient: FloatArray, rate: float, rows: NDArray[np.integer] | slice = slice(None)
    ) -> None:
        """Move the rows against their gradient, which is overwritten.

        Fresh memory for every operation would take longer than the operations.
        """
        count = self._count[rows] + 1
        mean, square = self._mean[rows], self._square[rows]
        mean *= _MOMENTUM
        mean += (1 - _MOMENTUM) * gradient
        square *= _MEMORY
        np.square(gradient, out=gradient)
        gradient *= 1 - _MEMORY
        square += gradient
        self._count[rows], self._mean[rows], self._square[rows] = count, mean, square
        scale = np.sqrt(1 - _MEMORY**count) / (1 - _MOMENTUM**count)
        np.sqrt(square, out=gradient)
        gradient += _EPSILON
        np.divide(np.float32(rate) * scale * mean, gradient, out=gradient)
        self._values[rows] -= gradient


def average(members: list[Factors], rank: int) -> Factors:
    """The mean of the members' scores as vectors of length `rank`, the best such (Eckart & Young).

    Args:
        members: of the same users and films.
        rank: at most the sum of the members' sizes.
    """
    users = np.concatenate([member.users for member in members], axis=1)
    films = np.concatenate([member.films for member in members], axis=1)
    of_users, left = np.linalg.qr(users.astype(np.float64))
    of_films, right = np.linalg.qr(films.astype(np.float64))
    inner, strengths, other = np.linalg.svd(left @ right.T / len(members))
    roots = np.sqrt(strengths[:rank])
    losses = np.mean([member.losses for member in members], axis=0)
    return Factors(
        np.ascontiguousarray(of_users @ (inner[:, :rank] * roots), np.float32),
        np.ascontiguousarray(of_films @ (other[:rank].T * roots), np.float32),
        np.asarray(np.mean([member.bias for member in members], axis=0), np.float32),
        tuple(float(loss) for loss in losses),
    )
