"""How films would be rated, and how sure that is."""

from __future__ import annotations

import numpy as np

from matinee.data.catalog import Catalog
from matinee.ranking.distribution import chance_of, spread
from matinee.types import IntArray, Outlook, PredictsDistribution, Query, SecondStage

# Of the scale: from there on a film is liked.
_LIKED = 0.75


def outlooks(
    catalog: Catalog,
    ranker: SecondStage,
    query: Query,
    items: IntArray,
    scale: tuple[float, float],
) -> list[Outlook]:
    """What a ranker expects of the films `items` int32 [k]; k outlooks."""
    stars = ranker.predict([query], items[None])[0]
    spreads: list[float | None] = [None] * len(items)
    liked = list(spreads)
    if isinstance(ranker, PredictsDistribution):
        chances, levels = ranker.distribution([query], items[None])[0], ranker.levels
        low, high = scale
        spreads = [round(float(value), 4) for value in spread(levels, chances)]
        likes = chance_of(levels, chances, low + _LIKED * (high - low))
        liked = [round(float(value), 4) for value in np.clip(likes, 0, 1)]
    return [
        Outlook(catalog.items.id(n), catalog.title(n), round(float(value), 4), unsure, chance)
        for n, value, unsure, chance in zip(items.tolist(), stars, spreads, liked, strict=True)
    ]
