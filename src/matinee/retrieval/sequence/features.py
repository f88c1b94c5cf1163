"""The films that a model of sequences is trained on, and the vectors of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.types import FloatArray, IntArray


class TrainedFilms:
    """The films that somebody rated, which the model is trained on, among all of them.

    A film that nobody rated would be but a negative in training, and its features with it.

    Args:
        counts: int64 [n_items], training ratings of each film.
        features: float32 [n_items, f], of all films.

    Attributes:
        place: int32 [n_items], the number of a rated film among those that are.
    """

    def __init__(self, counts: NDArray[np.int64], features: FloatArray) -> None:
        self.features = features
        self._rated = np.flatnonzero(counts)
        self.trained_counts = counts[self._rated]
        self.trained_features = features[self._rated]
        self.place: IntArray = (np.cumsum(counts > 0) - 1).astype(np.int32)

    def spread(self, rows: FloatArray, hidden: bool) -> FloatArray:
        """Rows of all films: those without a rating have the unknown one's.

        Args:
            rows: float32 [m + 1, ...], of the m rated films and the unknown one.
            hidden: whether training hid films, so that the unknown row learned something; else
                the mean of the others takes its place.
        """
        unknown = rows[-1] if hidden else rows[:-1].mean(axis=0)
        spread = np.empty((len(self.features), *rows.shape[1:]), np.float32)
        spread[:] = unknown
        spread[self._rated] = rows[:-1]
        return spread
