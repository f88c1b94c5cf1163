"""Names at the ends of lines that keep off each other."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.report.charts import spread


@pytest.mark.parametrize(
    ("wanted", "gap", "places"),
    [
        ([1.0, 5.0, 9.0], 2.0, [1.0, 5.0, 9.0]),
        ([4.0, 4.0], 2.0, [3.0, 5.0]),
        ([4.0, 4.0, 4.0], 1.0, [3.0, 4.0, 5.0]),
        ([0.0, 0.0], 2.0, [0.0, 2.0]),
        ([10.0, 10.0], 2.0, [8.0, 10.0]),
        # Two that move apart push a third: their mean place is 4, that of all stays the mean.
        ([3.0, 3.0, 4.0], 2.0, [4 / 3, 10 / 3, 16 / 3]),
    ],
)
def test_spread_by_hand(wanted, gap, places):
    assert spread(wanted, gap, 0.0, 10.0) == pytest.approx(places)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 8))
def test_spread_keeps_distance_order_and_limits(wanted, gap):
    places = spread(sorted(wanted), gap, 0.0, 100.0)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 100 + 1e-9


@given(st.lists(st.floats(0, 100), max_size=8))
def test_spread_moves_nothing_that_has_room(wanted):
    apart = sorted({round(value / 10) * 10.0 for value in wanted})
    assert spread(apart, 10.0, 0.0, 100.0) == pytest.approx(apart)
