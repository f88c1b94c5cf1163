"""Asking a retriever for lists, and refusing answers that would make the metrics lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from matinee.errors import DataError
from matinee.evaluation.matches import hits_of, tied_past
from matinee.types import EMPTY_ITEM, IntArray, Query, Retriever, TopK

# How far down a list metrics look.
LIST_LENGTH = 100
# Up to so many films the whole order is asked for, which the area under the curve needs.
MOST_ORDERED = 10_000
# How much longer the next lists are where a tie goes on past the end.
_LONGER = 16
_BLOCK_USERS = 1024
# Places of the lists held at a time: 32 MiB of items and scores.
_BLOCK_PLACES = 1 << 22


def lists_of(
    retriever: Retriever,
    users: IntArray,
    n_items: int,
    seen: Sequence[IntArray],
    length: int = LIST_LENGTH + 1,
) -> Iterator[tuple[IntArray, TopK]]:
    """Lists of all films where few enough, else so long that no tie group within them is cut.

    One place more than is measured shows whether the last one ties with what follows. Then longer
    lists are asked for, for fewer users at a time.

    Args:
        retriever: whatever has `retrieve`.
        users: int32 [n], who is asked for.
        n_items: how many films there are.
        seen: by user number, the films to leave out.
        length: of the lists, to begin with.

    Yields:
        Some of the users, int32 [b], and their lists; each user comes once.

    Raises:
        DataError: an answer that no retriever may give; see `measure_retriever`.
    """
    length = n_items if n_items <= MOST_ORDERED else min(length, n_items)
    step = min(_BLOCK_USERS, max(1, _BLOCK_PLACES // length))
    for first in range(0, len(users), step):
        block = users[first : first + step]
        exclude: list[IntArray] = [seen[user] for user in block.tolist()]
        queries = [Query(user_index=user) for user in block.tolist()]
        listed = retriever.retrieve(queries, length, exclude)
        _check(listed, len(block), length, exclude, n_items)
        open_ended = np.zeros(len(block), np.bool_)
        if length < n_items:
            open_ended[tied_past(listed.scores, listed.items, LIST_LENGTH)] = True
        if not open_ended.all():
            yield block[~open_ended], TopK(listed.items[~open_ended], listed.scores[~open_ended])
        if open_ended.any():
            yield from lists_of(retriever, block[open_ended], n_items, seen, _LONGER * length)


def _check(
    listed: TopK, users: int, length: int, exclude: Sequence[IntArray], n_items: int
) -> None:
    """Refuse what would make the metrics lie."""
    if listed.items.shape != (users, length):
        raise DataError(
            f"the retriever returned lists of shape {listed.items.shape} for {users} queries and "
            f"k = {length}; expected ({users}, {length})"
        )
    items, scores = listed.items, listed.scores
    # In the rest of a whole order a film that stands there twice is found among the hits.
    ordered = np.sort(items[:, : LIST_LENGTH + 1], axis=1)
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
    if hits_of(items[:, : LIST_LENGTH + 1], exclude, n_items).any():
        raise DataError(
            "the retriever returned films that it was asked to exclude; expected none: what a user "
            "has seen would count as a miss; see `Retriever.retrieve`"
        )
