import numpy as np
import pytest

from matinee.retrieval.sequence.held_out import hold_out
from matinee.types import TopK
from tests.retrieval.test_histories import ratings_of

TRAIN = ratings_of([[2, 0, 3], [1, 2], [], [0, 3, 1, 2]], n_items=4)


class Told:
    """Gives each query the list it was told, and remembers what it was asked."""

    def __init__(self, lists):
        self.lists = lists

    def retrieve(self, queries, k, exclude=None, allow=None):
        self.asked = [query.user_index for query in queries], [own.tolist() for own in exclude]
        items = np.array(self.lists, np.int32)
        return TopK(items, np.zeros(items.shape, np.float32))


def test_the_newest_film_of_whoever_has_two_others_is_held_out():
    held_out = hold_out(TRAIN, None, 0)
    assert held_out.users.tolist() == [0, 3]
    assert held_out.targets.tolist() == [3, 2]
    left = [own.tolist() for own in held_out.known.items_by_user()]
    assert left == [[2, 0], [1, 2], [], [0, 3, 1]]


def test_ndcg_is_that_of_the_one_film():
    told = Told([[1, 3, 0], [0, 3, 1]])
    assert hold_out(TRAIN, None, 0).ndcg(told) == pytest.approx(1 / np.log2(3) / 2)
    assert told.asked == ([0, 3], [[2, 0], [0, 3, 1]])


def test_nothing_is_held_out_where_nobody_has_three_films_or_none_counts():
    assert hold_out(ratings_of([[0, 1], [1]]), None, 0) is None
    assert hold_out(TRAIN, 5.5, 0) is None
