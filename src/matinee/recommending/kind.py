"""Films like one that nobody rated: those of its genres and years."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.retrieval.film_features import genres_and_years
from matinee.types import FloatArray, TopK

# Likenesses that differ by less than rounding are taken for equal.
_DIGITS = 5


class Kind:
    """Finds films by what is known of them before anybody has rated them.

    Args:
        catalog: the films.
        counts: [n_items], training ratings of each film.
    """

    def __init__(self, catalog: Catalog, counts: NDArray[np.int64]) -> None:
        self._catalog = catalog
        self._counts = counts

    def similar(self, item: int, k: int) -> TopK:
        """At most k films that share a genre or five years with one: a `TopK` of one row.

        The score is the cosine of the features; of equally alike films the most rated come first.
        """
        cosines: FloatArray = self._directions @ self._directions[item]
        likeness: FloatArray = cosines.round(_DIGITS)
        likeness[item] = 0
        order = np.lexsort((-self._counts, -likeness))[:k].astype(np.int32)
        order = order[likeness[order] > 0]
        return TopK(order[None], likeness[order][None])

    @cached_property
    def _directions(self) -> FloatArray:
        """The films' features at length 1, float32 [n_items, f]; 0 where nothing is known."""
        features = genres_and_years(self._catalog)[1]
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return (features / np.where(lengths > 0, lengths, 1)).astype(np.float32)
