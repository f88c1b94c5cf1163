"""Stars as ordered levels of a normal latent score: an ordered probit.

A rating is at level k where its latent score z = s + ε, ε normal with variance 1, lies between the
cut points c_k and c_k+1 (Albert & Chib 1993). Stars need not be evenly spread: only their order
counts until an expectation is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from matinee.types import FloatArray, IntArray

Array = NDArray[np.float64]

MOST_LEVELS = 20
# A random walk's steps against the posterior's own width (Roberts & Rosenthal 2001).
_STEP = 2.4
_PROPOSALS = 2
# Beyond any score; finite, since model files hold finite numbers alone.
_FAR = 1e9
# Of a probability, so that its logarithm and its quantile are finite.
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Levels:
    """The stars that occur, in ascending order.

    Attributes:
        stars: float64 [m], what each level is worth.
        of: int32 [n], the level of each rating.
    """

    stars: Array
    of: IntArray

    @classmethod
    def among(cls, rating: FloatArray) -> Levels:
        """One level for each of the distinct stars, where there are at most 20.

        Ratings on a finer scale are gathered into 20 levels with about as many ratings each; a
        level is then worth the mean of its ratings.
        """
        stars, of = np.unique(rating.astype(np.float64), return_inverse=True)
        if len(stars) > MOST_LEVELS:
            edges = np.unique(np.quantile(rating, np.arange(1, MOST_LEVELS) / MOST_LEVELS))
            _, of = np.unique(np.searchsorted(edges, rating, side="right"), return_inverse=True)
            stars = np.bincount(of, rating) / np.bincount(of)
        return cls(stars, of.astype(np.int32))

    def first_cuts(self) -> Array:
        """Cut points float64 [m - 1] that give each level its share at a score of 0."""
        share = np.cumsum(np.bincount(self.of))[:-1] / len(self.of)
        return ndtri(share)


class CutPoints:
    """Draws cut points from their posterior, by a random walk of the Metropolis kind.

    The latent scores are integrated out, without which the walk would hardly move (Cowles 1996).

    Args:
        levels: of the ratings.
    """

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self.values = levels.first_cuts()
        self._step = np.zeros((len(self.values),) * 2)

    def adapt(self, scores: Array) -> None:
        """Take the walk's covariance from the expected information at `scores` float64 [n].

        Only while the draws are thrown away: a walk that goes on adapting has another limit.
        """
        size = len(self.values)
        if not size:
            return
        share = np.maximum(_shares(self.values, scores), _LEAST)
        density = np.exp(-0.5 * (self.values[:, None] - scores) ** 2) / np.sqrt(2 * np.pi)
        information = np.diag((density**2 * (1 / share[:-1] + 1 / share[1:])).sum(axis=1))
        near = -(density[:-1] * density[1:] / share[1:-1]).sum(axis=1)
        index = np.arange(size - 1)
        information[index, index + 1] = information[index + 1, index] = near
        # The priors of the scores leave a little slack that the information does not see.
        root = np.linalg.cholesky(information + np.eye(size))
        self._step = _STEP / np.sqrt(size) * np.linalg.inv(root).T

    def draw(self, scores: Array, rng: np.random.Generator) -> tuple[float, Array]:
        """Move on, and draw the latent scores anew, given the scores float64 [n] of the ratings.

        Returns:
            the ratings' log-likelihood, and latent scores float64 [n], each normal around its score
            and within its level's cuts.
        """
        below, share = self._chances(self.values, scores)
        now = _log_likelihood(share)
        for _ in range(_PROPOSALS):
            proposed = self.values + self._step @ rng.standard_normal(len(self.values))
            if (np.diff(proposed) <= 0).any():
                continue
            chances = self._chances(proposed, scores)
            then = _log_likelihood(chances[1])
            if np.log(rng.random()) < then - now:
                self.values, now, (below, share) = proposed, then, chances
        drawn = below + share * rng.random(len(scores))
        return now, scores + ndtri(np.clip(drawn, _LEAST, 1 - _LEAST))

    def _chances(self, cuts: Array, scores: Array) -> tuple[Array, Array]:
        """The chance of a lower level than its own, and that of its own, for each rating."""
        edges = np.concatenate([[-np.inf], cuts, [np.inf]])
        below = ndtr(edges[self._levels.of] - scores)
        return below, ndtr(edges[self._levels.of + 1] - scores) - below


def _log_likelihood(share: Array) -> float:
    return float(np.log(np.maximum(share, _LEAST)).sum())


def _shares(cuts: Array, scores: Array) -> Array:
    """The probability of each level, float64 [m, n]."""
    below = ndtr(cuts[:, None] - scores)
    ends = np.zeros((1, len(scores)))
    return np.diff(np.concatenate([ends, below, ends + 1]), axis=0)


@dataclass(frozen=True, eq=False)
class Output:
    """From a score and its variance to stars.

    Attributes:
        stars: float32 [m], what each level is worth, ascending.
        cuts: float32 [m - 1].
    """

    stars: FloatArray
    cuts: FloatArray

    @classmethod
    def of(cls, stars: FloatArray, cuts: FloatArray) -> Output:
        """From the padded arrays that `padded` makes."""
        size = 1 + int(np.count_nonzero(np.diff(stars) > 0))
        return cls(stars[:size], cuts[: size - 1])

    @staticmethod
    def padded(stars: Array, cuts: Array) -> dict[str, Array]:
        """Stars [20] and cuts [19]: the last level again, at scores that none reaches."""
        missing = MOST_LEVELS - len(stars)
        return {
            "stars": np.concatenate([stars, np.repeat(stars[-1], missing)]),
            "cuts": np.concatenate([cuts, np.repeat(_FAR, missing)]),
        }

    def above(self, mean: FloatArray, variance: FloatArray) -> FloatArray:
        """The chance of a level above each cut, float32 [..., m - 1], where a score is normal."""
        deviation = np.sqrt(1 + variance)[..., None]
        return cast(FloatArray, ndtr((mean[..., None] - self.cuts) / deviation))

    def expected(self, mean: FloatArray, variance: FloatArray) -> FloatArray:
        """Expected stars, float32 [...]."""
        return self.stars[0] + self.above(mean, variance) @ np.diff(self.stars)

    def distribution(self, mean: FloatArray, variance: FloatArray) -> FloatArray:
        """The chance of each level, float32 [..., m]."""
        above = self.above(mean, variance)
        ends = np.ones((*above.shape[:-1], 1), np.float32)
        return -np.diff(np.concatenate([ends, above, ends - 1], axis=-1), axis=-1)

    def latent_mean(self, scores: Array, ratings: FloatArray) -> Array:
        """Expected latent scores float64 [h] of whoever gave `ratings`, taken to the next level."""
        level = np.abs(ratings[:, None] - self.stars).argmin(axis=1)
        edges = np.concatenate([[-np.inf], self.cuts.astype(np.float64), [np.inf]])
        low, high = edges[level] - scores, edges[level + 1] - scores
        share = np.maximum(ndtr(high) - ndtr(low), _LEAST)
        return scores + (np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)) / (
            np.sqrt(2 * np.pi) * share
        )
