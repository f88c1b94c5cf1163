"""Asking a retriever for lists, and refusing answers that would make the metrics lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.errors import DataError
from matinee.evaluation.matches import hits_of, tied_past
from matinee.types import EMPTY_ITEM, IntArray, Query, Retriever, TopK

# How far down a list metrics look.
LIST_LENGTH = 100
# Up to so many films the whole order is asked for, which the area under the curve needs.
MOST_ORDERED = 10_000


def lists_of(
    retriever: Retriever, users: IntArray, n_items: int, exclude: Sequence[IntArray]
) -> TopK:
    """Lists of all films where few enough, else so long that no tie group within them is cut.

    One place more than is measured shows whether the last one ties with what follows.
    """
    queries = [Query(user_index=int(user)) for user in users]
    if n_items <= MOST_ORDERED:
        listed = retriever.retrieve(queries, n_items, exclude)
        _check(listed, len(users), n_items, exclude, n_items)
        return listed
    length = LIST_LENGTH + 1
    listed = retriever.retrieve(queries, length, exclude)
    _check(listed, len(users), length, exclude, n_items)
    while len(tied := tied_past(listed.scores, listed.items, LIST_LENGTH)) and length < n_items:
        length = min(4 * length, n_items)
        again: list[int] = tied.tolist()
        longer = retriever.retrieve(
            [queries[row] for row in again], length, [exclude[row] for row in again]
        )
        wide = (len(users), length)
        items, scores = np.full(wide, EMPTY_ITEM, np.int32), np.full(wide, -np.inf, np.float32)
        items[:, : listed.items.shape[1]] = listed.items
        scores[:, : listed.scores.shape[1]] = listed.scores
        items[tied], scores[tied] = longer.items, longer.scores
        listed = TopK(items, scores)
    return listed


def _check(
    listed: TopK, users: int, length: int, exclude: Sequence[IntArray], n_items: int
) -> None:
    """Refuse what would make the metrics lie."""
    if listed.items.shape != (users, length):
        raise DataError(
            f"the retriever returned lists of shape {listed.items.shape} for {users} queries and "
            f"k = {length}; expected ({users}, {length})"
        )
    items, scores = listed.items[:, : LIST_LENGTH + 1], listed.scores[:, : LIST_LENGTH + 1]
    ordered = np.sort(items, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != EMPTY_ITEM)
    ascending = ~(scores[:, 1:] <= scores[:, :-1])
    for wrong, what in (
        (((items < EMPTY_ITEM) | (items >= n_items)), f"a film outside 0 … {n_items - 1}"),
        (twice, "a film twice"),
        (ascending, "scores that ascend or are no numbers"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong.any(axis=1)))
            raise DataError(
                f"the retriever's list number {row} holds {what} ({items[row, :5]} …, scores "
                f"{scores[row, :5]} …); expected each film once, best first; see `Retriever`"
            )
    if hits_of(items, exclude, n_items).any():
        raise DataError(
            "the retriever returned films that it was asked to exclude; expected none: what a user "
            "has seen would count as a miss; see `Retriever.retrieve`"
        )
