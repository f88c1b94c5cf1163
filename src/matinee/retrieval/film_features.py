"""What is known of a film before anybody has rated it, and what that says of its vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.data.features import genre_shares, title_words
from matinee.types import FloatArray

_YEARS = 5
# There are many of them, each in few titles.
_WORD_WEIGHT = 0.3
_RIDGE = 3.0


def film_features(catalog: Catalog) -> FloatArray:
    """Genres, years and words of the titles, float32 [n_items, f].

    A column for each genre, where a film with g of them has 1/√g; one for each span of five
    years; one for each word that titles share, at a weight of 0.3; and a last one of ones, which
    every film has.
    """
    words = np.float32(_WORD_WEIGHT) * title_words(catalog)
    ones = np.ones(len(catalog), np.float32)
    return np.column_stack([genres_and_years(catalog)[1], words, ones])


def genres_and_years(catalog: Catalog) -> tuple[tuple[str, ...], FloatArray]:
    """The first columns of `film_features`, and their names: "Drama", …, "1995-1999", …."""
    years = catalog.films["year"].to_numpy().astype(np.float64)
    spans = np.unique(years[~np.isnan(years)] // _YEARS)
    of_span = (years[:, None] // _YEARS == spans).astype(np.float32)
    first_years = (_YEARS * spans).astype(int).tolist()
    names = [f"{first}-{first + _YEARS - 1}" for first in first_years]
    return (*catalog.genre_names, *names), np.column_stack([genre_shares(catalog), of_span])


def fill_unrated(
    table: FloatArray, bias: FloatArray, features: FloatArray, counts: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Vectors and biases in which films that nobody rated have what their features let expect.

    The mean bias of the unrated films stays what it was, since training has learned how rarely
    they are chosen; features only tell them apart. See `expected`.

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
    learned: FloatArray = np.column_stack([table, bias])
    learned[~rated] = expected(learned, features, counts)
    learned[~rated, -1] += bias[~rated].mean() - learned[~rated, -1].mean()
    return np.ascontiguousarray(learned[:, :-1]), np.ascontiguousarray(learned[:, -1])


def expected(
    table: FloatArray, features: FloatArray, counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Rows of those without a rating, as the others' rows and their features let expect.

    Args:
        table: float32 [n, d], what was learned; some rows have ratings.
        features: float32 [n, f].
        counts: int64 [n], training ratings.

    Returns:
        float32 [m, d], of the m rows without a rating.
    """
    return features[counts == 0] @ of_features(table, features, counts)


def of_features(
    table: FloatArray, features: FloatArray, counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """What each feature lets expect of a row: float32 [f, d].

    Ridge regression of the rated ones' rows on their features, each weighted by the square root of
    its ratings: what much is known of is known well. The arguments are those of `expected`.
    """
    gram, weighted = _normal_equations(features, counts)
    solved: Any = np.linalg.solve(gram, weighted @ table[counts > 0])
    return np.asarray(solved, np.float32)


def projection(features: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """What is multiplied with a table for `of_features`: float32 [f, n]; few features only."""
    gram, weighted = _normal_equations(features, counts)
    whole = np.zeros((features.shape[1], len(features)), np.float32)
    whole[:, counts > 0] = np.linalg.solve(gram, weighted)
    return whole


def _normal_equations(
    features: FloatArray, counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ridge regression's matrix [f, f], and the weighted features of the m rated [f, m]."""
    rated = counts > 0
    weight = np.sqrt(counts[rated])[:, None]
    weight /= weight.mean()
    known = features[rated].astype(np.float64)
    weighted: NDArray[np.float64] = (weight * known).T
    return weighted @ known + _RIDGE * np.eye(known.shape[1]), weighted
