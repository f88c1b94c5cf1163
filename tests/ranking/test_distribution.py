import numpy as np

from matinee.ranking.distribution import chance_of, quantile, spread

LEVELS = np.float32([1, 2, 4])
CHANCES = np.float32([[0.25, 0.5, 0.25], [0, 0, 1]])


def test_by_hand():
    # Means 2.25 and 4; squares 25/16 · ¼ + 1/16 · ½ + 49/16 · ¼.
    expected = [np.sqrt((25 + 2 + 49) / 64), 0]
    np.testing.assert_allclose(spread(LEVELS, CHANCES), expected, atol=1e-6)
    assert chance_of(LEVELS, CHANCES, 2).tolist() == [0.75, 1]
    assert chance_of(LEVELS, CHANCES, 2.5).tolist() == [0.25, 1]
    assert quantile(LEVELS, CHANCES, 0.25).tolist() == [1, 4]
    assert quantile(LEVELS, CHANCES, 0.5).tolist() == [2, 4]
    assert quantile(LEVELS, CHANCES, 0.9).tolist() == [4, 4]


def test_chances_that_rounding_leaves_short_of_one_have_all_quantiles():
    assert quantile(LEVELS, np.float32([[0.3, 0.3, 0.3999]]), 1.0).tolist() == [4]
