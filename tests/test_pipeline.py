"""Train, measure, evaluate; and refuse to measure what was trained on."""

import numpy as np
import pytest

import matinee as mt
from matinee.errors import DataError, LeakageError


def test_a_trained_model_knows_where_it_comes_from(any_model, ratings, split):
    assert any_model.data["protocol"] == "seed"
    assert any_model.data["fingerprint"] == ratings.fingerprint()
    assert any_model.data["train_fingerprint"] == split.train.fingerprint()
    assert (any_model.data["ratings"], any_model.data["train_ratings"]) == (
        len(ratings),
        len(split.train),
    )
    assert any_model.seed == 7


def test_it_beats_chance_and_the_standard_deviation(saved_model, split):
    assert saved_model.metrics["recall@10"] > 2 * 10 / 90
    assert saved_model.metrics["rmse"] < 0.95 * split.test.rating.std()


def test_its_metrics_are_those_of_evaluating_it_again(any_model, ratings):
    again = mt.evaluate_model(any_model, ratings, "seed", 7)
    assert again == any_model.metrics


def test_its_metrics_are_those_of_the_evaluators(any_model, split):
    recommender = any_model.recommender
    expected = mt.evaluate_retriever(recommender.retriever, split.train, split.test)
    expected |= mt.evaluate_ranker(recommender.ranker, split.test)
    kept = {n: v for n, v in any_model.metrics.items() if n != "two_stage_ndcg@10"}
    assert {"ndcg@10", "recall@100", "rmse", "users", "ratings"} <= set(kept)
    assert {name: expected[name] for name in kept} == kept
    both = mt.evaluate_retriever(recommender, split.train, split.test)
    assert any_model.metrics["two_stage_ndcg@10"] == both["ndcg@10"]


@pytest.mark.parametrize(("protocol", "seed"), [("seed", 8), ("leave-last-out", 7), ("time", 7)])
def test_another_cut_is_refused_because_it_leaks(saved_model, ratings, protocol, seed):
    with pytest.raises(LeakageError, match=r"trained on \d+ of the \d+ test ratings") as caught:
        mt.evaluate_model(saved_model, ratings, protocol, seed)
    assert f"--protocol {protocol} --seed {seed}" in str(caught.value)
    assert "trained by protocol seed, seed 7" in str(caught.value)


def test_other_ratings_are_refused(saved_model, ratings):
    fewer = ratings.take(np.arange(len(ratings) - 1))
    with pytest.raises(DataError, match="are not the 2,376 that the model was trained from"):
        mt.evaluate_model(saved_model, fewer, "seed", 7)


def test_a_protocol_that_tests_nothing_is_refused(saved_model, ratings):
    with pytest.raises(DataError, match="protocol all tests nothing"):
        mt.evaluate_model(saved_model, ratings, "all", 7)


def test_training_on_everything_measures_nothing(ratings, catalog, recipe_files):
    recipe = mt.load_recipe(str(recipe_files["seed"]))
    model = mt.train_model(ratings, catalog, recipe, protocol="all")
    assert model.metrics == {}
    assert model.data["train_ratings"] == len(ratings)
