import numpy as np

import matinee as mt
from matinee.retrieval.film_features import (
    expected,
    fill_unrated,
    film_features,
    genres_and_years,
    of_features,
    projection,
)


def test_features_are_genres_spans_of_years_and_a_one():
    catalog = mt.Catalog.of_titles(
        [1, 2, 3], ["A (1999)", "B (1996)", "C"], [["Drama", "War"], ["Drama"], []]
    )
    half = 0.5**0.5
    by_hand = [[half, half, 1, 1], [1, 0, 1, 1], [0, 0, 0, 1]]
    np.testing.assert_allclose(film_features(catalog), by_hand, rtol=1e-6)


def test_unrated_films_have_what_their_features_let_expect():
    features = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    table = np.array([[4.0], [8.0], [9.0], [9.0]], np.float32)
    bias = np.array([0.0, 2.0, -5.0, -6.0], np.float32)
    vectors, filled = fill_unrated(table, bias, features, np.array([7, 7, 0, 0]))
    # Both rated films weigh 1, so each feature's coefficient is its film's value over 1 + 3.
    np.testing.assert_allclose(vectors[:, 0], [4, 8, 1, 2], rtol=1e-6)
    # Biases 0 and 1/2 by features, moved to the mean that the unrated films had.
    np.testing.assert_allclose(filled, [0, 2, -5.75, -5.25], rtol=1e-6)


def test_nothing_changes_where_all_or_none_are_rated():
    table, bias = np.ones((2, 3), np.float32), np.zeros(2, np.float32)
    features = np.eye(2, dtype=np.float32)
    for counts in ([1, 2], [0, 0]):
        vectors, filled = fill_unrated(table, bias, features, np.array(counts))
        np.testing.assert_array_equal(vectors, table)
        np.testing.assert_array_equal(filled, bias)


def test_words_of_titles_have_a_lower_weight():
    titles = ["Alien", "Aliens", "Alien 3 Aliens"]
    table = film_features(mt.Catalog.of_titles([1, 2, 3], titles))
    np.testing.assert_allclose(table, [[0.3, 0, 1], [0, 0.3, 1], [0.3, 0.3, 1]], rtol=1e-6)


def test_what_features_let_expect_by_hand():
    features = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    table = np.array([[2], [6], [5], [0], [0]], np.float32)
    counts = np.array([1, 9, 4, 0, 0])
    # Weights 1/2, 3/2 and 1 (the square roots over their mean, 2): (1/2·2 + 3/2·6) / (2 + 3)
    # for the first feature and 5 / (1 + 3) for the second.
    found = expected(table, features, counts)
    np.testing.assert_allclose(found, [[2], [5 / 4]], rtol=1e-6)


def test_the_projection_gives_what_each_feature_lets_expect():
    rng = np.random.default_rng(0)
    features, table = rng.random((9, 3), np.float32), rng.random((9, 2), np.float32)
    counts = np.array([3, 0, 1, 8, 0, 2, 2, 5, 1])
    found = projection(features, counts)
    assert found.shape == (3, 9)
    assert not found[:, counts == 0].any()
    np.testing.assert_allclose(found @ table, of_features(table, features, counts), rtol=1e-4)


def test_genres_and_years_have_names():
    catalog = mt.Catalog.of_titles([1, 2], ["A (1999)", "B"], [["War"], ["Drama", "War"]])
    names, values = genres_and_years(catalog)
    assert names == ("Drama", "War", "1995-1999")
    half = 0.5**0.5
    np.testing.assert_allclose(values, [[0, 1, 1], [half, half, 0]], rtol=1e-6)
