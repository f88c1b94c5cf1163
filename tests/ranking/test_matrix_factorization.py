import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.ranking.matrix_factorization import (
    MatrixFactorizationConfig,
    MatrixFactorizationRanker,
    fit_matrix_factorization,
)
from tests.ranking.test_bias import history, of_pairs, shown
from tests.synthetic import KINDS, kind_of

SMALL = MatrixFactorizationConfig(embedding_size=4)


def tensors(**changes):
    """One user, two films, vectors of two numbers."""
    values = {
        "mean": 3.0,
        "user_vectors": [[1, 0.5], [0.25, 0]],
        "user_bias": [0.5, 0.125],
        "movie_vectors": [[1, 0], [0, 2], [0.5, 0]],
        "movie_bias": [-1, 0.25, 0],
        "movie_variance": [[0.5, 0.25], [0.5, 0.25], [1, 1]],
        "precision": [[2, 0.5, 0], [0.5, 2, 0.25], [0, 0.25, 4]],
        "noise": 0.5,
    }
    return {name: np.array(value, np.float32) for name, value in (values | changes).items()}


@pytest.fixture(scope="module")
def ranker():
    return MatrixFactorizationRanker.of(tensors(), (1.0, 5.0))


@pytest.fixture(scope="module")
def trained(ratings):
    return fit_matrix_factorization(ratings, SMALL, seed=7)


def test_stars_by_hand(ranker):
    queries = [mt.Query(user_index=0), mt.Query()]
    stars = ranker.predict(queries, shown(0, 1, 2).repeat(2, axis=0))
    assert stars.tolist() == [[3.5, 4.75, 4.0], [2.375, 3.375, 3.25]]
    assert stars.dtype == np.float32


def test_an_empty_slot_has_no_stars_and_goes_last(ranker):
    items = shown(-1, 0, 1)
    assert np.isnan(ranker.predict([mt.Query()], items)[0]).tolist() == [True, False, False]
    ranked = ranker.rank([mt.Query()], mt.TopK(items, np.zeros((1, 3), np.float32)))
    assert ranked.items.tolist() == [[1, 0, -1]]
    assert ranked.scores.tolist() == [[3.375, 2.375, -np.inf]]


def test_films_that_would_all_get_the_most_stars_still_have_an_order():
    ranker = MatrixFactorizationRanker.of(tensors(mean=50.0), (1.0, 5.0))
    ranked = ranker.rank([mt.Query()], mt.TopK(shown(2, 0, 1), np.zeros((1, 3), np.float32)))
    assert ranked.items.tolist() == [[1, 2, 0]]
    assert ranker.predict([mt.Query()], ranked.items).tolist() == [[5.0] * 3]


def test_a_newcomer_is_the_most_probable_one(ranker):
    films, stars = [0, 1], [5.0, 1.0]
    query = history(films, stars)
    items = np.arange(3, dtype=np.int32)[None]
    found = ranker.predict([query], items)[0].astype(np.float64)
    # Normal equations with the expected squares of the films' numbers, written out in full.
    table = {name: tensor.astype(np.float64) for name, tensor in tensors().items()}
    average = np.append(table["user_vectors"][-1], table["user_bias"][-1])
    left, right = table["precision"].copy(), table["precision"] @ average
    for film, star in zip(films, stars, strict=True):
        design = np.append(table["movie_vectors"][film], 1)
        variance = np.diag(np.append(table["movie_variance"][film], 0))
        left += (np.outer(design, design) + variance) / table["noise"]
        right += design * (star - table["mean"] - table["movie_bias"][film]) / table["noise"]
    person = np.linalg.solve(left, right)
    expected = table["mean"] + table["movie_vectors"] @ person[:-1] + person[-1]
    expected += table["movie_bias"]
    np.testing.assert_allclose(found, np.clip(expected, 1, 5), atol=1e-5)


def test_a_user_who_brings_a_history_is_a_newcomer(ranker):
    known = mt.Query(0, np.array([0], np.int32), np.array([5], np.float32))
    assert ranker.predict([known], shown(1)) == ranker.predict([history([0], [5])], shown(1))


def test_a_newcomer_with_a_training_users_history_is_predicted_nearly_the_same(ratings, trained):
    rows, offsets = ratings.by_user()
    films = np.arange(90, dtype=np.int32)[None].repeat(2, axis=0)
    away = []
    for user in range(len(ratings.users)):
        own = rows[offsets[user] : offsets[user + 1]]
        newcomer = history(ratings.item_index[own], ratings.rating[own])
        stars = trained.predict([mt.Query(user_index=user), newcomer], films)
        away.append(stars[0] - stars[1])
    # What the covariances off the diagonal, which newcomers go without, are worth.
    assert np.sqrt(np.mean(np.square(away))) < 0.1


