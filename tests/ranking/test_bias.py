import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.ranking.bias import BiasConfig, BiasRanker, fit_bias
from tests.data.test_splits import random_ratings


def of_pairs(users, items, stars, n_users=3, n_items=3):
    """Ratings of users and films by number; the last of either has none unless named."""
    return mt.Ratings.of(
        mt.Vocabulary.of(range(n_users), "user"),
        mt.Vocabulary.of(range(n_items), "movie"),
        np.array(users, np.int32),
        np.array(items, np.int32),
        np.array(stars, np.float32),
        scale=(1.0, 5.0),
    )


def history(films, stars):
    return mt.Query(None, np.array(films, np.int32), np.array(stars, np.float32))


def shown(*films):
    return np.array([films], np.int32)


@pytest.fixture(scope="module")
def ranker():
    tensors = {"mean": 3.0, "user_bias": [0.5, 0], "movie_bias": [-1, 0.25, 0], "user_l2": 2.0}
    return BiasRanker.of(
        {name: np.array(value, np.float32) for name, value in tensors.items()}, (1.0, 5.0)
    )


def test_one_rating_by_hand():
    # Both biases minimize (1 - b - c)² + b² + 2 c²: b = 2 c, so 1 - 3 c = 2 c.
    ratings = of_pairs([0, 1], [0, 1], [4, 2])
    ranker = fit_bias(ratings, BiasConfig(user_l2=1.0, film_l2=2.0))
    np.testing.assert_allclose(ranker.user_bias, [0.4, -0.4, 0, 0], atol=1e-6)
    np.testing.assert_allclose(ranker.movie_bias, [0.2, -0.2, 0, 0], atol=1e-6)
    assert ranker.mean == 3.0


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(0.01, 100))
def test_it_solves_the_normal_equations(seed, user_l2, film_l2):
    ratings = random_ratings(seed, size=60)
    ranker = fit_bias(ratings, BiasConfig(user_l2, film_l2))
    design = np.zeros((60, 60))
    design[np.arange(60), ratings.user_index] = 1
    design[np.arange(60), 20 + ratings.item_index] = 1
    # Ridge regression is least squares with a row more for each weight.
    rows = np.diag(np.sqrt(np.repeat([user_l2, film_l2], [20, 40])))
    target = np.append(ratings.rating - ratings.rating.mean(dtype=np.float64), np.zeros(60))
    expected = np.linalg.lstsq(np.vstack([design, rows]), target)[0]
    found = np.concatenate([ranker.user_bias[:-1], ranker.movie_bias[:-1]])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_stars_by_hand(ranker):
    stars = ranker.predict([mt.Query(user_index=0), mt.Query()], shown(0, 1, 2).repeat(2, axis=0))
    assert stars.tolist() == [[2.5, 3.75, 3.5], [2.0, 3.25, 3.0]]
    assert stars.dtype == np.float32


def test_a_newcomers_generosity_is_shrunk(ranker):
    # They gave 1 and 1.5 more than everybody, whom two ratings stand for: (1 + 1.5) / (2 + 2).
    stars = ranker.predict([history([0, 2], [3, 4.5])], shown(1))
    assert stars.item() == 3.25 + 0.625


def test_a_user_who_brings_a_history_is_a_newcomer(ranker):
    known = mt.Query(0, np.array([0], np.int32), np.array([5], np.float32))
    assert ranker.predict([known], shown(1)) == ranker.predict([history([0], [5])], shown(1))


def test_a_newcomer_with_a_training_users_history_gets_that_users_bias():
    ratings = random_ratings(5)
    ranker = fit_bias(ratings)
    rows, offsets = ratings.by_user()
    for user in range(len(ratings.users)):
        own = rows[offsets[user] : offsets[user + 1]]
        newcomer = history(ratings.item_index[own], ratings.rating[own])
        pair = [mt.Query(user_index=user), newcomer]
        stars = ranker.predict(pair, shown(3, 7, 11).repeat(2, axis=0))
        np.testing.assert_allclose(stars[0], stars[1], atol=1e-5)


def test_it_ranks_by_stars_before_they_are_cut_to_the_scale(ranker):
    query = history([0], [50.0])
    ranked = ranker.rank([query], mt.TopK(shown(-1, 0, 2, 1), np.zeros((1, 4), np.float32)))
    assert ranked.items.tolist() == [[1, 2, 0, -1]]
    np.testing.assert_allclose(ranked.scores[0], [3.25 + 16, 3 + 16, 2 + 16, -np.inf], rtol=1e-6)
    stars = ranker.predict([query], ranked.items)[0]
    assert stars[:3].tolist() == [5.0] * 3
    assert np.isnan(stars[3])


def test_its_tensors_have_the_shapes_it_tells_and_make_it_again():
    ratings = random_ratings(6)
    ranker = fit_bias(ratings)
    tensors = ranker.tensors()
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    assert shapes == BiasRanker.shapes(BiasConfig(), 20, 40)
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}
    queries, items = (
        [mt.Query(user_index=1), history([2, 3], [1, 5])],
        shown(4, 5).repeat(2, axis=0),
    )
    again = BiasRanker.of(tensors, ratings.scale)
    np.testing.assert_array_equal(again.predict(queries, items), ranker.predict(queries, items))


def test_ratings_that_are_all_the_same_have_no_biases():
    ranker = fit_bias(of_pairs([0, 0, 1], [0, 1, 1], [4, 4, 4]), BiasConfig(1, 1))
    assert not ranker.user_bias.any()
    assert not ranker.movie_bias.any()
    assert ranker.mean == 4.0


@pytest.mark.parametrize("name", ["user_l2", "film_l2"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
def test_bad_settings_are_refused(name, value):
    with pytest.raises(ConfigError, match=rf"ranking\.{name} = .*above 0 and finite"):
        BiasConfig(**{name: value})


def test_no_ratings_are_refused():
    with pytest.raises(DataError, match="no ratings"):
        fit_bias(of_pairs([], [], []))


@pytest.mark.movielens
def test_the_real_100k(movielens):
    split = mt.make_split(movielens[0], "u1")
    assert mt.evaluate_ranker(fit_bias(split.train), split.test)["rmse"] <= 0.965
