"""The vector of somebody never seen, from their history, with the films' vectors held fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]
_STEPS = 50
# Of what a step may still gain, in units of log probability. Near its end Newton's method squares
# the error, so that a full step from the first leads below the second.
_NEARLY, _SOLVED = 1e-3, 1e-7
# A Hessian serves for another step as long as each leaves so little of what the one before did.
_WORTH_KEEPING = 0.03
# Relative: sums over many films in single precision.
_ROUNDING = 1e-6
_LEAST_STEP = 1e-9
_REMEMBERED = 1024
# About so many films count by their own chances in a Hessian: all of a small catalogue.
_EXACT_FILMS = 4096


@dataclass(frozen=True, eq=False)
class _Softmax:
    """What the model expects of whoever has a vector.

    Attributes:
        log_total: log of the sum of the exponentials of the logits.
        chance: float32 [n], of each film to be the next.
        expected: float64 [d], the mean of the films' vectors by their chances.
    """

    log_total: float
    chance: FloatArray
    expected: Array


@dataclass(frozen=True, eq=False)
class FoldIn:
    """Finds the most probable vector of a newcomer by Newton's method with backtracking.

    The softmax model says how probable a history is given a vector; the trained users' vectors
    say which vectors are usual (a normal distribution with their mean and covariance). The most
    probable vector u minimizes, for the h films i of a history,

        h log Σ_j exp(v_j·u + o_j) - Σ_i (v_i·u + o_i) + (u - mean)ᵀ precision (u - mean) / 2

    a convex problem with one answer. An empty history gives the mean vector.

    Attributes:
        films: float32 [n, d], the films' vectors v, divided by the temperature.
        offset: float32 [n], o, added to the films' logits.
        mean: float64 [d], of the users' vectors.
        precision: float64 [d, d], the inverse of their covariance.
    """

    films: FloatArray
    offset: FloatArray
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
        return cls(films, offset, vectors.mean(axis=0), precision)

    def vector(self, items: IntArray) -> FloatArray:
        """The vector float32 [d] of somebody who liked `items` int32 [h]."""
        return self._remembered(items.astype(np.int32).tobytes()).copy()

    def __getstate__(self) -> dict[str, object]:
        """What another process is sent: all but the answers remembered here."""
        return {name: value for name, value in self.__dict__.items() if name != "_remembered"}

    @cached_property
    def _remembered(self) -> Callable[[bytes], FloatArray]:
        """The latest answers: one list asks several times, and visitors come back."""
        return lru_cache(maxsize=_REMEMBERED)(self._most_probable)

    def _most_probable(self, history: bytes) -> FloatArray:
        items = np.frombuffer(history, np.int32)
        count, target = len(items), self.films[items].sum(axis=0, dtype=np.float64)
        vector, (softmax, spread) = self.mean, self._average
        if not count:
            return vector.astype(np.float32)
        hessian, fresh, before = count * spread + self.precision, True, np.inf
        loss = self._loss(vector, softmax, count, target)
        for _ in range(_STEPS):
            gradient = self._gradient(vector, softmax, count, target)
            step, slope = _newton(hessian, gradient)
            if not fresh and slope > _WORTH_KEEPING * before:
                hessian, fresh = count * self._spread(softmax) + self.precision, True
                step, slope = _newton(hessian, gradient)
            if slope < _SOLVED:
                break
            size, enough = 1.0, 1e-4 * slope
            # A full step from afar may overshoot; a convex loss falls along a shorter one.
            while True:
                there = vector - size * step
                softmax = self._softmax(there)
                after = self._loss(there, softmax, count, target)
                if after <= loss - size * enough + _ROUNDING * abs(loss) or size < _LEAST_STEP:
                    break
                size /= 2
            vector, loss = there, after
            if fresh and slope < _NEARLY and size == 1:
                break
            before, fresh = slope, False
        return vector.astype(np.float32)

    def influence(self, vector: FloatArray, items: IntArray, targets: IntArray) -> FloatArray:
        """What the score of each target owes to each film of a history: float32 [m, h].

        Without film i the most probable vector would be, to first order, H⁻¹ (v_i - E) shorter,
        for the Hessian H of the loss and the mean film E that the model expects (the influence
        function of Cook & Weisberg 1982; Koh & Liang 2017); the score of target t would be
        v_t·H⁻¹ (v_i - E) lower.

        Args:
            vector: float32 [d], of whoever has the history.
            items: int32 [h], the films of the history.
            targets: int32 [m], the films whose scores are asked for.
        """
        softmax = self._softmax(vector.astype(np.float64))
        hessian = len(items) * self._spread(softmax) + self.precision
        moved = cast("Array", np.linalg.solve(hessian, self.films[targets].T))
        pulls = self.films[items] - softmax.expected.astype(np.float32)
        return cast("FloatArray", moved.astype(np.float32).T @ pulls.T)

    def _softmax(self, vector: Array) -> _Softmax:
        logits = self.films @ vector.astype(np.float32)
        logits += self.offset
        highest = logits.max()
        logits -= highest
        chance = np.exp(logits, out=logits)
        total = float(chance.sum())
        chance /= np.float32(total)
        expected = (chance @ self.films).astype(np.float64)
        return _Softmax(float(highest) + float(np.log(total)), chance, expected)

    def _loss(self, vector: Array, softmax: _Softmax, count: int, target: Array) -> float:
        """Minus the log probability of the history and of the vector, up to a constant."""
        away = vector - self.mean
        likely = count * softmax.log_total - float(target @ vector)
        return likely + 0.5 * float(away @ self.precision @ away)

    def _gradient(self, vector: Array, softmax: _Softmax, count: int, target: Array) -> Array:
        return count * softmax.expected - target + self.precision @ (vector - self.mean)

    def _spread(self, softmax: _Softmax) -> Array:
        """The films' covariance float64 [d, d], by their chances.

        In a large catalogue only the likeliest films count by their own chances; the others share
        what is left as they do for the mean user.
        """
        if len(self.films) <= _EXACT_FILMS:
            product = _weighted(self.films, softmax.chance)
        else:
            usual, product, bound = self._average[0].chance, *self._usual
            likely = np.flatnonzero(softmax.chance > bound)
            films, chance = self.films[likely], softmax.chance[likely]
            rest, usual_rest = (1 - float(own.sum()) for own in (chance, usual[likely]))
            share = max(rest, 0) / max(usual_rest, _ROUNDING)
            product = share * (product - _weighted(films, usual[likely])) + _weighted(films, chance)
        return product - np.outer(softmax.expected, softmax.expected)

    @cached_property
    def _average(self) -> tuple[_Softmax, Array]:
        """Where every search begins: the mean user, and the spread of films there."""
        softmax = self._softmax(self.mean)
        expected = np.outer(softmax.expected, softmax.expected)
        return softmax, _weighted(self.films, softmax.chance) - expected

    @cached_property
    def _usual(self) -> tuple[Array, np.float32]:
        """The mean user's sum of outer products, and the chance that the likeliest films exceed."""
        softmax, spread = self._average
        product = spread + np.outer(softmax.expected, softmax.expected)
        return product, np.partition(softmax.chance, -_EXACT_FILMS)[-_EXACT_FILMS]


def _weighted(films: FloatArray, chance: FloatArray) -> Array:
    """The sum of the outer products of the films' vectors, float64 [d, d]."""
    # As the product of a matrix with itself it costs half.
    scaled = films * np.sqrt(chance)[:, None]
    return (scaled.T @ scaled).astype(np.float64)


def _newton(hessian: Array, gradient: Array) -> tuple[Array, float]:
    """The step, and the slope along it, twice of what it may gain."""
    step = cast("Array", np.linalg.solve(hessian, gradient))
    return step, float(gradient @ step)
