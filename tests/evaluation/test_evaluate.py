"""The evaluator against retrievers and rankers whose worth is known."""

from itertools import pairwise

import numpy as np
import pytest

import matinee as mt
from matinee.evaluation import evaluate as module

METRICS = ["ndcg@10", "hr@10", "precision@10", "mrr@10", "recall@10", "recall@20", "recall@100"]


class ByScore:
    """Retrieves by a table of scores [users, films]."""

    def __init__(self, scores):
        self.scores = scores.astype(np.float32)
        self.asked = []

    def retrieve(self, queries, k, exclude=None, allow=None):
        self.asked += [query.user_index for query in queries]
        users = [query.user_index for query in queries]
        index = mt.ExactIndex(np.eye(self.scores.shape[1], dtype=np.float32))
        return index.search(self.scores[users], k, exclude, allow)


class Stars:
    """Predicts from a table of stars [users, films]."""

    def __init__(self, stars):
        self.stars = stars
        self.asked = []

    def predict(self, queries, items):
        self.asked.append(items)
        users = np.array([query.user_index for query in queries])
        return np.where(items < 0, np.nan, self.stars[users[:, None], items])


def table_of(ratings, value=1.0):
    table = np.zeros((len(ratings.users), len(ratings.items)), np.float32)
    table[ratings.user_index, ratings.item_index] = value
    return table


def test_an_oracle_scores_one(split):
    measured = mt.evaluate_retriever(ByScore(table_of(split.test)), split.train, split.test)
    assert list(measured) == [*METRICS, "users"]
    counts = np.bincount(split.test.user_index)
    counts = counts[counts > 0]
    for name in ("ndcg@10", "hr@10", "mrr@10", "recall@20", "recall@100"):
        assert measured[name] == pytest.approx(1.0)
    assert measured["precision@10"] == pytest.approx((np.minimum(counts, 10) / 10).mean())
    assert measured["users"] == len(counts)


def test_the_opposite_of_an_oracle_scores_zero(split):
    measured = mt.evaluate_retriever(ByScore(-table_of(split.test)), split.train, split.test)
    assert all(measured[name] == 0 for name in METRICS if name != "recall@100")


def test_random_scores_have_the_chance_of_the_films_that_are_left(split):
    scores = np.random.default_rng(0).normal(size=(len(split.test.users), len(split.test.items)))
    measured = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    seen = np.bincount(split.train.user_index, minlength=len(split.train.users))
    tested = np.unique(split.test.user_index)
    chance = (10 / (len(split.test.items) - seen[tested])).mean()
    assert measured["recall@10"] == pytest.approx(chance, abs=0.04)


def test_what_was_seen_is_left_out(split):
    # Training films score highest: left in, they would fill the first places.
    scores = 10 * table_of(split.train) + table_of(split.test)
    assert mt.evaluate_retriever(ByScore(scores), split.train, split.test)["mrr@10"] == 1.0


def test_only_users_with_a_test_rating_are_asked_and_counted(split):
    test = split.test.take(split.test.user_index % 10 == 3)
    retriever = ByScore(table_of(test))
    measured = mt.evaluate_retriever(retriever, split.train, test)
    assert retriever.asked == np.unique(test.user_index).tolist()
    assert measured["users"] == len(retriever.asked)


def test_blocks_of_users_change_nothing(split, monkeypatch):
    scores = np.random.default_rng(0).normal(size=(len(split.test.users), len(split.test.items)))
    stars = Stars(scores)
    whole = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    whole_stars = mt.evaluate_ranker(stars, split.test)
    monkeypatch.setattr(module, "_BLOCK_USERS", 7)
    monkeypatch.setattr(module, "_BLOCK_RANKED_USERS", 7)
    assert mt.evaluate_retriever(ByScore(scores), split.train, split.test) == whole
    assert mt.evaluate_ranker(stars, split.test) == whole_stars


def test_nothing_to_test_is_said_so(split):
    nothing = split.test.take(np.zeros(len(split.test), bool))
    assert mt.evaluate_retriever(ByScore(table_of(split.test)), split.train, nothing) == {
        "users": 0.0
    }
    assert mt.evaluate_ranker(Stars(table_of(split.test)), nothing) == {"ratings": 0.0}


def test_a_perfect_ranker_makes_no_error(split):
    stars = Stars(table_of(split.test, split.test.rating))
    assert mt.evaluate_ranker(stars, split.test) == {
        "rmse": 0.0,
        "mae": 0.0,
        "ratings": float(len(split.test)),
    }


def test_a_ranker_a_star_off_is_off_by_one(split):
    stars = Stars(table_of(split.test, split.test.rating) + 1)
    measured = mt.evaluate_ranker(stars, split.test)
    assert measured["rmse"] == pytest.approx(1.0)
    assert measured["mae"] == pytest.approx(1.0)


def test_users_with_as_many_ratings_are_asked_about_together(split, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_RANKED_USERS", 8)
    stars = Stars(table_of(split.test, split.test.rating))
    assert mt.evaluate_ranker(stars, split.test)["rmse"] == 0.0
    assert len(stars.asked) > 10
    assert sum((items >= 0).sum() for items in stars.asked) == len(split.test)
    widths = [items.shape[1] for items in stars.asked]
    assert widths == sorted(widths)
    # No block is wider than a user of the next one needs.
    for items, following in pairwise(stars.asked):
        assert items.shape[1] <= (following >= 0).sum(axis=1).min()


def test_predicting_the_mean_errs_by_the_standard_deviation(split):
    stars = Stars(np.full((120, 90), split.test.rating.mean(dtype=np.float64)))
    measured = mt.evaluate_ranker(stars, split.test)
    assert measured["rmse"] == pytest.approx(split.test.rating.std(dtype=np.float64), rel=1e-6)
