"""What is known of a film before anybody has rated it, and what that says of its vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.types import FloatArray

_YEARS = 5
_RIDGE = 3.0


def film_features(catalog: Catalog) -> FloatArray:
    """Genres and years, float32 [n_items, f].

    A column for each genre, where a film with g of them has 1/√g; one for each span of five
    years; and a last one of ones, which every film has.
    """
    films = range(len(catalog))
    genres = [catalog.genres(film) for film in films]
    years = [catalog.year(film) for film in films]
    spans = [None if year is None else year // _YEARS for year in years]
    names: list[str | int] = sorted({name for own in genres for name in own})
    names += sorted({span for span in spans if span is not None})
    column = {name: place for place, name in enumerate(names)}
    features = np.zeros((len(catalog), len(names) + 1), np.float32)
    features[:, -1] = 1
    for film, (own, span) in enumerate(zip(genres, spans, strict=True)):
        if own:
            features[film, [column[name] for name in own]] = len(own) ** -0.5
        if span is not None:
            features[film, column[span]] = 1
    return features


def fill_unrated(
    table: FloatArray, bias: FloatArray, features: FloatArray, counts: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Vectors and biases in which films that nobody rated have what their features let expect.

    Ridge regression of the rated films' rows on their features, each weighted by the square root
    of its ratings: what much is known of is known well. The mean bias of the unrated films
    stays what it was, since training has learned how rarely they are chosen; features only tell
    them apart.

    Args:
        table: float32 [n_items, d], what was learned of the films.
        bias: float32 [n_items], likewise.
        features: float32 [n_items, f]; see `film_features`.
        counts: int64 [n_items], training ratings of each film.

    Returns:
        Like `table` and `bias`; the rows of rated films are as they were.
    """
    rated = counts > 0
    if rated.all() or not rated.any():
        return table, bias
    weight = np.sqrt(counts[rated])[:, None]
    weight /= weight.mean()
    known = features[rated].astype(np.float64)
    learned: FloatArray = np.column_stack([table, bias])
    gram: NDArray[np.float64] = (weight * known).T @ known + _RIDGE * np.eye(known.shape[1])
    seen: NDArray[np.float64] = (weight * known).T @ learned[rated]
    solved: Any = np.linalg.solve(gram, seen)
    learned[~rated] = features[~rated] @ np.asarray(solved, np.float32)
    learned[~rated, -1] += bias[~rated].mean() - learned[~rated, -1].mean()
    return np.ascontiguousarray(learned[:, :-1]), np.ascontiguousarray(learned[:, -1])
