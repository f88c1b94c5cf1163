"""Why a film is shown: the films of the user's own history that its score is owed to."""

from __future__ import annotations

import numpy as np

from matinee.data.catalog import Catalog
from matinee.recommending.asking import Asking
from matinee.types import Explains, FirstStage, FloatArray, IntArray, Query, Reason


class Explainer:
    """Names the films that recommendations are owed to.

    Args:
        catalog: titles.
        retriever: whose scores are explained; one that is not `Explains` gives no reasons.
        asking: who has rated what.
        middle: stars in the middle of the scale; more of them are liking, and so are as many from
            somebody who gives fewer on average.
    """

    def __init__(
        self, catalog: Catalog, retriever: FirstStage, asking: Asking, middle: float
    ) -> None:
        self._catalog = catalog
        self._retriever = retriever
        # Once, not for each list: what a class promises takes long to look up.
        self._explains = retriever if isinstance(retriever, Explains) else None
        self._asking = asking
        self._middle = middle

    def reasons(self, query: Query, items: IntArray, most: int) -> list[tuple[Reason, ...]]:
        """At most so many films for each of `items` int32 [m], that it owes most to first.

        Only a film that raises the score and that the user liked is named: a model of who rated
        what may read a film rated 1 as a sign of interest, but nobody takes it for a reason.
        """
        films, stars = self._asking.rated(query)
        if len(query.history[0]):
            # Of a history that was given, the models read what is liked alone.
            read = stars >= self._retriever.liked_from
            films, stars = films[read], stars[read]
        if self._explains is None or not len(films) or not len(items):
            return [()] * len(items)
        by_film = self._explains.contributions(query, films, items).by_film
        liked = (stars > self._middle) | ((stars == self._middle) & (stars >= stars.mean()))
        speaking = np.where((by_film > 0) & liked, by_film, np.float32(0))
        return self._named(speaking, films, stars, most)

    def _named(
        self, speaking: FloatArray, films: IntArray, stars: FloatArray, most: int
    ) -> list[tuple[Reason, ...]]:
        total = speaking.sum(axis=1, keepdims=True)
        order = np.argsort(-speaking, axis=1, kind="stable")[:, :most]
        shares = np.take_along_axis(speaking, order, axis=1) / np.where(total > 0, total, 1)
        chosen: list[list[int]] = films[order].tolist()
        named = zip(chosen, stars[order].tolist(), shares.tolist(), strict=True)
        return [
            tuple(
                Reason(
                    movie_id=self._catalog.ids[film],
                    title=self._catalog.title(film),
                    stars=given,
                    share=round(share, 4),
                )
                for film, given, share in zip(*row, strict=True)
                if round(share, 4) > 0
            )
            for row in named
        ]
