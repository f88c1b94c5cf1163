"""Where somebody stands of whom only a history is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matinee.ranking.fm.ordinal import Output
from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]

_ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Samples:
    """Some draws of the films and of the users' prior; all float32.

    Attributes:
        films: [n_items + 1, samples, d + 1], vectors, the bias last.
        implicit: [n_items + 1, samples, d + 1], what having rated a film adds to a user's mean.
        average: [samples, d + 1], a user's mean without that.
        precision: [samples, d + 1], of a user around their mean.
    """

    films: FloatArray
    implicit: FloatArray
    average: FloatArray
    precision: FloatArray

    def place(self, items: IntArray, ratings: FloatArray, output: Output) -> Placed:
        """What each draw of the films makes of whoever gave `ratings` to `items`, both [h].

        Given a draw, the person's vector has a normal prior and the ratings an ordered probit's
        likelihood. The posterior is approximated by variational Bayes: latent scores and vector in
        turn take their expectations, the vector by a ridge regression (Girolami & Rogers 2006).
        """
        design = self.films[items].transpose(1, 0, 2).astype(np.float64)
        bias = design[:, :, -1].copy()
        design[:, :, -1] = 1
        prior = self.average + self.implicit[items].sum(axis=0) / np.sqrt(max(len(items), 1))
        turned = design.transpose(0, 2, 1)
        precision = turned @ design
        precision += self.precision[:, :, None] * np.eye(precision.shape[1])
        covariance = cast(Array, np.linalg.inv(precision))
        mean = prior.astype(np.float64)
        for _ in range(_ROUNDS if len(items) else 0):
            scores = ((design @ mean[:, :, None])[:, :, 0] + bias).mean(axis=0)
            latent = output.latent_mean(scores, ratings)
            target = self.precision * prior + (turned @ (latent - bias)[:, :, None])[:, :, 0]
            mean = (covariance @ target[:, :, None])[:, :, 0]
        return Placed(self, mean, covariance)


@dataclass(frozen=True, eq=False)
class Placed:
    """Somebody's vector and bias: mean [samples, d + 1] and covariance for each draw."""

    samples: Samples
    mean: Array
    covariance: Array

    def scores(self, items: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the score of films [k], both float32 [k]."""
        rows = self.samples.films[items].transpose(1, 0, 2).astype(np.float64)
        bias = rows[:, :, -1].copy()
        rows[:, :, -1] = 1
        scores = np.einsum("ski,si->sk", rows, self.mean) + bias
        unsure = ((rows @ self.covariance) * rows).sum(axis=2).mean(axis=0)
        variance = scores.var(axis=0) + unsure
        return scores.mean(axis=0).astype(np.float32), variance.astype(np.float32)
