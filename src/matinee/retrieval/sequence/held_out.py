"""Films held out of training, to see after each epoch whether the model still gets better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matinee.data.ratings import Ratings
from matinee.types import IntArray, Query, Retriever

# More users would tell it more exactly, and take as long as a good part of an epoch.
_MOST_USERS = 3_000
_K = 10


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The newest film of some users.

    Attributes:
        known: the ratings without them.
        users: int32 [m].
        targets: int32 [m], the film of each that is held out.
    """

    known: Ratings
    users: IntArray
    targets: IntArray

    def ndcg(self, retriever: Retriever) -> float:
        """NDCG@10 of the films held out, those known left out of the lists.

        With one film to find, that is the mean of 1 / log₂(place + 1), or 0 past the tenth.
        """
        seen = self.known.items_by_user()
        users: list[int] = self.users.tolist()
        queries = [Query(user) for user in users]
        found = retriever.retrieve(queries, _K, [seen[user] for user in users])
        hits, places = np.nonzero(found.items == self.targets[:, None])
        return float((1 / np.log2(places + 2)).sum() / len(users)) if len(hits) else 0.0


def hold_out(train: Ratings, relevant_from: float | None, seed: int) -> HeldOut | None:
    """Hold out the newest film of users who have two others; None if there is no such user.

    So whoever gives a film away still has one to predict from another.

    Args:
        train: the ratings.
        relevant_from: stars that the film must have, or None for any.
        seed: of the choice of users, where there are many.
    """
    rows, offsets = train.by_user()
    last = rows[offsets[1:][np.diff(offsets) > 2] - 1]
    if relevant_from is not None:
        last = last[train.rating[last] >= relevant_from]
    if not len(last):
        return None
    last = np.sort(np.random.default_rng(seed).permutation(last)[:_MOST_USERS])
    kept = np.ones(len(train), np.bool_)
    kept[last] = False
    return HeldOut(train.take(kept), train.user_index[last], train.item_index[last])
