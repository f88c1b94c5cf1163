import numpy as np

from matinee.retrieval.sequence.features import TrainedFilms


def test_films_without_a_rating_have_the_unknown_ones_row():
    films = TrainedFilms(np.array([2, 0, 5, 0]), np.eye(4, dtype=np.float32))
    assert films.place[[0, 2]].tolist() == [0, 1]
    assert films.trained_counts.tolist() == [2, 5]
    assert films.trained_features.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    rows = np.array([[1, 1], [3, 5], [7, 7]], np.float32)
    assert films.spread(rows, hidden=True).tolist() == [[1, 1], [7, 7], [3, 5], [7, 7]]
    assert films.spread(rows, hidden=False).tolist() == [[1, 1], [2, 3], [3, 5], [2, 3]]
