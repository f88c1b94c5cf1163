"""The lists of one shard of users, as whoever works on it makes them."""

from __future__ import annotations

import numpy as np

from matinee import interrupts
from matinee.index.blocks import blas_on_one_thread
from matinee.recommender import Recommender
from matinee.types import IntArray, Query, TopK

# Users whose lists are made at once: this bounds the memory of models that read whole histories.
_BLOCK_USERS = 4096


# Threads of BLAS add up in another order, and lists should be the same wherever they are made.
@blas_on_one_thread()
def lists_of(model: tuple[Recommender, int], users: IntArray) -> TopK:
    """The lists that some users see, in the recommender's own order, with the first stage's scores.

    Args:
        model: the recommender, and how many films a list has.
        users: int32 [m], their numbers; at least one.
    """
    recommender, k = model
    parts: list[TopK] = []
    for first in range(0, len(users), _BLOCK_USERS):
        interrupts.check()
        block = users[first : first + _BLOCK_USERS]
        queries = [Query(user) for user in block.tolist()]
        listed = recommender.listed(queries, k, recommender.left_out_of_users(block))
        parts.append(TopK(listed.items, listed.scores))
    return TopK(
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )
