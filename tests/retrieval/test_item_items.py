"""The item-item table: EASE with features, what is rated close in time, the cut of it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.retrieval.ease import EaseConfig, fit_ease
from matinee.retrieval.item_items import ItemItemSettings, factorized, item_items, nearby
from tests.retrieval.test_histories import ratings_of


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


def without_times(ratings):
    return replace(ratings, timestamp=None)


def test_films_and_users_features_are_rows_and_columns_of_ease():
    clubs = pl.DataFrame({"club": ["a", "b", "a", None]})
    train = replace(ratings_of([[2, 0], [1, 2, 3], [], [0]], n_items=4), user_features=clubs)
    features = np.array([[1, 0], [0, 1], [0.5, 0.5], [0, 0]], np.float32)
    model = item_items(train, features, ItemItemSettings(10.0, 20.0, 20.0, 0.6))
    # Everybody has a mark in common, at one length: the root of 20.
    half, whole = np.sqrt(20 / 2), np.sqrt(20)
    marks = np.array([[half, half, 0], [half, 0, half], [half, half, 0], [whole, 0, 0]])
    np.testing.assert_allclose(model.marks[:-1], marks, rtol=1e-6)
    np.testing.assert_allclose(model.marks[-1], marks[[0, 1, 3]].mean(axis=0), rtol=1e-6)
    rated = np.array([[1, 0, 1, 0], [0, 1, 1, 1], [1, 0, 0, 0]])
    above = np.hstack([rated, marks[[0, 1, 3]]])
    below = np.hstack([np.sqrt(20) * features.T, np.zeros((2, 3))])
    rows = np.vstack([above, below])
    inverse = np.linalg.inv(rows.T @ rows + 10 * np.eye(7))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.films, expected[:4, :4], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.sides, expected[4:, :4], rtol=1e-4, atol=1e-6)


def test_without_features_the_table_is_that_of_ease(split):
    train = without_times(split.train)
    model = item_items(train, None, ItemItemSettings(20.0, 0.0, 0.0, 0.3))
    ease = fit_ease(train, EaseConfig(20.0)).weights
    np.testing.assert_allclose(model.films, ease, rtol=1e-5, atol=1e-7)
    assert not model.sides.any()


def test_what_is_rated_close_in_time_is_added_where_times_are_known(split):
    train, settings = split.train, ItemItemSettings(20.0, 20.0, 20.0, 0.3)
    bare = item_items(without_times(train), None, settings)
    none = item_items(train, None, replace(settings, nearby_weight=0.0))
    np.testing.assert_array_equal(none.films, bare.films)
    added = item_items(train, None, settings).films - bare.films
    near = nearby(train)
    share = added.sum() / near.sum()
    assert share > 0
    np.testing.assert_allclose(added, share * near, rtol=1e-3, atol=1e-5)


def test_users_without_a_rating_change_nothing(monkeypatch):
    monkeypatch.setattr("matinee.retrieval.item_items._SAMPLE_USERS", 3)
    own, settings = ([0, 1, 2], [1, 0], [3, 2, 0]), ItemItemSettings(10.0, 20.0, 20.0, 0.6)
    expected = item_items(sequence(*own), None, settings)
    found = item_items(sequence([], [], [], *own, []), None, settings)
    np.testing.assert_array_equal(found.films, expected.films)
    np.testing.assert_array_equal(found.sides, expected.sides)


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
