"""The conditional draws of a Gibbs sampler for a factorization machine of users and films.

Given the latent scores and the films' vectors and biases, the users' are independent of each other:
each one's d + 1 numbers are drawn at once from a normal distribution, a ridge regression's
(Salakhutdinov & Mnih 2008). Their prior's mean is linear in features, whose weights are drawn given
the vectors (Adams, Dahl & Murray 2010; Simm et al. 2017), and every precision has a Gamma prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.ranking.fm.drift import RATE, SHAPE
from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]


class Effect:
    """What features do to a side's vectors and biases: draws of E = F W with W normal around 0.

    With F = U diag(s) Vᵀ, the rotated weights Vᵀ W are independent of each other given the
    vectors, so a draw costs two matrix products.

    Args:
        decomposed: left [n, r], singular values [r] and right [m, r] of the features [n, m].
        width: d + 1.
    """

    def __init__(self, decomposed: tuple[Array, Array, Array], width: int) -> None:
        self._left, values, self._right = decomposed
        self._singular = values[:, None]
        self._rotated: Array = np.zeros((len(values), width))
        self._precision: Array = np.full(width, 10.0)
        self.values: Array = np.zeros((len(self._left), width))

    def draw(self, residuals: Array, noise: Array, rng: np.random.Generator) -> None:
        """Draw the weights and their precision.

        Args:
            residuals: [n, d + 1], vectors and biases less all other parts of their mean.
            noise: [d + 1], their precision.
            rng: of the draws.
        """
        precision = self._precision + noise * self._singular**2
        mean = noise * self._singular * (self._left.T @ residuals) / precision
        self._rotated = mean + rng.standard_normal(mean.shape) / np.sqrt(precision)
        self.values = self._left @ (self._singular * self._rotated)
        rate = RATE + 0.5 * (self._rotated**2).sum(axis=0)
        self._precision = rng.gamma(SHAPE + 0.5 * len(self._rotated), 1 / rate)

    def weights(self) -> Array:
        """The features' weights W, float64 [m, d + 1], as far as the features tell them."""
        return self._right @ self._rotated


class Prior:
    """The distribution that a side's vectors and biases come from.

    Args:
        size: n, how many users or films.
        width: d + 1; the last number is the bias, whose mean the cut points hold.
        effects: of the features.
    """

    def __init__(self, size: int, width: int, effects: list[Effect]) -> None:
        self.effects = effects
        self.average: Array = np.zeros(width)
        self.precision: Array = np.full(width, 10.0)
        self._size = size

    @property
    def mean(self) -> Array:
        """Of each one's vector and bias, float64 [n, d + 1]."""
        mean = np.tile(self.average, (self._size, 1))
        for effect in self.effects:
            mean += effect.values
        return mean

    def draw(self, vectors: Array, rng: np.random.Generator) -> None:
        """Draw everything in it, given vectors and biases float64 [n, d + 1]."""
        residuals = vectors - self.mean
        for effect in self.effects:
            residuals += effect.values
            effect.draw(residuals, self.precision, rng)
            residuals -= effect.values
        residuals += self.average
        precision = self._size * self.precision + 1
        noise = rng.standard_normal(len(precision)) / np.sqrt(precision)
        self.average = self.precision * residuals.sum(axis=0) / precision + noise
        self.average[-1] = 0
        residuals -= self.average
        rate = RATE + 0.5 * (residuals**2).sum(axis=0)
        self.precision = rng.gamma(SHAPE + 0.5 * self._size, 1 / rate)


@dataclass(frozen=True, eq=False)
class Side:
    """The ratings as one side sees them, grouped by its users (or films).

    Attributes:
        order: int64 [n], rows of the ratings, by own number.
        offsets: int64 [size + 1], where each one's rows begin.
        other: int32 [n], the other side's number of each, in this order.
    """

    order: NDArray[np.int64]
    offsets: NDArray[np.int64]
    other: IntArray

    @classmethod
    def of(cls, own: IntArray, other: IntArray, size: int) -> Side:
        """Group ratings by `own` number, below `size`."""
        order = np.argsort(own, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(own, minlength=size))])
        return cls(order, offsets, other[order])

    def draw(
        self, latent: Array, other: FloatArray, prior: Prior, rng: np.random.Generator
    ) -> Array:
        """Vectors and biases of this side, float64 [size, d + 1].

        Args:
            latent: float64 [n], latent scores less what neither side explains.
            other: float32 [m, d + 1], the other side's vectors and biases.
            prior: this side's.
            rng: of the draws.
        """
        design = other[self.other]
        residuals = latent[self.order].astype(np.float32) - design[:, -1]
        design[:, -1] = 1
        size, width = len(self.offsets) - 1, design.shape[1]
        gram = np.zeros((size, width, width), np.float32)
        moment = np.zeros((size, width), np.float32)
        for own in np.flatnonzero(np.diff(self.offsets)):
            first, last = self.offsets[own], self.offsets[own + 1]
            rows = design[first:last]
            np.dot(rows.T, rows, out=gram[own])
            np.dot(residuals[first:last], rows, out=moment[own])
        precision = gram.astype(np.float64)
        precision += np.diag(prior.precision)
        # With L Lᵀ the precision, L⁻ᵀ (L⁻¹ moment + noise) is a draw.
        root = np.linalg.inv(np.linalg.cholesky(precision))
        target = moment + prior.precision * prior.mean
        standard = np.einsum("nij,nj->ni", root, target) + rng.standard_normal(target.shape)
        return np.einsum("nji,nj->ni", root, standard)
