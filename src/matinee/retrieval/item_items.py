"""What one film in a history says of each other film: EASE, and what is rated close in time.

EASE (see `fit_ease`) rebuilds the films of each user from one another. Here it knows, too, what
films and users are: films' features stand as further rows, as if so many more people had rated all
films of a genre (Jeunen, Van Balen & Goethals 2020, "Closed-form models for collaborative filtering
with side-information"), and users' as further columns, for what somebody's age, gender and
occupation say of each film beside their history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.features import user_marks
from matinee.data.ratings import Ratings
from matinee.retrieval.ease import solved, together
from matinee.retrieval.histories import Csr, Histories
from matinee.types import FloatArray

# How many ratings before and after one are near, and how fast nearness falls with their number.
_NEAR, _DECAY = 8, 2.0
_NEAR_L2 = 100.0
_BLOCK_FILMS = 512
_SAMPLE_USERS = 1000
_ROUNDS, _SPARE = 4, 16


@dataclass(frozen=True)
class ItemItemSettings:
    """How the table is made.

    Attributes:
        ease_l2: see `EaseConfig`.
        film_weight: of a film's features, beside one rating of it.
        user_weight: of a user's features, likewise.
        nearby_weight: of the films rated shortly before and after, at EASE's spread of scores; it
            counts only where ratings have times.
    """

    ease_l2: float
    film_weight: float
    user_weight: float
    nearby_weight: float


@dataclass(frozen=True, eq=False)
class ItemItems:
    """A linear model of films: scores = history · films + marks · sides.

    Attributes:
        films: float32 [n_items, n_items]; row i is what film i in a history says of each.
        sides: float32 [m, n_items], what each mark of a user says.
        marks: float32 [n_users + 1, m], each user's marks, and the average of those with ratings.
    """

    films: FloatArray
    sides: FloatArray
    marks: FloatArray


def item_items(
    train: Ratings, features: FloatArray | None, settings: ItemItemSettings
) -> ItemItems:
    """Solve for what films, and the marks of users, say of each film.

    Args:
        train: the ratings; their stars are not looked at.
        features: float32 [n_items, f] of the films; None where nothing is known of them.
        settings: how.
    """
    size = len(train.items)
    histories: Csr = Histories(train).matrix
    marks = _marks(train, settings.user_weight)
    gram = _gram(train, histories, marks[:-1])
    if features is not None:
        _count_features(gram, np.float32(math.sqrt(settings.film_weight)) * features)
    weights = solved(gram, settings.ease_l2)
    films, sides = weights[:size, :size].copy(), weights[size:, :size].copy()
    # What comes next takes as much memory again.
    del gram, weights
    found = ItemItems(films, sides, marks)
    if train.timestamp is None or not settings.nearby_weight:
        return found
    near = nearby(train)
    rated = np.flatnonzero(np.diff(histories.indptr))[:_SAMPLE_USERS]
    sample, own = histories[rated], marks[rated]
    unseen = sample.toarray() == 0
    scores = (sample @ films + own @ sides, sample @ near)
    spread, other = (float(table[unseen].std()) if unseen.any() else 0.0 for table in scores)
    if other > 0:
        films += np.float32(settings.nearby_weight * spread / other) * near
    return found


def _marks(train: Ratings, weight: float) -> FloatArray:
    """Each user's marks, a constant among them, at the length √weight; last, their average."""
    known = user_marks(train)
    marks = np.concatenate([np.ones((len(known), 1), np.float32), known], axis=1)
    marks *= np.sqrt(weight / marks.sum(axis=1, keepdims=True))
    rated = np.bincount(train.user_index, minlength=len(known)) > 0
    average = marks[rated].mean(axis=0) if rated.any() else marks.mean(axis=0)
    return np.vstack([marks, average])


def _gram(train: Ratings, histories: Csr, marks: FloatArray) -> NDArray[np.float64]:
    """Inner products of the columns of films, then of marks, over the users."""
    size, count = len(train.items), marks.shape[1]
    gram = np.empty((size + count, size + count))
    gram[:size, :size] = together(train)
    rated = marks * (np.diff(histories.indptr)[:-1, None] > 0)
    gram[:size, size:] = histories[:-1].T @ rated
    gram[size:, :size] = gram[:size, size:].T
    gram[size:, size:] = rated.T @ rated
    return gram


def _count_features(gram: NDArray[np.float64], features: FloatArray) -> None:
    """Let the columns of films have their features as further rows."""
    size = len(features)
    for first in range(0, size, _BLOCK_FILMS):
        rows = slice(first, min(first + _BLOCK_FILMS, size))
        gram[rows, :size] += features[rows] @ features.T


def nearby(train: Ratings) -> FloatArray:
    """Weights float32 [n_items, n_items] that predict a film from those rated around it.

    Ridge regression of each rating's film, as a row of zeros and a one, on the films rated by the
    same user within eight places of it, each weighed by exp(-places / 2). People rate in sittings,
    and what stands together in a sitting is more alike than what stands in the same history.
    """
    size = len(train.items)
    rows, _ = train.by_user()
    users, films = train.user_index[rows], train.item_index[rows]
    shape = (len(films), size)
    context: Csr = sparse.csr_matrix(shape, dtype=np.float64)
    for step in range(1, _NEAR + 1):
        together = np.flatnonzero(users[step:] == users[:-step])
        weight = np.full(len(together), np.exp(-(step - 1) / _DECAY))
        for target, source in ((together, together + step), (together + step, together)):
            cells = (weight, (target, films[source]))
            context = context + sparse.csr_matrix(cells, shape=shape)
    wanted: Csr = sparse.csr_matrix(
        (np.ones(len(films)), (np.arange(len(films)), films)), shape=shape
    )
    gram: NDArray[np.float64] = (context.T @ context).toarray()
    gram[np.diag_indices(size)] += _NEAR_L2
    seen: NDArray[np.float64] = (context.T @ wanted).toarray()
    solved: Any = np.linalg.solve(gram, seen)
    table = np.asarray(solved, np.float32)
    np.fill_diagonal(table, 0.0)
    return table


def factorized(table: FloatArray, rank: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Two float32 [m, rank] and [n, rank] whose product a @ b.T is nearly the best of that rank.

    Randomized subspace iteration (Halko, Martinsson & Tropp 2011).
    """
    width = min(rank + _SPARE, *table.shape)
    basis = np.random.default_rng(seed).standard_normal((table.shape[1], width), dtype=np.float32)
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(table.T @ (table @ basis))[0]
    left, strengths, inner = np.linalg.svd(table @ basis, full_matrices=False)
    roots = np.sqrt(strengths[:rank])
    return (
        np.ascontiguousarray(left[:, :rank] * roots),
        np.ascontiguousarray(basis @ (inner[:rank].T * roots)),
    )