def test_it_learns_who_likes_what(split):
    model = fit_matrix_factorization(split.train, SMALL, seed=7)
    # Within a kind of user and film the stars are spread by 0.7, and rounded.
    assert mt.evaluate_ranker(model, split.test)["rmse"] < 0.95
    items = np.arange(90, dtype=np.int32)
    kinds = kind_of(items + 1)
    for user in range(0, 120, 10):
        stars = model.predict([mt.Query(user_index=user)], items[None])[0]
        own = kinds == (user + 1) % len(KINDS)
        assert stars[own].mean() > stars[~own].mean() + 0.5


def test_a_newcomer_is_understood_from_their_history(trained):
    films = np.arange(60, dtype=np.int32)
    for kind in range(len(KINDS)):
        liked = kind_of(films + 1) == kind
        query = history(films[:30], np.where(liked[:30], 5, 2))
        stars = trained.predict([query], films[None, 30:])[0]
        assert stars[liked[30:]].mean() > stars[~liked[30:]].mean() + 1


def test_the_expected_error_falls_to_the_noise(trained):
    assert len(trained.losses) == SMALL.sweeps
    assert trained.losses[-1] < trained.losses[0]
    assert trained.losses[-1] == pytest.approx(trained.losses[-2], abs=0.01)
    assert 0.6 < trained.losses[-1] < 0.95
    assert trained.tensors()["noise"] == pytest.approx(trained.losses[-1] ** 2)


def test_whoever_has_no_ratings_is_the_average_one(ratings, trained):
    unrated = np.flatnonzero(ratings.item_counts() == 0)
    assert len(unrated)
    for name in ("movie_vectors", "movie_bias", "movie_variance"):
        table = trained.tensors()[name]
        rows = table[unrated]
        np.testing.assert_allclose(rows, np.broadcast_to(table[-1], rows.shape), atol=1e-6)


def test_the_same_seed_gives_the_same_model(ratings, trained):
    again = fit_matrix_factorization(ratings, SMALL, seed=7)
    for name, tensor in trained.tensors().items():
        np.testing.assert_array_equal(tensor, again.tensors()[name])
    assert trained.losses == again.losses
    other = fit_matrix_factorization(ratings, SMALL, seed=8)
    assert (other.user_vectors != trained.user_vectors).any()


def test_stars_on_another_scale_give_the_same_model_on_that_scale(ratings, trained):
    doubled = mt.Ratings.of(
        ratings.users,
        ratings.items,
        ratings.user_index,
        ratings.item_index,
        2 * ratings.rating,
        scale=(2.0, 10.0),
    )
    model = fit_matrix_factorization(doubled, SMALL, seed=7)
    queries = [mt.Query(user_index=3), mt.Query(), history([4, 7, 10], [1, 5, 3])]
    queries_doubled = [*queries[:2], history([4, 7, 10], [2, 10, 6])]
    items = np.arange(91, dtype=np.int32)[None].repeat(3, axis=0)
    np.testing.assert_allclose(
        model.predict(queries_doubled, items), 2 * trained.predict(queries, items), atol=1e-3
    )


def test_its_tensors_have_the_shapes_it_tells_and_make_it_again(ratings, trained):
    parts = trained.tensors()
    shapes = {name: tensor.shape for name, tensor in parts.items()}
    assert shapes == MatrixFactorizationRanker.shapes(SMALL, 120, 90)
    assert {tensor.dtype for tensor in parts.values()} == {np.dtype(np.float32)}
    again = MatrixFactorizationRanker.of(parts, ratings.scale)
    queries, items = [mt.Query(user_index=1), history([2], [5])], shown(4, 5).repeat(2, axis=0)
    np.testing.assert_array_equal(again.predict(queries, items), trained.predict(queries, items))
    assert again.losses == ()


def test_ratings_that_are_all_the_same_are_predicted():
    model = fit_matrix_factorization(of_pairs([0, 0, 1], [0, 1, 1], [4, 4, 4]), SMALL)
    stars = model.predict(
        [mt.Query(user_index=2), history([0, 1], [4, 4])], shown(0, 3).repeat(2, 0)
    )
    np.testing.assert_allclose(stars, 4, atol=0.01)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding_size", 0),
        ("embedding_size", 1025),
        ("sweeps", 0),
        ("prior_rows", 0.0),
        ("prior_rows", np.nan),
        ("prior_variance", -1.0),
        ("prior_variance", np.inf),
    ],
)
def test_bad_settings_are_refused(name, value):
    with pytest.raises(ConfigError, match=rf"ranking\.{name} = "):
        MatrixFactorizationConfig(**{name: value})


def test_bad_seeds_and_no_ratings_are_refused(ratings):
    with pytest.raises(ConfigError, match="seed = -1"):
        fit_matrix_factorization(ratings, SMALL, seed=-1)
    with pytest.raises(DataError, match="no ratings"):
        fit_matrix_factorization(of_pairs([], [], []), SMALL)


@pytest.mark.movielens
def test_the_real_100k(movielens):
    split = mt.make_split(movielens[0], "u1")
    measured = mt.evaluate_ranker(fit_matrix_factorization(split.train), split.test)
    assert measured["rmse"] <= 0.93
