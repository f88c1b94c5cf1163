"""The vector of somebody never seen, from their history, with the films' vectors held fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]
_STEPS = 50
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class FoldIn:
    """Finds the most probable vector of a newcomer by Newton's method with backtracking.

    The softmax model says how probable a history is given a vector; the trained users' vectors
    say which vectors are usual (a normal distribution with their mean and covariance). The most
    probable vector maximizes the product of both: a concave problem with one answer. An empty
    history gives the mean vector.

    Attributes:
        films: float64 [n, d], the films' vectors, divided by the temperature.
        offset: float64 [n], added to the films' logits.
        mean: float64 [d], of the users' vectors.
        precision: float64 [d, d], the inverse of their covariance.
    """

    films: Array
    offset: Array
    mean: Array
    precision: Array

    @classmethod
    def of(cls, films: FloatArray, offset: FloatArray, users: FloatArray) -> FoldIn:
        """Take the films' vectors [n, d] and offsets [n] and the trained users' vectors [m, d]."""
        vectors = users.astype(np.float64)
        width = vectors.shape[1]
        centred = vectors - vectors.mean(axis=0)
        covariance = centred.T @ centred / max(len(vectors) - 1, 1)
        # A floor keeps directions in which no two users differ from having infinite precision.
        floor = 1e-3 * max(float(np.trace(covariance)) / width, 1e-6)
        precision = cast(Array, np.linalg.inv(covariance + floor * np.eye(width)))
        return cls(
            films.astype(np.float64), offset.astype(np.float64), vectors.mean(axis=0), precision
        )

    def vector(self, items: IntArray) -> FloatArray:
        """The vector float32 [d] of somebody who liked `items` int32 [h]."""
        vector = self.mean.copy()
        count, target = len(items), self.films[items].sum(axis=0)
        for _ in range(_STEPS if count else 0):
            loss, gradient, hessian = self._derivatives(vector, count, target)
            step = cast("Array", np.linalg.solve(hessian, gradient))
            slope, size = float(gradient @ step), 1.0
            # A full step from afar may overshoot; a convex loss falls along a shorter one.
            while size > _TOLERANCE:
                if self._loss(vector - size * step, count, target) <= loss - 1e-4 * size * slope:
                    break
                size /= 2
            vector -= size * step
            if slope < _TOLERANCE:
                break
        return vector.astype(np.float32)

    def _loss(self, vector: Array, count: int, target: Array) -> float:
        """Minus the log probability of the history and of the vector, up to a constant."""
        logits = self.films @ vector + self.offset
        highest = float(logits.max())
        away = vector - self.mean
        log_sum = highest + float(np.log(np.exp(logits - highest).sum()))
        return count * log_sum - float(target @ vector) + 0.5 * float(away @ self.precision @ away)

    def _derivatives(self, vector: Array, count: int, target: Array) -> tuple[float, Array, Array]:
        logits = self.films @ vector + self.offset
        chance = np.exp(logits - logits.max())
        chance /= chance.sum()
        expected = chance @ self.films
        gradient = count * expected - target + self.precision @ (vector - self.mean)
        spread = (self.films * chance[:, None]).T @ self.films - np.outer(expected, expected)
        return self._loss(vector, count, target), gradient, count * spread + self.precision
