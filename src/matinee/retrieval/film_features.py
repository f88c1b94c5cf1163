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
    genres = catalog.genre_marks
    share = genres / np.sqrt(np.maximum(genres.sum(axis=1, keepdims=True), 1))
    years = catalog.films["year"].to_numpy().astype(np.float64)
    spans = np.unique(years[~np.isnan(years)] // _YEARS)
    of_span = years[:, None] // _YEARS == spans
    return np.column_stack([share, of_span, np.ones(len(catalog))]).astype(np.float32)


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
