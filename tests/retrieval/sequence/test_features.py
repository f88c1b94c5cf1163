import numpy as np

import matinee as mt
from matinee.retrieval.sequence.features import TrainedFilms, film_features


def test_features_are_genres_spans_of_years_and_a_one():
    catalog = mt.Catalog.of_titles(
        [1, 2, 3], ["A (1999)", "B (1996)", "C"], [["Drama", "War"], ["Drama"], []]
    )
    half = 0.5**0.5
    expected = [[half, half, 1, 1], [1, 0, 1, 1], [0, 0, 0, 1]]
    np.testing.assert_allclose(film_features(catalog), expected, rtol=1e-6)


def test_films_without_a_rating_have_the_unknown_ones_row():
    films = TrainedFilms(np.array([2, 0, 5, 0]), np.eye(4, dtype=np.float32))
    assert films.place[[0, 2]].tolist() == [0, 1]
    assert films.trained_counts.tolist() == [2, 5]
    assert films.trained_features.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    rows = np.array([[1, 1], [3, 5], [7, 7]], np.float32)
    assert films.spread(rows, hidden=True).tolist() == [[1, 1], [7, 7], [3, 5], [7, 7]]
    assert films.spread(rows, hidden=False).tolist() == [[1, 1], [2, 3], [3, 5], [2, 3]]
