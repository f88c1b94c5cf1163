"""What a score is made of: what anybody has, the film's genres and years, and the film itself."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.retrieval.film_features import genres_and_years, projection
from matinee.types import Explains, FirstStage, FloatArray, Part, Query

ANYBODY, ITSELF = "anybody", "the film itself"


class Parts:
    """Lays scores to features of the films.

    What a user's history adds to the scores of somebody without one is regressed on the films'
    features, over all films; so a genre's part is what its films have in common of it.

    Args:
        catalog: the films.
        retriever: whose scores are taken apart; those of one that is not `Explains` are not.
        counts: int64 [n_items], training ratings of each film.
    """

    def __init__(self, catalog: Catalog, retriever: FirstStage, counts: NDArray[np.int64]) -> None:
        self._catalog = catalog
        self._retriever = retriever
        self._explains = retriever if isinstance(retriever, Explains) else None
        self._counts = counts

    def of(self, query: Query, item: int, score: float) -> tuple[Part, ...]:
        """The parts of a query's score of a film, that sum to it: `Explanation.parts`."""
        if self._explains is None:
            return ()
        names, features = self._features
        items, scores = self._retriever.retrieve([query], len(self._catalog)).row(0)
        added = np.asarray(scores - self._strangers[items], np.float32)
        worth: FloatArray = self._projection[:, items] @ added
        # The last is any film's, which tells nothing of this one.
        amounts: list[float] = (features[item] * worth[:-1]).tolist()
        own = [
            Part(name, round(amount, 6))
            for name, amount, marked in zip(names, amounts, features[item] > 0, strict=True)
            if marked
        ]
        own.sort(key=lambda part: -abs(part.amount))
        anybody = Part(ANYBODY, round(float(self._strangers[item]), 6))
        rest = score - sum(part.amount for part in (anybody, *own))
        return (anybody, *own, Part(ITSELF, round(rest, 6)))

    @cached_property
    def _strangers(self) -> FloatArray:
        """The scores of somebody without a history, float32 [n_items]."""
        everything = np.arange(len(self._catalog), dtype=np.int32)
        if self._explains is None:
            return np.zeros(len(everything), np.float32)
        return self._explains.contributions(Query(), everything[:0], everything).base

    @cached_property
    def _projection(self) -> FloatArray:
        """What the scores of all films are multiplied with for the worth of each feature."""
        columns = np.pad(self._features[1], ((0, 0), (0, 1)), constant_values=1)
        return projection(columns, self._counts)

    @cached_property
    def _features(self) -> tuple[tuple[str, ...], FloatArray]:
        return genres_and_years(self._catalog)
