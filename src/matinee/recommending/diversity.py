"""Lists of films that are less alike: maximal marginal relevance (Carbonell & Goldstein 1998)."""

from __future__ import annotations

import numpy as np

from matinee.config import is_number, require
from matinee.data.catalog import Catalog
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, TopK

# Numbers in the candidates' vectors of one block of lists: 16 MiB.
_BLOCK_FLOATS = 1 << 22
_LAST = np.float32(-1e30)


def check_diversity(diversity: float) -> None:
    """Refuse a diversity outside 0 … 1."""
    fits = is_number(diversity) and 0 <= diversity <= 1
    require(fits, "diversity", diversity, "a number from 0 to 1")


def diversified(candidates: TopK, directions: FloatArray, k: int, diversity: float) -> IntArray:
    """Pick k films of each list, one after the other: good ones unlike those before them.

    The next film is the one with the largest

        (1 - diversity) · relevance - diversity · (greatest likeness to a film before it)

    where relevance is the score brought to 0 … 1 within the list's candidates and likeness the
    inner product of directions. Whatever `diversity` is, the first film is the best one, and a
    longer list begins with the shorter one.

    Args:
        candidates: b lists of c films, best first.
        directions: float32 [n_items, d], the films' vectors at length 1.
        k: at most c.
        diversity: 0 keeps the candidates' order, 1 looks at likeness alone.

    Returns:
        int32 [b, k]; empty places at the end where a list has fewer films.
    """
    items = np.empty((len(candidates.items), k), np.int32)
    step = max(1, _BLOCK_FLOATS // max(1, candidates.items.shape[1] * directions.shape[1]))
    for first in range(0, len(items), step):
        rows = slice(first, first + step)
        relevance = np.float32(1 - diversity) * _relevance(candidates.scores[rows])
        # Behind every film, but before those that are picked already.
        relevance[candidates.items[rows] == EMPTY_ITEM] = _LAST
        places = _greedy(relevance, directions[candidates.items[rows]], k, diversity)
        items[rows] = np.take_along_axis(candidates.items[rows], places, axis=1)
    return items


def genre_directions(catalog: Catalog) -> FloatArray:
    """The films' genres as vectors of length 1, float32 [n_items, n_genres]; 0 without a genre.

    For a model that has no vectors of its own.
    """
    marks = catalog.genre_marks
    lengths = np.maximum(np.linalg.norm(marks, axis=1, keepdims=True), 1)
    return (marks / lengths).astype(np.float32)


def _greedy(relevance: FloatArray, vectors: FloatArray, k: int, diversity: float) -> IntArray:
    """The places int32 [b, k] of the films picked; relevance [b, c] is spent on the way."""
    rows = np.arange(len(relevance))
    places = np.empty((len(relevance), k), np.int32)
    # Before the first film nothing is like anything before it.
    likest = np.zeros(relevance.shape, np.float32)
    for place in range(k):
        chosen = np.argmax(relevance - np.float32(diversity) * likest, axis=1)
        places[:, place] = chosen
        relevance[rows, chosen] = -np.inf
        likeness = np.matmul(vectors, vectors[rows, chosen][:, :, None])[:, :, 0]
        likest = likeness if not place else np.maximum(likest, likeness)
    return places


def _relevance(scores: FloatArray) -> FloatArray:
    """Scores [b, c] brought to 0 … 1 in each row."""
    low = np.where(np.isfinite(scores), scores, np.inf).min(axis=1, keepdims=True)
    span = scores[:, :1] - low
    scaled = (scores - np.where(np.isfinite(low), low, 0)) / np.where(span > 0, span, 1)
    return np.maximum(scaled, 0)
