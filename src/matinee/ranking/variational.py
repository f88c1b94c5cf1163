"""The steps of variational Bayes for a biased matrix factorization.

A rating less the mean is normal around x · z + c. On the side being fitted, say the users',
x = (p, b) is a vector and a bias; on the other side, whose belief y = (q, c) is held, z = (q, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.types import IntArray

Array = NDArray[np.float64]
# A SciPy CSR array; SciPy comes without types.
Csr = Any


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of n users or films: each one's d + 1 numbers are normal, the bias last.

    Attributes:
        mean: float64 [n, d + 1].
        covariance: float64 [n, d + 1, d + 1].
    """

    mean: Array
    covariance: Array


@dataclass(frozen=True, eq=False)
class Prior:
    """What is believed of a user or film before their ratings are seen.

    Attributes:
        mean: float64 [d + 1].
        precision: float64 [d + 1, d + 1], the inverse of the covariance.
    """

    mean: Array
    precision: Array

    @classmethod
    def learned(cls, belief: Belief, variance: Array, rows: float) -> Prior:
        """The most probable prior, given what is believed of those who have ratings.

        Args:
            belief: of n of them.
            variance: [d + 1], of the covariance that is thought likely beforehand (the mode of an
                inverse Wishart distribution).
            rows: how much that counts, against n.
        """
        mean = belief.mean.mean(axis=0)
        away = belief.mean - mean
        total = away.T @ away + belief.covariance.sum(axis=0) + rows * np.diag(variance)
        return cls(mean, cast(Array, np.linalg.inv(total / (len(away) + rows))))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the ratings say of one side, in expectation over the other's belief.

    Attributes:
        gram: float64 [n, d + 1, d + 1], Σ E[z zᵀ] over the ratings of each.
        target: float64 [n, d + 1], Σ E[z (r - c)].
        rest: Σ E[(r - c)²] over all ratings.
    """

    gram: Array
    target: Array
    rest: float

    def belief(self, prior: Prior, noise: float) -> Belief:
        """The posterior: a ridge regression for each, with `noise` the variance of a rating."""
        covariance = cast(Array, np.linalg.inv(prior.precision + self.gram / noise))
        target = prior.precision @ prior.mean + self.target / noise
        return Belief(np.einsum("nij,nj->ni", covariance, target), covariance)

    def squared_error(self, belief: Belief) -> float:
        """Σ E[(r - x · z - c)²] over all ratings."""
        mean = belief.mean
        square = np.einsum("nij,nij->", self.gram, belief.covariance)
        square += np.einsum("ni,nij,nj->", mean, self.gram, mean, optimize=True)
        return float(square - 2 * np.sum(mean * self.target) + self.rest)


class Side:
    """The ratings as one side sees them.

    Args:
        own: int32 [r], whose each rating is.
        other: int32 [r], of whom on the other side.
        residuals: float64 [r], the ratings less their mean.
        shape: how many there are on either side.
    """

    def __init__(
        self, own: IntArray, other: IntArray, residuals: Array, shape: tuple[int, int]
    ) -> None:
        self._squares = float(residuals @ residuals)
        self._residuals: Csr = sparse.csr_array((residuals, (own, other)), shape=shape)
        self._ones: Csr = self._residuals.copy()
        self._ones.data[:] = 1
        self._rated = np.diff(self._ones.indptr) > 0

    def prior(self, belief: Belief, variance: Array, rows: float) -> Prior:
        """As `Prior.learned`, from those who have ratings."""
        rated = Belief(belief.mean[self._rated], belief.covariance[self._rated])
        return Prior.learned(rated, variance, rows)

    def evidence(self, other: Belief) -> Evidence:
        """What the ratings say of this side, given what is believed of the other."""
        bias, unsure = other.mean[:, -1], other.covariance[:, -1, :].copy()
        design, spread = other.mean.copy(), other.covariance.copy()
        design[:, -1] = 1
        spread[:, -1, :] = spread[:, :, -1] = 0
        bias_variance = unsure[:, -1].copy()
        unsure[:, -1] = 0
        # Symmetric, so one triangle is summed; the sum over ratings is the costly part.
        rows, columns = np.triu_indices(design.shape[1])
        moments = design[:, rows] * design[:, columns] + spread[:, rows, columns]
        triangle = self._ones @ moments
        gram = np.empty((len(triangle), *spread.shape[1:]))
        gram[:, rows, columns] = gram[:, columns, rows] = triangle
        target = self._residuals @ design - self._ones @ (design * bias[:, None] + unsure)
        rest = self._squares - 2 * (self._residuals @ bias).sum()
        rest += (self._ones @ (bias**2 + bias_variance)).sum()
        return Evidence(gram, target, float(rest))
