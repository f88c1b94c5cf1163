"""The first stage, completed: the retriever's films, and the popular ones where it has too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.recommending.asking import Asking
from matinee.recommending.popular import Popular
from matinee.types import FirstStage, IntArray, KnowsLikeness, Query, TopK


class Candidates:
    """Finds films for anybody.

    Args:
        retriever: picks them.
        asking: who has rated what.
        popular: what to find where the retriever knows too little.
    """

    def __init__(self, retriever: FirstStage, asking: Asking, popular: Popular) -> None:
        self._retriever = retriever
        # Once, not for each query: what a class promises takes long to look up.
        self._likens = isinstance(retriever, KnowsLikeness)
        self._asking = asking
        self._popular = popular

    def source(self, query: Query) -> str:
        """Where a query's films come from; see `Recommendation.source`."""
        if self._likens and len(query.history[0]):
            liked = query.history[1] >= self._retriever.liked_from
            return "history" if liked.any() else "popular"
        return self._retriever.source if self._asking.is_read(query.user_index) else "popular"

    def found(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> tuple[TopK, NDArray[np.bool_]]:
        """The k films of each query, and which of them popularity gave; see `Retriever`."""
        found = self._retriever.retrieve(queries, k, exclude, allow)
        strangers = np.array([self.source(query) == "popular" for query in queries], np.bool_)
        return self._popular.complete(found, strangers, k, exclude, allow)

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        """The k films of each query; see `Retriever`."""
        return self.found(queries, k, exclude, allow)[0]
