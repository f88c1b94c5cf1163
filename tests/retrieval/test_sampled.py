import numpy as np
import pytest

from matinee.retrieval.sampled import certain_negatives, draw, sampled_softmax
from matinee.towers.backend import keras, ops


def values(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def tensors(*arrays):
    kinds = {"f": np.float32, "i": np.int32}
    arrays = (np.asarray(array) for array in arrays)
    return [ops.convert_to_tensor(array.astype(kinds[array.dtype.kind])) for array in arrays]


def sampled(queries, table, positives, drawn, chance, bias=None, weights=None, certain=None):
    bias = np.zeros(len(table)) if bias is None else bias
    weights = np.ones(len(queries)) if weights is None else weights
    *arguments, bias, weights = tensors(
        queries, table, positives, drawn, np.log(chance), bias, weights
    )
    certain = None if certain is None else tensors(np.array(certain))[0]
    return float(sampled_softmax(*arguments, bias=bias, weights=weights, certain_numbers=certain))


def test_it_is_what_one_computes_by_hand():
    queries, table = np.array([[1.0]]), np.log([[2.0], [3.0], [5.0]])
    # Two draws: film 1 stands for e^score / (2 · 0.3), film 2 for e^score / (2 · 0.5).
    total = 2 + 3 / 0.6 + 5 / 1.0
    found = sampled(queries, table, [0], [1, 2], [0.2, 0.3, 0.5])
    assert found == pytest.approx(np.log(total / 2), rel=1e-5)


def test_a_certain_film_counts_once_and_its_draws_for_nothing():
    queries, table = np.array([[1.0]]), np.log([[2.0], [3.0], [5.0]])
    # Film 2 stands for itself, however often it is named; film 1 is drawn once of two times.
    total = 2 + 3 / 0.6 + 5
    found = sampled(queries, table, [0], [1, 2], [0.2, 0.3, 0.5], certain=[2, 2, 2])
    assert found == pytest.approx(np.log(total / 2), rel=1e-5)


def test_an_accidental_hit_counts_for_nothing():
    rng = np.random.default_rng(0)
    arguments = rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), [0, 1]
    chance, only_first = np.full(4, 0.25), np.array([1.0, 0.0])
    hit = sampled(*arguments, [0, 2, 2, 2], chance, weights=only_first)
    # Without the hit three draws are left of four, so each stands for a third more films.
    without = sampled(*arguments, [2, 2, 2], chance * 4 / 3, weights=only_first)
    assert hit == pytest.approx(without, rel=1e-5)
    certain = sampled(*arguments, [0, 2, 2, 2], chance, weights=only_first, certain=[0])
    assert certain == pytest.approx(without, rel=1e-5)


def full(queries, table, positives, bias, weights):
    logits = queries @ table.T + bias
    own = np.arange(len(table)) == np.array(positives)[:, None]
    return (np.log(np.exp(logits).sum(axis=1)) - logits[own]) @ weights


@pytest.fixture
def problem():
    rng = np.random.default_rng(1)
    queries, table, bias = rng.normal(size=(5, 3)), rng.normal(size=(6, 3)), rng.normal(size=6)
    return queries, table, [0, 5, 2, 2, 1], bias, np.array([1.0, 1.0, 0.0, 1.0, 1.0])


def test_with_every_film_drawn_as_often_as_it_should_it_is_the_full_softmax(problem):
    queries, table, positives, bias, weights = problem
    # All films once, chance 1/6 each: log(k q) is 0.
    found = sampled(queries, table, positives, np.arange(6), np.full(6, 1 / 6), bias, weights)
    assert found == pytest.approx(full(*problem), rel=1e-5)


def test_with_every_film_certain_it_is_the_full_softmax_whatever_is_drawn(problem):
    queries, table, positives, bias, weights = problem
    certain = [0, 1, 2, 3, 4, 5, 3]
    chance = np.array([0.3, 0.1, 0.1, 0.2, 0.2, 0.1])
    found = sampled(queries, table, positives, [4, 4, 0], chance, bias, weights, certain)
    assert found == pytest.approx(full(*problem), rel=1e-5)


def certain(problem, in_batch, hard):
    queries, table, positives, bias, weights = problem
    *arguments, bias, weights = tensors(queries, table, positives, bias, weights)
    return certain_negatives(*arguments, bias=bias, weights=weights, in_batch=in_batch, hard=hard)


def test_the_batchs_own_films_are_taken_at_even_distances(problem):
    assert values(certain(problem, 5, 0)).tolist() == [0, 5, 2, 2, 1]
    assert values(certain(problem, 2, 0)).tolist() == [0, 2]
    # More than there are: some twice.
    assert values(certain(problem, 10, 0)).tolist() == [0, 0, 5, 5, 2, 2, 2, 2, 1, 1]
    assert certain(problem, 0, 0) is None


def test_hard_ones_are_those_that_come_nearest_to_what_is_looked_for(problem):
    queries, table, positives, bias, weights = problem
    logits = queries @ table.T + bias
    margin = logits - np.take_along_axis(logits, np.array(positives)[:, None], axis=1)
    # The third query has no weight and no say.
    expected = np.argsort(-margin[weights > 0].max(axis=0))[:4]
    assert set(values(certain(problem, 0, 4)).tolist()) == set(expected.tolist())
    assert sorted(values(certain(problem, 0, 99)).tolist()) == [0, 1, 2, 3, 4, 5]
    assert len(values(certain(problem, 3, 4))) == 7


def test_draws_follow_the_chances():
    chance = np.array([0.5, 0.0, 0.3, 0.2])
    cumulated = tensors(np.cumsum(chance))[0]
    drawn = values(draw(cumulated, 20_000, keras.random.SeedGenerator(3)))
    assert drawn.dtype == np.int32
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    # Five standard errors of a share of one half.
    np.testing.assert_allclose(shares, chance, atol=5 * 0.5 / np.sqrt(20_000))
    assert shares[1] == 0
