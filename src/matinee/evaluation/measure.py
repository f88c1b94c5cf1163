"""Measuring a model on a split: it knows what a `Retriever` and a `Ranker` return, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.console import progress_bar
from matinee.data.ratings import Ratings
from matinee.errors import DataError
from matinee.evaluation import lists as of_lists
from matinee.evaluation import metrics
from matinee.evaluation.answers import LIST_LENGTH, MOST_ORDERED, lists_of
from matinee.evaluation.matches import Matches, hits_of, sum_by
from matinee.evaluation.tallies import Measured, Tally
from matinee.types import EMPTY_ITEM, FloatArray, IntArray, Query, Ranker, Retriever

# The cut-offs of the curve of recall.
CURVE = (1, 2, 5, 10, 20, 50, LIST_LENGTH)
# How many films of a list somebody looks at.
SHOWN = 10
# A ranker holds a hidden layer for each pair, so it gets fewer users at a time.
_BLOCK_RANKED_USERS = 64


def measure_retriever(
    retriever: Retriever,
    seen: Sequence[IntArray],
    train: Ratings,
    test: Ratings,
    features: FloatArray | None = None,
) -> Measured:
    """How well a retriever's lists hold what users did rate later or elsewhere.

    Every film of the catalogue is a candidate, but those that the user has seen. Users without a
    test rating are left out; each of the others counts the same.

    Args:
        retriever: whatever has `retrieve`.
        seen: per user, int32 item numbers to leave out of the lists.
        train: what the popularity of films is counted in.
        test: the ratings to find; every one counts as relevant, whatever its stars.
        features: float32 [n_items, f], what the diversity of a list is measured by; None leaves
            diversity out.

    Raises:
        DataError: an answer that no retriever may give: another size, a film that was excluded or
            stands there twice, scores that ascend or are no numbers.
    """
    n_items, n_users = len(test.items), len(test.users)
    truth = test.items_by_user()
    users = np.flatnonzero([len(films) for films in truth]).astype(np.int32)
    sums = _UserSums(n_users)
    shown = np.full((n_users, min(SHOWN, n_items)), EMPTY_ITEM, np.int32)
    found = np.zeros(n_items, np.int64)
    share = train.item_counts() / max(n_users, 1)
    done = 0
    with progress_bar("Evaluating lists", len(users), "users") as advance:
        for block, listed in lists_of(retriever, users, n_items, seen):
            own: list[IntArray] = [truth[user] for user in block.tolist()]
            hits = hits_of(listed.items, own, n_items)
            relevant = np.array([len(films) for films in own])
            if (hits.sum(axis=1) > relevant).any():
                raise DataError("the retriever's lists hold a film twice; expected each film once")
            matches = Matches.of(hits, listed.scores, relevant)
            sums.add(block, _of_matches(matches))
            if n_items <= MOST_ORDERED:
                out: list[IntArray] = [seen[user] for user in block.tolist()]
                eligible = n_items - np.array([len(films) for films in out])
                sums.add(block, {"auc": metrics.auc(matches, eligible)})
            top = listed.items[:, : shown.shape[1]]
            sums.add(block, _of_lists(top, share, n_users, features))
            shown[block] = top
            found += np.bincount(top[hits[:, : top.shape[1]]], minlength=n_items)
            done += len(block)
            advance(done)
    return Measured(sums.tallies(), (shown,), found, test.item_counts())


def measure_ranker(ranker: Ranker, test: Ratings) -> Measured:
    """How near a ranker's predicted stars are to those given: `rmse` and `mae`, by rating.

    Args:
        ranker: whatever has `predict`.
        test: the ratings to predict.

    Raises:
        DataError: a prediction that is no number.
    """
    predicted = predict_all(ranker, test)
    if not np.isfinite(predicted).all():
        row = int(np.argmin(np.isfinite(predicted)))
        raise DataError(
            f"the model predicts {predicted[row]} stars for user "
            f"{test.users.id(int(test.user_index[row]))} and film "
            f"{test.items.id(int(test.item_index[row]))}; expected finite numbers; train it again"
        )
    size = len(test.users)
    weight = sum_by(test.user_index, np.ones(len(test)), size)
    errors = (
        ("rmse", metrics.squared_errors(predicted, test.rating), True),
        ("mae", metrics.absolute_errors(predicted, test.rating), False),
    )
    return Measured(
        {
            name: Tally(sum_by(test.user_index, values, size), weight, root)
            for name, values, root in errors
        }
    )


def predict_all(ranker: Ranker, test: Ratings) -> FloatArray:
    """The predicted stars of every rating, float32 [n]; the model is told when it was given."""
    rows, offsets = test.by_user()
    counts = np.diff(offsets)
    # Users with as many ratings share a block, so that hardly any of it is padding.
    users = np.argsort(counts, kind="stable")[int((counts == 0).sum()) :]
    predicted = np.empty(len(test), np.float32)
    done = 0
    with progress_bar("Evaluating stars", len(test), "ratings") as advance:
        for first in range(0, len(users), _BLOCK_RANKED_USERS):
            block = users[first : first + _BLOCK_RANKED_USERS]
            own = [rows[offsets[user] : offsets[user + 1]] for user in block]
            items = np.full((len(block), int(counts[block].max())), EMPTY_ITEM, np.int32)
            for place, ratings in enumerate(own):
                items[place, : len(ratings)] = test.item_index[ratings]
            queries = [
                Query(user_index=int(user), time=_times(test, ratings, items.shape[1]))
                for user, ratings in zip(block, own, strict=True)
            ]
            stars = ranker.predict(queries, items)
            if stars.shape != items.shape:
                raise DataError(
                    f"the ranker returned stars of shape {stars.shape} for items of shape "
                    f"{items.shape}; expected the same shape; see `Ranker.predict`"
                )
            for place, ratings in enumerate(own):
                predicted[ratings] = stars[place, : len(ratings)]
            done += int(counts[block].sum())
            advance(done)
    return predicted


def _times(test: Ratings, rows: NDArray[np.int64], width: int) -> NDArray[np.int64] | None:
    """When each of some ratings was given, int64 [width], the last time again in empty slots."""
    if test.timestamp is None:
        return None
    times = test.timestamp[rows]
    return np.pad(times, (0, width - len(times)), mode="edge")


class _UserSums:
    """Collects metrics block by block."""

    def __init__(self, n_users: int) -> None:
        self._n_users = n_users
        self._sums: dict[str, Tally] = {}

    def add(self, users: IntArray, values: dict[str, NDArray[np.float64]]) -> None:
        """Values float64 [b] of some users; NaN is a user of whom the metric says nothing."""
        for name, column in values.items():
            if name not in self._sums:
                self._sums[name] = Tally(np.zeros(self._n_users), np.zeros(self._n_users))
            known = np.isfinite(column)
            self._sums[name].total[users[known]] = column[known]
            self._sums[name].weight[users[known]] = 1.0

    def tallies(self) -> dict[str, Tally]:
        """The tallies of all blocks."""
        return self._sums


def _of_matches(matches: Matches) -> dict[str, NDArray[np.float64]]:
    return {
        "ndcg@10": metrics.ndcg(matches, 10),
        "ndcg@100": metrics.ndcg(matches, 100),
        "hr@10": metrics.hit_rate(matches, 10),
        "precision@10": metrics.precision(matches, 10),
        "mrr@10": metrics.reciprocal_rank(matches, 10),
        "map@10": metrics.average_precision(matches, 10),
        **{f"recall@{k}": metrics.recall(matches, k) for k in CURVE},
    }


def _of_lists(
    items: IntArray, share: NDArray[np.float64], n_users: int, features: FloatArray | None
) -> dict[str, NDArray[np.float64]]:
    values = {
        f"popularity@{SHOWN}": of_lists.average_popularity(items, share),
        f"novelty@{SHOWN}": of_lists.novelty(items, share, n_users),
    }
    if features is not None:
        values[f"diversity@{SHOWN}"] = of_lists.intra_list_diversity(items, features)
    return values
