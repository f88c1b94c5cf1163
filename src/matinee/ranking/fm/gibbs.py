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
        counts: int64 [size], how many ratings each has.
        numbers: int64 [size], the users (or films), those with few ratings first.
        order: int64 [n], rows of the ratings, in the order of `numbers`.
        other: int32 [n], the other side's number of each row, in this order.
    """

    counts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    order: NDArray[np.int64]
    other: IntArray

    @classmethod
    def of(cls, own: IntArray, other: IntArray, size: int) -> Side:
        """Group ratings by `own` number, below `size`."""
        counts = np.bincount(own, minlength=size)
        order = np.lexsort((own, counts[own]))
        return cls(counts, np.argsort(counts, kind="stable"), order, other[order])

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
        gram, moment = self._products(design, residuals)
        precision = gram.astype(np.float64)
        precision += np.diag(prior.precision)
        # With L Lᵀ the precision, L⁻ᵀ (L⁻¹ moment + noise) is a draw.
        root = np.linalg.inv(np.linalg.cholesky(precision))
        target = moment + prior.precision * prior.mean
        standard = np.einsum("nij,nj->ni", root, target) + rng.standard_normal(target.shape)
        return np.einsum("nji,nj->ni", root, standard)

    def _products(self, design: FloatArray, residuals: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Xᵀ X float32 [size, w, w] and Xᵀ r [size, w], X and r being the rows of each one.

        Those with equally many rows are one stack of matrices, so the loop is a short one.
        """
        size, width = len(self.counts), design.shape[1]
        gram = np.zeros((size, width, width), np.float32)
        moment = np.zeros((size, width), np.float32)
        lengths, sizes = np.unique(self.counts, return_counts=True)
        stacks = np.split(self.numbers, np.cumsum(sizes)[:-1])
        ends = np.cumsum(lengths * sizes)
        for length, alike, end in zip(lengths, stacks, ends, strict=True):
            rows = slice(end - length * len(alike), end)
            own = design[rows].reshape(len(alike), length, width)
            gram[alike] = np.matmul(own.transpose(0, 2, 1), own)
            moment[alike] = np.matmul(residuals[rows].reshape(len(alike), 1, length), own)[:, 0]
        return gram, moment
