"""From lists in numbers to films on a screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.catalog import Catalog
from matinee.recommending.explanations import Explainer
from matinee.recommending.lists import Listed
from matinee.types import EMPTY_ITEM, FloatArray, Query, Reason, Recommendation

# Films that a recommendation in a list names as its reasons.
_REASONS = 2


class Screen:
    """Shows films by their titles, with stars and reasons.

    Args:
        catalog: the films.
        explainer: names reasons.
    """

    def __init__(self, catalog: Catalog, explainer: Explainer) -> None:
        self._catalog = catalog
        self._explainer = explainer

    def lists(
        self,
        queries: Sequence[Query],
        sources: Sequence[str],
        listed: Listed,
        stars: FloatArray,
        *,
        explain: bool,
    ) -> list[list[Recommendation]]:
        """The list of each of b queries, without empty places.

        Args:
            queries: who asked.
            sources: of each query's films; see `Recommendation.source`.
            listed: their films.
            stars: float32 [b, k] of these.
            explain: name reasons, where the films come from anything but popularity.
        """
        shown: list[list[Recommendation]] = []
        for row, (query, source) in enumerate(zip(queries, sources, strict=True)):
            filled = int((listed.items[row] != EMPTY_ITEM).sum())
            items = listed.items[row, :filled]
            reasons: list[tuple[Reason, ...]] = [()] * filled
            if explain and source != "popular":
                reasons = self._explainer.reasons(query, items, _REASONS)
            popular = listed.popular[row]
            shown.append(
                [
                    self.film(
                        int(item),
                        stars[row, place],
                        listed.scores[row, place],
                        "popular" if popular[place] else source,
                        () if popular[place] else reasons[place],
                    )
                    for place, item in enumerate(items)
                ]
            )
        return shown

    def film(
        self,
        item: int,
        stars: float | np.float32,
        score: float | np.float32,
        source: str,
        reasons: tuple[Reason, ...] = (),
    ) -> Recommendation:
        """One film, by its number."""
        return Recommendation(
            movie_id=self._catalog.ids[item],
            title=self._catalog.title(item),
            year=self._catalog.year(item),
            genres=self._catalog.genres(item),
            stars=round(float(stars), 4),
            score=round(float(score), 6),
            source=source,
            reasons=reasons,
        )
