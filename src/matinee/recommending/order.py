"""The two things that a list may be ordered by, and everything between them."""

from __future__ import annotations

from typing import get_args

import numpy as np

from matinee.config import is_number, require
from matinee.ranking.order import in_order
from matinee.types import FloatArray, ListOrder, TopK

Order = ListOrder | float


def weight_of_stars(order: Order) -> float:
    """How much stars count: 0 for "list", 1 for "stars", or the number given.

    Raises:
        ConfigError: neither a name nor a number from 0 to 1.
    """
    expected = '"list", "stars", or how much stars count, from 0 to 1'
    if isinstance(order, str):
        require(order in get_args(ListOrder), "order", order, expected)
        return 1.0 if order == "stars" else 0.0
    require(is_number(order) and 0 <= order <= 1, "order", order, expected)
    return float(order)


def blended(listed: TopK, stars: FloatArray, weight: float) -> TopK:
    """Candidates by a weighted sum of both scores, each at mean 0 and spread 1 within its list.

    Args:
        listed: b lists of c candidates with the scores that ordered them.
        stars: float32 [b, c] of the same; NaN where a place is empty.
        weight: of the stars; 1 - weight is that of the list.
    """
    scores = np.where(np.isfinite(listed.scores), listed.scores, np.nan)
    both = (1 - weight) * _standard(scores) + weight * _standard(stars)
    return in_order(listed.items, both.astype(np.float32))


def _standard(scores: FloatArray) -> FloatArray:
    counts = np.maximum((~np.isnan(scores)).sum(axis=1, keepdims=True), 1)
    centred = scores - np.nansum(scores, axis=1, keepdims=True) / counts
    spread = np.sqrt(np.nansum(centred**2, axis=1, keepdims=True) / counts)
    return centred / np.where(spread > 0, spread, 1)
