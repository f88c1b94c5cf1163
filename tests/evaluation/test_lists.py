"""What lists are made of, in numbers computed by hand."""

from math import log2, sqrt

import numpy as np
import pytest

from matinee.evaluation import lists

LISTS = np.array([[0, 1], [0, 2], [0, -1], [-1, -1]], np.int32)
SHARE = np.array([1.0, 0.5, 0.25, 0.0])


def test_exposure_counts_the_filled_places():
    assert lists.exposure(LISTS, 4).tolist() == [3, 1, 1, 0]


def test_coverage_is_the_share_of_films_shown_to_anybody():
    assert lists.coverage(np.array([3, 1, 1, 0])) == 3 / 4


@pytest.mark.parametrize(
    ("shown", "expected"),
    # (-3·0 - 1·1 + 1·1 + 3·3) / (4 · 5); equal exposure; one film has it all; nothing is shown.
    [([3, 1, 1, 0], 9 / 20), ([2, 2, 2, 2], 0), ([0, 0, 0, 7], 3 / 4), ([0, 0, 0, 0], 0)],
)
def test_gini(shown, expected):
    assert lists.gini(np.array(shown)) == pytest.approx(expected)


def test_average_popularity_is_the_mean_share_of_the_audience():
    found = lists.average_popularity(LISTS, SHARE)
    np.testing.assert_allclose(found, [3 / 4, 5 / 8, 1, np.nan])


def test_novelty_is_the_mean_surprise_in_bits():
    found = lists.novelty(np.array([[0, 1], [2, 3], [-1, -1]], np.int32), SHARE, n_users=8)
    # A film that nobody rated surprises like one that one of eight users did: 3 bits.
    np.testing.assert_allclose(found, [(0 + 1) / 2, (2 + 3) / 2, np.nan])
    assert log2(8) == 3


def test_diversity_is_one_less_the_mean_cosine():
    genres = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 0]], np.float32)
    items = np.array([[0, 1, -1], [0, 2, -1], [0, 2, 3], [0, 4, -1], [0, -1, -1]], np.int32)
    expected = [0, 1, 1 - (0 + 1 / sqrt(2) + 1 / sqrt(2)) / 3, 1, np.nan]
    np.testing.assert_allclose(lists.intra_list_diversity(items, genres), expected, atol=1e-6)
