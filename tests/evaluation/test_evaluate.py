"""The evaluator against retrievers and rankers whose worth is known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import matinee as mt
from matinee.data.splits import Split
from matinee.errors import ConfigError, DataError, LeakageError
from matinee.evaluation import answers
from matinee.evaluation import measure as module
from matinee.evaluation.evaluate import evaluate, measure_model, seen_of
from tests.evaluation.worlds import ByScore, Stars, noise, table_of

METRICS = ["ndcg@10", "hr@10", "precision@10", "mrr@10", "map@10", "recall@10", "recall@100"]


def test_an_oracle_scores_one(split):
    measured = mt.evaluate_retriever(ByScore(table_of(split.test)), split.train, split.test)
    counts = np.bincount(split.test.user_index)
    counts = counts[counts > 0]
    for name in ("ndcg@10", "ndcg@100", "hr@10", "mrr@10", "map@10", "recall@100", "auc"):
        assert measured[name] == pytest.approx(1.0)
    assert measured["precision@10"] == pytest.approx((np.minimum(counts, 10) / 10).mean())
    assert measured["users"] == len(counts)


def test_the_opposite_of_an_oracle_scores_zero(split):
    measured = mt.evaluate_retriever(ByScore(-table_of(split.test)), split.train, split.test)
    assert all(measured[name] == 0 for name in METRICS if name != "recall@100")
    assert measured["auc"] == 0


def chance_of(split, k):
    """Recall@k, AUC and the like of an order drawn at random, by the films that are left."""
    seen = np.bincount(split.train.user_index, minlength=len(split.train.users))
    relevant = np.bincount(split.test.user_index, minlength=len(split.train.users))
    tested = np.flatnonzero(relevant)
    left = len(split.test.items) - seen[tested]
    return {
        f"recall@{k}": (k / left).mean(),
        f"precision@{k}": (relevant[tested] / left).mean(),
        "auc": 1 / 2,
    }


def test_constant_scores_have_exactly_chance(split):
    constant = ByScore(np.zeros((len(split.test.users), len(split.test.items))))
    measured = mt.evaluate_retriever(constant, split.train, split.test)
    for name, chance in chance_of(split, 10).items():
        assert measured[name] == pytest.approx(chance), name


def test_random_scores_have_chance_on_average(split):
    chances = chance_of(split, 10)
    constant = ByScore(np.zeros((len(split.test.users), len(split.test.items))))
    exact = mt.evaluate_retriever(constant, split.train, split.test)
    draws = [
        mt.evaluate_retriever(ByScore(noise(split.test, seed)), split.train, split.test)
        for seed in range(40)
    ]
    for name in (*chances, "ndcg@10", "hr@10", "mrr@10", "map@10"):
        values = [draw[name] for draw in draws]
        error = np.std(values) / np.sqrt(len(values))
        assert np.mean(values) == pytest.approx(exact[name], abs=4 * error), name


@pytest.mark.parametrize("most_ordered", [answers.MOST_ORDERED, 0])
def test_long_ties_are_followed_past_the_end_of_the_list(split, monkeypatch, most_ordered):
    """With lists of 5, ties that go on to place 90 are worth what they are in whole orders."""
    scores = np.round(np.abs(noise(split.test)))
    whole = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    for owner in (answers, module):
        monkeypatch.setattr(owner, "LIST_LENGTH", 10)
        monkeypatch.setattr(owner, "MOST_ORDERED", most_ordered)
    short = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    assert ("auc" in short) == (most_ordered > 0)
    for name in ("ndcg@10", "hr@10", "precision@10", "mrr@10", "map@10", "recall@5", "recall@10"):
        assert short[name] == pytest.approx(whole[name]), name


@pytest.mark.parametrize("longer", [2, 16])
def test_a_tie_over_the_whole_catalogue_is_asked_for_in_pieces(split, monkeypatch, longer):
    """Long lists come for few users at a time, each user once, and every answer is checked."""
    monkeypatch.setattr(answers, "MOST_ORDERED", 0)
    monkeypatch.setattr(answers, "LIST_LENGTH", 10)
    monkeypatch.setattr(answers, "_LONGER", longer)
    monkeypatch.setattr(answers, "_BLOCK_PLACES", 500)
    scores = noise(split.test)
    scores[::3] = 0
    users = np.unique(split.test.user_index)
    seen = split.train.items_by_user()
    pieces = list(answers.lists_of(ByScore(scores), users, 90, seen, 11))
    assert sorted(np.concatenate([some for some, _ in pieces])) == users.tolist()
    assert max(listed.items.size for _, listed in pieces) <= 500
    for some, listed in pieces:
        tied = some % 3 == 0
        assert tied.all() or not tied.any()
        # Those who tie have all films that are left to them, the others as many as they need.
        shown = (listed.items >= 0).sum(axis=1)
        left = [90 - len(seen[user]) for user in some]
        assert shown.tolist() == (left if tied.all() else [11] * len(some))


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
    scores = noise(split.test)
    stars = Stars(scores)
    whole = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    whole_stars = mt.evaluate_ranker(stars, split.test)
    monkeypatch.setattr(answers, "_BLOCK_USERS", 7)
    monkeypatch.setattr(module, "_BLOCK_RANKED_USERS", 7)
    blocked = mt.evaluate_retriever(ByScore(scores), split.train, split.test)
    assert blocked == pytest.approx(whole, rel=1e-12)
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


def test_a_ranker_is_told_when_each_rating_was_given(split):
    test, told = split.test, []

    class Listens(Stars):
        def predict(self, queries, items):
            for query, films in zip(queries, items, strict=True):
                filled = films >= 0
                told.extend(
                    zip(
                        [query.user_index] * filled.sum(),
                        films[filled].tolist(),
                        query.time[filled].tolist(),
                        strict=True,
                    )
                )
                assert query.time.shape == films.shape
            return super().predict(queries, items)

    mt.evaluate_ranker(Listens(table_of(test, test.rating)), test)
    columns = (test.user_index, test.item_index, test.timestamp)
    assert sorted(told) == sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_without_times_a_ranker_is_told_none(split):
    undated = replace(split.test, timestamp=None)

    class Listens(Stars):
        def predict(self, queries, items):
            assert {query.time for query in queries} == {None}
            return super().predict(queries, items)

    stars = Listens(table_of(undated, undated.rating))
    assert mt.evaluate_ranker(stars, undated)["rmse"] == 0.0


def test_predicting_the_mean_errs_by_the_standard_deviation(split):
    stars = Stars(np.full((120, 90), split.test.rating.mean(dtype=np.float64)))
    measured = mt.evaluate_ranker(stars, split.test)
    assert measured["rmse"] == pytest.approx(split.test.rating.std(dtype=np.float64), rel=1e-6)


def test_models_of_all_kinds_stand_in_one_table(split, catalog):
    class Both(ByScore, Stars):
        def __init__(self, scores, stars):
            ByScore.__init__(self, scores)
            self.stars = stars

    models = {
        "lists": ByScore(table_of(split.test)),
        "stars": Stars(table_of(split.test, split.test.rating)),
        "both": Both(noise(split.test), table_of(split.test, split.test.rating) + 1),
    }
    found = evaluate(models, split, catalog)
    assert found.protocol == "seed"
    assert found.seeds == (7,)
    assert "rmse" not in found.estimates["lists"]
    assert set(found.estimates["stars"]) == {"rmse", "mae"}
    assert found.estimates["both"]["rmse"].value == pytest.approx(1.0)
    assert found.leaders("ndcg@10") == ["lists"]
    assert found.leaders("rmse") == ["stars"]
    assert 0 <= found.estimates["both"]["diversity@10"].value <= 1


def test_what_is_neither_a_retriever_nor_a_ranker_is_refused(split):
    with pytest.raises(ConfigError, match="a dict has neither retrieve nor predict"):
        measure_model({}, split)


def test_a_split_that_leaks_is_refused(ratings):
    """The same pair on both sides, at places that differ."""
    pair = np.array([0, 1])
    twice = mt.Ratings(
        ratings.users,
        ratings.items,
        np.array([3, 3], np.int32),
        np.array([5, 5], np.int32),
        np.array([4, 4], np.float32),
        None,
        pair,
        ratings.scale,
    )
    train, test = twice.take(pair == 0), twice.take(pair == 1)
    leaking = Split("mine", train, twice.take(pair > 1), test)
    with pytest.raises(LeakageError):
        evaluate({"oracle": ByScore(table_of(test))}, leaking)


def test_validation_ratings_count_as_seen(ratings):
    split = mt.make_split(ratings, "seed", 7, validation=0.2)
    scores = 10 * table_of(split.validation) + table_of(split.test)
    measured = measure_model(ByScore(scores), split)
    assert measured.values()["mrr@10"] == 1.0
    seen = seen_of(split.train, split.validation)
    assert sum(map(len, seen)) == len(split.train) + len(split.validation)


def test_where_films_were_found_and_tested_is_counted(split):
    measured = measure_model(ByScore(table_of(split.test)), split)
    assert measured.tested.tolist() == split.test.item_counts().tolist()
    # Nobody has more than ten test ratings here, and the oracle shows them first.
    assert np.bincount(split.test.user_index).max() <= 10
    assert measured.found.tolist() == measured.tested.tolist()


class Broken(ByScore):
    """Answers as told."""

    def __init__(self, change):
        super().__init__(np.random.default_rng(0).random((120, 90)))
        self.change = change

    def retrieve(self, queries, k, exclude=None, allow=None):
        found = super().retrieve(queries, k, exclude, allow)
        items, scores = self.change(found.items.copy(), found.scores.copy())
        return mt.TopK(items, scores)


def _put(items, value, place=1):
    items[0, place] = value
    return items


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda items, scores: (items[:, :-1], scores[:, :-1]), "shape"),
        (lambda items, scores: (_put(items, items[0, 0]), scores), "a film twice"),
        (lambda items, scores: (items[:, [*range(60), 0, *range(61, 90)]], scores), "a film twice"),
        (lambda items, scores: (_put(items, 90), scores), "a film outside 0 … 89"),
        (lambda items, scores: (_put(items, 90, 89), scores), "a film outside 0 … 89"),
        (lambda items, scores: (items, _put(scores, np.inf, 50)), "scores that ascend"),
        (lambda items, scores: (_put(items, -2), scores), "a film outside 0 … 89"),
        (lambda items, scores: (items[:, ::-1], scores[:, ::-1]), "scores that ascend"),
        (lambda items, scores: (items, _put(scores, np.nan)), "scores that ascend or are no numb"),
    ],
)
def test_an_answer_that_would_make_the_metrics_lie_is_refused(split, change, message):
    with pytest.raises(DataError, match=message):
        mt.evaluate_retriever(Broken(change), split.train, split.test)


def test_a_film_that_was_seen_is_refused(split):
    class Forgetful(ByScore):
        def retrieve(self, queries, k, exclude=None, allow=None):
            return super().retrieve(queries, k)

    with pytest.raises(DataError, match="asked to exclude"):
        mt.evaluate_retriever(Forgetful(noise(split.test)), split.train, split.test)


def test_stars_that_are_no_numbers_are_refused(split):
    table = table_of(split.test, split.test.rating)
    user, film = split.test.user_index[3], split.test.item_index[3]
    table[user, film] = np.nan
    with pytest.raises(DataError, match=f"nan stars for user {split.test.users.id(int(user))}"):
        mt.evaluate_ranker(Stars(table), split.test)


def test_stars_of_another_shape_are_refused(split):
    class Narrow(Stars):
        def predict(self, queries, items):
            return super().predict(queries, items)[:, :1]

    with pytest.raises(DataError, match="expected the same shape"):
        mt.evaluate_ranker(Narrow(table_of(split.test, split.test.rating)), split.test)


def test_what_is_relevant_can_be_said(split):
    popularity = mt.fit_popularity(split.train)
    found = mt.evaluate({"popularity": popularity}, split, relevant_from=4)
    liked = split.test.take(split.test.rating >= 4)
    expected = mt.evaluate_retriever(popularity, split.train, liked)
    values = found.measured["popularity"].values()
    for name in ("ndcg@10", "recall@20", "hr@10"):
        assert values[name] == pytest.approx(expected[name])
    everything = mt.evaluate({"popularity": popularity}, split).measured["popularity"].values()
    assert values["precision@10"] < everything["precision@10"]
