"""The item-item table: EASE, what is rated close in time, and its cut to few dimensions."""

import numpy as np
import pytest

import matinee as mt
from matinee.retrieval.ease import EaseConfig, fit_ease
from matinee.retrieval.item_items import factorized, item_items, nearby


def sequence(*films_of_users):
    users = mt.Vocabulary.of(range(len(films_of_users)), "user")
    films = mt.Vocabulary.of(range(4), "movie")
    pairs = [(u, f) for u, films in enumerate(films_of_users) for f in films]
    user, film = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    stars = np.full(len(pairs), 4, np.float32)
    return mt.Ratings.of(users, films, user, film, stars, np.arange(len(pairs)))


def test_nearby_is_the_ridge_regression_on_the_films_around():
    ratings = sequence([0, 1, 2], [1, 0])
    # Contexts by hand: neighbours count 1, films two places away exp(-1/2).
    far = np.exp(-0.5)
    context = np.array(
        [[0, 1, far, 0], [1, 0, 1, 0], [far, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], float
    )
    wanted = np.eye(4)[[0, 1, 2, 1, 0]]
    expected = np.linalg.solve(context.T @ context + 100 * np.eye(4), context.T @ wanted)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(nearby(ratings), expected, rtol=1e-5)


def test_users_do_not_run_into_each_other():
    apart = nearby(sequence([0, 1], [2, 3]))
    assert apart[1, 2] == apart[2, 1] == 0
    assert apart[0, 1] > 0


def test_without_times_the_table_is_that_of_ease(split):
    bare = mt.Ratings.of(
        split.train.users,
        split.train.items,
        split.train.user_index,
        split.train.item_index,
        split.train.rating,
    )
    ease = fit_ease(bare, EaseConfig(20.0)).weights
    np.testing.assert_array_equal(item_items(bare, 20.0, 0.3), ease)
    np.testing.assert_array_equal(item_items(split.train, 20.0, 0.0), ease)
    assert np.abs(item_items(split.train, 20.0, 0.3) - ease).max() > 0


def test_two_thin_tables_make_nearly_the_best_of_their_rank():
    rng = np.random.default_rng(0)
    table = (rng.normal(size=(60, 60)) * 0.9 ** np.arange(60)).astype(np.float32)
    left, right = factorized(table, 10, seed=1)
    assert left.shape == right.shape == (60, 10)
    strengths = np.linalg.svd(table, compute_uv=False)
    error = np.linalg.norm(left @ right.T - table)
    assert error == pytest.approx(np.linalg.norm(strengths[10:]), rel=0.02)
    again, _ = factorized(table, 10, seed=1)
    np.testing.assert_array_equal(left, again)
