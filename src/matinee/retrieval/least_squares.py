"""Alternating least squares: one side's vectors, with those of the other side held fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matinee.retrieval.histories import Csr
from matinee.types import FloatArray, IntArray

# Row numbers int64 [b], a block of users or films.
Rows = NDArray[np.int64]

# Steps of conjugate gradients in a half sweep; the next sweep starts from where they came. Two
# end at the loss of ten, to four digits.
_STEPS = 2
# Vectors gathered at a time: 512 Ki floats, 2 MiB, which the steps read again and again.
_BLOCK_FLOATS = 1 << 19
_TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Objective:
    """What the vectors of users and films minimize; see `fit_ials`.

    Attributes:
        alpha0: weight of every pair of user and film, rated or not.
        l2: weight of the squared vectors.
        nu: how much more those with many ratings are held back.
    """

    alpha0: float
    l2: float
    nu: float

    def penalty(self, counts: NDArray[np.int64], others: int) -> FloatArray:
        """Weight of each squared vector: l2 (counts + alpha0 others)^nu, float32 [n].

        Args:
            counts: int64 [n], ratings of each user (or film).
            others: how many films (or users) there are.
        """
        return (self.l2 * (counts + self.alpha0 * others) ** self.nu).astype(np.float32)


def half_sweep(
    rated: Csr,
    fixed: FloatArray,
    start: FloatArray,
    objective: Objective,
    steps: int = _STEPS,
    run: Callable[[Callable[[Rows], float], Iterable[Rows]], Iterable[float]] = map,
) -> tuple[FloatArray, float]:
    """Solve for the vectors of one side, with those of the other side held fixed.

    Row r of the answer solves (alpha0 FᵀF + penalty_r + F_rᵀF_r) x = F_rᵀ1, where F are the fixed
    vectors and F_r those that r rated, by conjugate gradients from `start`. In the basis of the
    eigenvectors of FᵀF the first two terms are diagonal; with them for a preconditioner, few steps
    are enough.

    Args:
        rated: CSR [n, m] of ones.
        fixed: float32 [m, d].
        start: float32 [n, d].
        objective: what is minimized.
        steps: of conjugate gradients.
        run: `map`, or that of a pool of threads.

    Returns:
        The vectors float32 [n, d], 0 where nothing was rated, and the loss with them.
    """
    gram, basis = np.linalg.eigh(objective.alpha0 * (fixed.T @ fixed))
    # The last row, of zeros, fills up the histories of a block to one length.
    turned = np.concatenate([fixed @ basis, np.zeros((1, fixed.shape[1]), np.float32)])
    start = start @ basis
    penalty = objective.penalty(np.diff(rated.indptr), len(fixed))[:, None]
    found = np.zeros_like(start)

    def solve(rows: Rows) -> float:
        vectors = np.take(turned, _items(rated, rows), axis=0)
        # Rounding may leave an eigenvalue a little below 0.
        diagonal = np.maximum(gram, 0) + penalty[rows]
        found[rows], explained = _solve(vectors, diagonal, start[rows], steps)
        return explained

    explained = sum(run(solve, _blocks(rated, fixed.shape[1])))
    counts = np.bincount(rated.indices, minlength=len(fixed))
    held_back = objective.penalty(counts, len(start)) @ np.square(fixed).sum(axis=1)
    return found @ basis.T, float(rated.nnz + held_back - explained)


def _blocks(rated: Csr, size: int) -> Iterator[Rows]:
    """Rows [b] of about as many ratings each, the longest first; no row without one."""
    counts = np.diff(rated.indptr)
    order = np.argsort(counts, kind="stable")[int((counts == 0).sum()) :]
    last = len(order)
    while last:
        longest = int(counts[order[last - 1]])
        first = max(0, last - max(1, _BLOCK_FLOATS // (longest * size)))
        yield order[first:last]
        last = first


def _items(rated: Csr, rows: Rows) -> IntArray:
    """What each row rated: int32 [b, l], filled up with m."""
    starts: IntArray = rated.indptr[rows, None]
    counts: IntArray = rated.indptr[rows + 1, None] - starts
    places = np.arange(int(counts.max()))
    filled = places < counts
    items = np.full(filled.shape, rated.shape[1], np.int32)
    items[filled] = rated.indices[(starts + places)[filled]]
    return items


def _solve(
    vectors: FloatArray, diagonal: FloatArray, x: FloatArray, steps: int
) -> tuple[FloatArray, float]:
    """Preconditioned conjugate gradients for a block of rows at once.

    The scores F_r x are kept up with x. So the step's length and the loss follow from them, and the
    vectors, which take most of the time to read, are read twice for the start and for each step but
    the last, and once for the last.

    Args:
        vectors: float32 [b, l, d], F_r.
        diagonal: float32 [b, d], of all but F_rᵀF_r; the preconditioner.
        x: float32 [b, d], where to start; overwritten.
        steps: how many.

    Returns:
        x float32 [b, d], and Σ x·(target + residual), which is how much the rows lower the loss.
    """
    scores = _scores(vectors, x)
    residual = _sums(vectors, 1 - scores)
    residual -= diagonal * x
    inverse = np.reciprocal(diagonal)
    direction = inverse * residual
    slope = _dot(residual, direction)
    for step in range(steps):
        change, held = _scores(vectors, direction), diagonal * direction
        # Where a row is solved already, both are 0, and it stays.
        size = _ratio(slope, _dot(change, change) + _dot(direction, held))
        x += size * direction
        scores += size * change
        if step + 1 < steps:
            residual -= size * (_sums(vectors, change) + held)
            scaled = inverse * residual
            slope, before = _dot(residual, scaled), slope
            direction *= _ratio(slope, before)
            direction += scaled
    # x·target is Σ scores, and x·residual Σ scores (1 - scores) - x·(diagonal x).
    explained = _dot(scores, 2 - scores) - _dot(x, diagonal * x)
    return x, float(explained.sum(dtype=np.float64))


def _scores(vectors: FloatArray, x: FloatArray) -> FloatArray:
    """Of each vector float32 [b, l, d] with its row's x float32 [b, d]: float32 [b, l]."""
    return np.matmul(vectors, x[:, :, None])[:, :, 0]


def _sums(vectors: FloatArray, weights: FloatArray) -> FloatArray:
    """The weighted sums of the rows' vectors, float32 [b, d]; weights float32 [b, l]."""
    return np.matmul(weights[:, None, :], vectors)[:, 0]


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    """Inner products of the rows, float32 [b, 1]."""
    return np.vecdot(left, right)[:, None]


def _ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    return cast("FloatArray", over / np.maximum(under, _TINY))
