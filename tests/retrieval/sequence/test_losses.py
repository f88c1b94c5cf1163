import numpy as np
import pytest

from matinee.retrieval.sequence.losses import sampled_softmax
from matinee.towers.backend import ops


def sampled(queries, table, positives, negatives, chance, bias, weights):
    return float(
        sampled_softmax(
            *(ops.convert_to_tensor(part) for part in (queries, table, positives, negatives)),
            ops.convert_to_tensor(np.log(chance).astype(np.float32)),
            bias=ops.convert_to_tensor(bias),
            weights=ops.convert_to_tensor(weights),
        )
    )


def test_it_is_what_one_computes_by_hand():
    queries = np.array([[1.0]], np.float32)
    table = np.log(np.array([[2.0], [3.0], [5.0]], np.float32))
    bias, chance = np.zeros(3, np.float32), np.array([0.2, 0.3, 0.5])
    # Two draws: film 1 stands for e^score / (2 · 0.3), film 2 for e^score / (2 · 0.5).
    total = 2 + 3 / 0.6 + 5 / 1.0
    found = sampled(
        queries, table, np.array([0]), np.array([1, 2]), chance, bias, np.ones(1, np.float32)
    )
    assert found == pytest.approx(np.log(total / 2), rel=1e-5)


def test_an_accidental_hit_counts_for_nothing():
    rng = np.random.default_rng(0)
    queries, table = rng.normal(size=(2, 3)), rng.normal(size=(4, 3))
    arguments = (queries.astype(np.float32), table.astype(np.float32), np.array([0, 1]))
    chance, bias = np.full(4, 0.25), np.zeros(4, np.float32)
    only_first = np.array([1, 0], np.float32)
    hit = sampled(*arguments, np.array([0, 2, 2, 2]), chance, bias, only_first)
    # Without the hit three draws are left of four, so each stands for a third more films.
    without = sampled(*arguments, np.array([2, 2, 2]), chance * 4 / 3, bias, only_first)
    assert hit == pytest.approx(without, rel=1e-5)


def test_with_every_film_drawn_as_often_as_it_should_it_is_the_full_softmax():
    rng = np.random.default_rng(1)
    queries, table = rng.normal(size=(5, 3)), rng.normal(size=(6, 3))
    bias, positives = rng.normal(size=6).astype(np.float32), np.array([0, 5, 2, 2, 1])
    weights = np.array([1, 1, 0, 1, 1], np.float32)
    logits = queries @ table.T + bias
    own = np.arange(6) == positives[:, None]
    # All films once, chance 1/6 each: log(k q) is 0.
    expected = (np.log(np.exp(logits).sum(axis=1)) - logits[own]) @ weights / 4
    found = sampled(
        queries.astype(np.float32),
        table.astype(np.float32),
        positives,
        np.arange(6),
        np.full(6, 1 / 6),
        bias,
        weights,
    )
    assert found == pytest.approx(expected, rel=1e-5)
