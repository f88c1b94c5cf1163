"""What is known of users and films beside who rated what, as columns of numbers."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.types import FloatArray

# Numbers with more distinct values than this are cut into as many groups of about one size.
_GROUPS = 12
# Of a text column the most frequent values count; a rare one says nothing of its own.
_MOST_VALUES = 64
_WORD = re.compile(r"\w+")
# A word of a single title has nothing to tell of another, one of every fiftieth hardly anything.
_LEAST_TITLES = 2
_MOST_TITLES = 1 / 50
_MOST_WORDS = 4096


def user_marks(ratings: Ratings) -> FloatArray:
    """Float32 [n_users, f]: a column of 0 and 1 for each value of each of the users' features."""
    table = ratings.user_features
    columns = [] if table is None else [indicators(table[name]) for name in table.columns]
    return np.concatenate([np.zeros((len(ratings.users), 0), np.float32), *columns], axis=1)


def genre_shares(catalog: Catalog) -> FloatArray:
    """Float32 [n_items, n_genres]: a film of g genres has 1/√g in the column of each."""
    marks = catalog.genre_marks
    return (marks / np.sqrt(np.maximum(marks.sum(axis=1, keepdims=True), 1))).astype(np.float32)


def title_words(catalog: Catalog) -> FloatArray:
    """Float32 [n_items, w]: a column of 0 and 1 for each word that some titles share.

    "Star Trek", "Batman", "Part": what is in one title alone, or in every fiftieth ("the"), has
    no column; past 4,096 words the most frequent have one.
    """
    titles = [set(_WORD.findall(title.lower())) for title in catalog.films["title"]]
    counts = Counter(word for words in titles for word in words)
    most = max(len(titles) * _MOST_TITLES, _LEAST_TITLES)
    shared = [(-n, word) for word, n in counts.items() if _LEAST_TITLES <= n <= most]
    column = {word: place for place, (_, word) in enumerate(sorted(shared)[:_MOST_WORDS])}
    marks = np.zeros((len(titles), len(column)), np.float32)
    for film, words in enumerate(titles):
        marks[film, [column[word] for word in words if word in column]] = 1
    return marks


def indicators(column: pl.Series) -> FloatArray:
    """Float32 [n, v]: a column of 0 and 1 for each value or group of values; a null has none."""
    if column.dtype.is_numeric() and column.n_unique() > _GROUPS:
        edges = [column.quantile(part / _GROUPS) for part in range(1, _GROUPS)]
        inner = np.unique(np.array(edges, np.float64))
        numbers = column.cast(pl.Float64).to_numpy()
        column = pl.Series(np.searchsorted(inner, numbers)).set(column.is_null(), None)
    text = column.cast(pl.String)
    counts = text.drop_nulls().value_counts(sort=True)
    values = sorted(counts[counts.columns[0]].head(_MOST_VALUES).to_list())
    marks: list[NDArray[np.bool_]] = [
        (text == value).fill_null(value=False).to_numpy() for value in values
    ]
    if not marks:
        return np.zeros((len(column), 0), np.float32)
    return np.stack(marks, axis=1).astype(np.float32)
