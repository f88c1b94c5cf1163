"""One evaluator for every model: it knows what a `Retriever` and a `Ranker` return, no more."""

from __future__ import annotations

import numpy as np

from matinee.console import progress_bar
from matinee.data.ratings import Ratings
from matinee.evaluation import metrics
from matinee.types import EMPTY_ITEM, IntArray, Query, Ranker, Retriever

_BLOCK_USERS = 1024
# A ranker holds a hidden layer for each pair, so it gets fewer users at a time.
_BLOCK_RANKED_USERS = 64
_LIST_LENGTH = 100


def evaluate_retriever(retriever: Retriever, seen: Ratings, test: Ratings) -> dict[str, float]:
    """How well the lists of a retriever hold what users did rate later or elsewhere.

    Every film of the catalogue is a candidate, but those that the user has in `seen`. Users
    without a test rating are left out; each of the others counts the same.

    Args:
        retriever: whatever has `retrieve`.
        seen: the ratings the model may know; left out of the lists.
        test: the ratings to find; every one counts as relevant, whatever its stars.

    Returns:
        `ndcg@10`, `hr@10`, `precision@10`, `mrr@10`, `recall@10`, `recall@20`, `recall@100`, and
        `users`, how many they are the mean of.
    """
    history, truth = seen.items_by_user(), test.items_by_user()
    users = [user for user, items in enumerate(truth) if len(items)]
    if not users:
        return {"users": 0.0}
    length = min(_LIST_LENGTH, len(test.items))
    parts: list[IntArray] = []
    with progress_bar("Evaluating lists", len(users), "users") as advance:
        for first in range(0, len(users), _BLOCK_USERS):
            block = users[first : first + _BLOCK_USERS]
            queries = [Query(user_index=user) for user in block]
            exclude = [history[user] for user in block]
            parts.append(retriever.retrieve(queries, length, exclude).items)
            advance(first + len(block))
    relevant = [truth[user] for user in users]
    hits = metrics.hits_of(np.concatenate(parts), relevant, len(test.items))
    counts = np.array([len(items) for items in relevant])
    values = {
        "ndcg@10": metrics.ndcg(hits, counts, 10),
        "hr@10": metrics.hit_rate(hits, 10),
        "precision@10": metrics.precision(hits, 10),
        "mrr@10": metrics.reciprocal_rank(hits, 10),
        **{f"recall@{k}": metrics.recall(hits, counts, k) for k in (10, 20, 100)},
    }
    return {name: float(value.mean()) for name, value in values.items()} | {
        "users": float(len(users))
    }


def evaluate_ranker(ranker: Ranker, test: Ratings) -> dict[str, float]:
    """How near a ranker's predicted stars are to those given.

    Args:
        ranker: whatever has `predict`.
        test: the ratings to predict.

    Returns:
        `rmse` and `mae` over all test ratings, and `ratings`, how many there are.
    """
    if not len(test):
        return {"ratings": 0.0}
    rows, offsets = test.by_user()
    counts = np.diff(offsets)
    # Users with as many ratings share a block, so that hardly any of it is padding.
    users = np.argsort(counts, kind="stable")[int((counts == 0).sum()) :]
    predicted = np.empty(len(test), np.float32)
    with progress_bar("Evaluating stars", len(test), "ratings") as advance:
        done = 0
        for first in range(0, len(users), _BLOCK_RANKED_USERS):
            block = users[first : first + _BLOCK_RANKED_USERS]
            own = [rows[offsets[user] : offsets[user + 1]] for user in block]
            items = np.full((len(block), int(counts[block].max())), EMPTY_ITEM, np.int32)
            for place, ratings in enumerate(own):
                items[place, : len(ratings)] = test.item_index[ratings]
            stars = ranker.predict([Query(user_index=int(user)) for user in block], items)
            for place, ratings in enumerate(own):
                predicted[ratings] = stars[place, : len(ratings)]
            done += int(counts[block].sum())
            advance(done)
    return {
        "rmse": metrics.rmse(predicted, test.rating),
        "mae": metrics.mae(predicted, test.rating),
        "ratings": float(len(test)),
    }
