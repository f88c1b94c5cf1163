"""Who works on the shards: this process, or whatever else maps users to lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from matinee import interrupts
from matinee.recommender import Recommender
from matinee.types import IntArray, Query, TopK

# Users whose lists are made at once: this bounds the memory of models that read whole histories.
_BLOCK_USERS = 4096


class Engine(Protocol):
    """Makes the lists of shards of users."""

    def lists(
        self, recommender: Recommender, shards: Mapping[int, IntArray], k: int
    ) -> Iterator[tuple[int, TopK]]:
        """The lists of each shard, by its number, in any order.

        Args:
            recommender: the model.
            shards: user numbers int32 [m] by the shard's number.
            k: films a list.
        """
        ...


class LocalEngine:
    """One shard after the other in this process, on all its threads."""

    def lists(
        self, recommender: Recommender, shards: Mapping[int, IntArray], k: int
    ) -> Iterator[tuple[int, TopK]]:
        """See `Engine.lists`."""
        for number, users in shards.items():
            yield number, lists_of(recommender, users, k)


def lists_of(recommender: Recommender, users: IntArray, k: int) -> TopK:
    """The lists that some users see, in the recommender's own order, with the first stage's scores.

    Args:
        recommender: the model.
        users: int32 [m], their numbers; at least one.
        k: films a list.
    """
    parts: list[TopK] = []
    for first in range(0, len(users), _BLOCK_USERS):
        interrupts.check()
        queries = [Query(user) for user in users[first : first + _BLOCK_USERS].tolist()]
        left_out = [recommender.left_out(query) for query in queries]
        listed = recommender.listed(queries, k, left_out)
        parts.append(TopK(listed.items, listed.scores))
    return TopK(
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )
