"""The newcomer's vector is the most probable one, checked by its gradient."""

import numpy as np
import pytest

from matinee.retrieval.fold_in import FoldIn

WIDTH = 4


@pytest.fixture(scope="module")
def fold_in():
    rng = np.random.default_rng(0)
    films = rng.normal(size=(30, WIDTH)).astype(np.float32)
    offset = rng.normal(size=30).astype(np.float32)
    users = (rng.normal(size=(200, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH)) + 0.5).astype(
        np.float32
    )
    return FoldIn.of(films, offset, users)


def log_probability(fold_in, vector, items):
    logits = fold_in.films @ vector + fold_in.offset
    away = vector - fold_in.mean
    log_total = np.log(np.exp(logits).sum())
    return logits[items].sum() - len(items) * log_total - away @ fold_in.precision @ away / 2


@pytest.mark.parametrize("items", [[3], [0, 1, 2], [5, 5, 5, 9], list(range(30))])
def test_no_direction_leads_uphill_from_the_vector(fold_in, items):
    vector = fold_in.vector(np.array(items, np.int32)).astype(np.float64)
    for direction in np.eye(WIDTH):
        step = 1e-4 * direction
        slope = (
            log_probability(fold_in, vector + step, items)
            - log_probability(fold_in, vector - step, items)
        ) / 2e-4
        assert slope == pytest.approx(0.0, abs=1e-3)
    best = log_probability(fold_in, vector, items)
    assert best > log_probability(fold_in, fold_in.mean, items)


def test_an_empty_history_gives_the_mean_user(fold_in):
    vector = fold_in.vector(np.empty(0, np.int32))
    np.testing.assert_allclose(vector, fold_in.mean, rtol=1e-6)
    assert vector.dtype == np.float32


def test_more_evidence_moves_further_and_makes_the_film_more_likely(fold_in):
    distances, logits = [], []
    for copies in (1, 3, 10, 30):
        vector = fold_in.vector(np.full(copies, 7, np.int32))
        away = vector - fold_in.mean
        distances.append(away @ fold_in.precision @ away)
        scores = fold_in.films @ vector + fold_in.offset
        logits.append(scores[7] - np.log(np.exp(scores).sum()))
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]
    assert logits == sorted(logits)


def test_the_order_of_the_history_does_not_matter(fold_in):
    forth, back = (fold_in.vector(np.array(items, np.int32)) for items in ([1, 2, 3], [3, 2, 1]))
    np.testing.assert_allclose(forth, back, rtol=1e-5)


def test_users_without_any_spread_do_not_break_it():
    users = np.ones((5, 2), np.float32)
    films = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    vector = FoldIn.of(films, np.zeros(2, np.float32), users).vector(np.array([0], np.int32))
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(vector, [1, 1], atol=0.01)


def test_one_dimension_is_enough():
    films, users = (
        np.array([[1.0], [-1.0]], np.float32),
        np.array([[0.5], [1.5], [1.0]], np.float32),
    )
    fold_in = FoldIn.of(films, np.zeros(2, np.float32), users)
    assert fold_in.vector(np.array([0], np.int32)) > 1.0
    assert fold_in.vector(np.array([1], np.int32)) < 1.0


def test_a_single_user_is_enough():
    films, users = np.eye(2, dtype=np.float32), np.array([[0.5, 0.5]], np.float32)
    vector = FoldIn.of(films, np.zeros(2, np.float32), users).vector(np.array([0], np.int32))
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(vector, [0.5, 0.5], atol=0.01)
