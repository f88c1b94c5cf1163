import numpy as np

import matinee as mt
from matinee.recommending.popular import Popular

POPULAR = Popular(np.array([5, 9, 1, 7, 0], np.float32))


def complete(items, scores, strangers, k, exclude=None, allow=None):
    found = mt.TopK(np.array(items, np.int32), np.array(scores, np.float32))
    return POPULAR.complete(found, np.array(strangers), k, exclude, allow)


def test_strangers_get_what_most_people_rated():
    found, popular = complete([[4, 2], [4, 2]], [[2, 1], [2, 1]], [True, False], 2)
    assert found.items.tolist() == [[1, 3], [4, 2]]
    assert found.scores.tolist() == [[9, 7], [2, 1]]
    assert popular.tolist() == [[True, True], [False, False]]


def test_a_list_that_is_too_short_goes_on_with_popular_films_below_its_own():
    excluded = [np.array([1], np.int32)]
    found, popular = complete([[4, -1]], [[2, -np.inf]], [False], 10, excluded)
    assert found.items.tolist() == [[4, 3, 0, 2, -1]]
    assert popular.tolist() == [[False, True, True, True, False]]
    assert (np.diff(found.scores[0, :4]) < 0).all()
    assert np.isneginf(found.scores[0, 4])


def test_filters_hold_for_what_is_added():
    allow = np.array([True, False, True, True, False])
    found, _ = complete([[2]], [[0.5]], [False], 3, None, allow)
    assert found.items.tolist() == [[2, 3, 0]]
