import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.recommending.order import blended, weight_of_stars


def test_names_and_numbers():
    assert [weight_of_stars(order) for order in ("list", "stars", 0, 0.25, 1)] == [0, 1, 0, 0.25, 1]


@pytest.mark.parametrize("order", ["best", "", -0.1, 1.1, float("nan")])
def test_anything_else_is_refused(order):
    with pytest.raises(ConfigError, match=r'order = .*; expected "list", "stars"'):
        weight_of_stars(order)


def test_both_scores_are_weighed_at_mean_0_and_spread_1():
    listed = mt.TopK(
        np.array([[4, 7, 2, -1]], np.int32), np.array([[30, 20, 10, -np.inf]], np.float32)
    )
    stars = np.array([[1, 2, 3, np.nan]], np.float32)
    # Both spread alike, so that the greater weight decides.
    assert blended(listed, stars, 0.4).items.tolist() == [[4, 7, 2, -1]]
    found = blended(listed, stars, 0.6)
    assert found.items.tolist() == [[2, 7, 4, -1]]
    # (3 - 2) / √(2/3), weighed 0.6 against 0.4.
    np.testing.assert_allclose(found.scores[0, 0], 0.2 * np.sqrt(1.5), rtol=1e-6)


def test_scores_without_spread_decide_nothing():
    listed = mt.TopK(np.array([[4, 7]], np.int32), np.array([[1, 1]], np.float32))
    assert blended(listed, np.array([[2, 3]], np.float32), 0.1).items.tolist() == [[7, 4]]
