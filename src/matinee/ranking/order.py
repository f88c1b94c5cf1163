"""The order that every ranker puts candidates in."""

from __future__ import annotations

import numpy as np

from matinee.types import FloatArray, IntArray, TopK


def in_order(items: IntArray, scores: FloatArray) -> TopK:
    """Films by descending score; equal ones by ascending number; empty slots last.

    Args:
        items: int32 [b, k]; an empty slot is -1.
        scores: float32 [b, k]; NaN where the slot is empty.
    """
    scores = np.where(np.isnan(scores), np.float32(-np.inf), scores)
    order = np.lexsort((items, -scores), axis=1)
    return TopK(np.take_along_axis(items, order, axis=1), np.take_along_axis(scores, order, axis=1))
