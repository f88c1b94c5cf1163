"""Metrics in fractions computed by hand."""

from math import log2, sqrt

import numpy as np
import pytest

from matinee.evaluation import metrics

# Lists of four, places of the relevant ones marked.
HITS = np.array(
    [
        [True, False, True, False],
        [False, False, False, False],
        [False, True, False, False],
    ]
)
RELEVANT = np.array([3, 1, 1])


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1, 0, 1]), (4, [1, 0, 1]), (9, [1, 0, 1])]
)
def test_hit_rate(k, expected):
    assert metrics.hit_rate(HITS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"),
    [(1, [1 / 3, 0, 0]), (2, [1 / 3, 0, 1]), (3, [2 / 3, 0, 1]), (9, [2 / 3, 0, 1])],
)
def test_recall(k, expected):
    assert metrics.recall(HITS, RELEVANT, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1 / 2, 0, 1 / 2]), (10, [2 / 10, 0, 1 / 10])]
)
def test_precision_divides_by_k_however_short_the_list(k, expected):
    assert metrics.precision(HITS, k).tolist() == expected


@pytest.mark.parametrize(
    ("k", "expected"), [(1, [1, 0, 0]), (2, [1, 0, 1 / 2]), (9, [1, 0, 1 / 2])]
)
def test_reciprocal_rank(k, expected):
    assert metrics.reciprocal_rank(HITS, k).tolist() == expected


def test_ndcg():
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    expected = [(1 + 1 / log2(4)) / ideal, 0, 1 / log2(3)]
    np.testing.assert_allclose(metrics.ndcg(HITS, RELEVANT, 4), expected)
    # With one place the ideal list has one film, though three are relevant.
    assert metrics.ndcg(HITS, RELEVANT, 1).tolist() == [1, 0, 0]
    # Longer than the list: the ideal one is still three films.
    np.testing.assert_allclose(metrics.ndcg(HITS, RELEVANT, 10), expected)


def test_hits_are_looked_up_in_each_users_own_films():
    items = np.array([[4, 0, -1], [0, 4, 2], [1, 2, 3]], np.int32)
    truth = [np.array([0], np.int32), np.array([4, 2, 9], np.int32), np.empty(0, np.int32)]
    expected = [[False, True, False], [False, True, True], [False, False, False]]
    assert metrics.hits_of(items, truth, 10).tolist() == expected


def test_an_empty_slot_is_no_hit_even_where_the_users_before_end():
    # Slot -1 of user 1 would be the key of user 0's last film.
    items = np.array([[0], [-1]], np.int32)
    truth = [np.array([2], np.int32), np.array([1], np.int32)]
    assert metrics.hits_of(items, truth, 3).tolist() == [[False], [False]]


def test_nothing_relevant_is_no_hit():
    items = np.array([[0, -1], [1, 0]], np.int32)
    nothing = np.empty(0, np.int32)
    assert metrics.hits_of(items, [nothing, nothing], 3).tolist() == [[False] * 2] * 2
    assert metrics.hits_of(items[:0], [], 3).shape == (0, 2)


def test_errors():
    stars, truth = np.array([1, 4], np.float32), np.array([3, 3], np.float32)
    assert metrics.squared_errors(stars, truth).tolist() == [4, 1]
    assert metrics.rmse(stars, truth) == pytest.approx(sqrt(5 / 2))
    assert metrics.mae(stars, truth) == pytest.approx(3 / 2)
