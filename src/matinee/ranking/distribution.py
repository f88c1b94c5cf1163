"""What a predicted distribution over stars says; see `PredictsDistribution`."""

from __future__ import annotations

import numpy as np

from matinee.types import FloatArray


def spread(levels: FloatArray, chances: FloatArray) -> FloatArray:
    """The standard deviation of the stars, float32 [...], of chances float32 [..., levels]."""
    # No product of matrices: BLAS raises the flags of invalid numbers in rows as short as these.
    mean = (chances * levels).sum(axis=-1, keepdims=True)
    return np.sqrt((chances * (levels - mean) ** 2).sum(axis=-1))


def chance_of(levels: FloatArray, chances: FloatArray, stars: float) -> FloatArray:
    """The chance of so many stars or more, float32 [...]: of a film's being liked, say."""
    return chances[..., levels >= np.float32(stars)].sum(axis=-1)


def quantile(levels: FloatArray, chances: FloatArray, share: float) -> FloatArray:
    """The least stars that are not exceeded with a chance of `share`, float32 [...]."""
    reached = np.cumsum(chances, axis=-1) >= np.float32(share)
    # Chances add up to 1 but for rounding, so the last level always counts as reached.
    reached[..., -1] = True
    return levels[reached.argmax(axis=-1)]
