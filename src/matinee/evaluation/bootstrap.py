"""Intervals by resampling users: what the numbers would be had others been tested.

Users are drawn with replacement (Efron 1979), and every model is measured on the same draws, so
that the interval of a difference does not hold what moves both alike (the paired bootstrap, as
Koehn 2004 uses it). A user's ratings stay together, for they are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.tallies import Measured

REPEATS = 1000
_LEVEL = 0.95
# Draws held at a time: 32 MiB of float64.
_BLOCK_DRAWS = 1 << 22


@dataclass(frozen=True)
class Estimate:
    """A number and the interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


Draws = dict[str, dict[str, NDArray[np.float64]]]


def resample(models: Mapping[str, Measured], seed: int, repeats: int = REPEATS) -> Draws:
    """The metrics of every model on `repeats` draws of users, the same draws for all.

    Returns:
        By model, by metric: float64 [repeats].
    """
    columns = [(m, name) for m, measured in models.items() for name in measured.tallies]
    if not columns:
        return {model: {} for model in models}
    tallies = [models[model].tallies[name] for model, name in columns]
    tested = np.flatnonzero(np.any([tally.weight > 0 for tally in tallies], axis=0))
    both = np.stack(
        [tally.total[tested] for tally in tallies] + [tally.weight[tested] for tally in tallies], 1
    )
    sums = np.empty((repeats, both.shape[1]))
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK_DRAWS // max(len(tested), 1))
    for first in range(0, repeats, step):
        rows = min(step, repeats - first)
        drawn = np.empty((rows, len(tested)))
        for times in drawn:
            times[:] = np.bincount(
                rng.integers(len(tested), size=len(tested)), minlength=len(tested)
            )
        sums[first : first + rows] = drawn @ both
    draws: Draws = {model: {} for model in models}
    for place, (tally, (model, name)) in enumerate(zip(tallies, columns, strict=True)):
        draws[model][name] = tally.ratio(sums[:, place], sums[:, len(tallies) + place])
    return draws


def interval(value: float, draws: NDArray[np.float64]) -> Estimate:
    """A value with the middle 95 % of its draws."""
    edge = (1 - _LEVEL) / 2
    known = draws[np.isfinite(draws)]
    if not len(known):
        return Estimate(value, value, value)
    low, high = np.quantile(known, [edge, 1 - edge])
    return Estimate(value, float(low), float(high))
