import numpy as np
import pytest

from matinee.evaluation import bootstrap
from matinee.evaluation.bootstrap import Estimate, interval, resample
from matinee.evaluation.tallies import Measured, Tally


def measured(values, **more):
    tallies = {"ndcg@10": Tally(np.array(values, float), np.ones(len(values))), **more}
    return Measured(tallies)


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    rng = np.random.default_rng(1)
    values = rng.normal(0.4, 0.2, 400)
    draws = resample({"a": measured(values)}, seed=0, repeats=4000)["a"]["ndcg@10"]
    found = interval(values.mean(), draws)
    half = 1.96 * values.std() / np.sqrt(400)
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_models_are_measured_on_the_same_draws():
    values = np.random.default_rng(1).random(50)
    draws = resample({"a": measured(values), "b": measured(values + 0.01)}, seed=0, repeats=200)
    gaps = draws["b"]["ndcg@10"] - draws["a"]["ndcg@10"]
    np.testing.assert_allclose(gaps, 0.01)


def test_a_users_ratings_stay_together():
    # Two users, each with two equal errors: draws hold one user, the other, or both.
    errors = Tally(np.array([2.0, 18.0]), np.array([2.0, 2.0]), root=True)
    draws = resample({"a": Measured({"rmse": errors})}, seed=0, repeats=100)["a"]["rmse"]
    assert set(np.round(draws, 6)) == {1.0, 3.0, round(5**0.5, 6)}


def test_users_who_were_not_tested_are_never_drawn():
    tally = Tally(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    draws = resample({"a": Measured({"hr@10": tally})}, seed=0, repeats=50)["a"]["hr@10"]
    assert (draws == 1.0).all()


def test_the_same_seed_draws_the_same_users_in_blocks_too(monkeypatch):
    models = {"a": measured(np.random.default_rng(1).random(30))}
    first, again, other = (resample(models, seed, 100)["a"]["ndcg@10"] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    monkeypatch.setattr(bootstrap, "_BLOCK_DRAWS", 70)
    np.testing.assert_allclose(resample(models, 3, 100)["a"]["ndcg@10"], first)


def test_nothing_measured_has_no_draws():
    assert resample({"a": Measured({})}, seed=0) == {"a": {}}


def test_an_interval_of_nothing_is_the_value():
    assert interval(0.5, np.array([np.nan, np.nan])) == Estimate(0.5, 0.5, 0.5)


def test_an_estimate_reads_as_a_sentence_would_have_it():
    assert str(Estimate(0.44, 0.4251, 0.4561)) == "0.4400 [0.4251, 0.4561]"
