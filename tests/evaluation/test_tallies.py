from math import sqrt

import numpy as np
import pytest

from matinee.evaluation.tallies import Measured, Tally

SUMS = Tally(np.array([1.0, 0.0, 2.0, 9.0]), np.array([1.0, 0.0, 1.0, 2.0]))


def test_a_value_is_the_sum_of_totals_over_that_of_weights():
    assert SUMS.value() == 12 / 4
    assert SUMS.value(np.array([0, 1])) == 1
    assert np.isnan(SUMS.value(np.array([1])))


def test_the_root_is_taken_at_the_end():
    root = Tally(SUMS.total, SUMS.weight, root=True)
    assert root.value() == sqrt(3)
    np.testing.assert_allclose(root.ratio(np.array([4.0, 9.0]), np.array([1.0, 4.0])), [2, 1.5])


def test_splits_add_up():
    both = SUMS + Tally(np.array([0.0, 4.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0]))
    assert both.value() == 16 / 5
    assert not both.root


def measured(lists, found=(1, 0, 0, 0), tested=(2, 1, 0, 0)):
    return Measured(
        {"ndcg@10": SUMS}, (np.array(lists, np.int32),), np.array(found), np.array(tested)
    )


def test_several_splits_are_one():
    whole = Measured.of([measured([[0, 1]] * 4), measured([[2, 3]] * 4)])
    assert len(whole.lists) == 2
    assert whole.found.tolist() == [2, 0, 0, 0]
    assert whole.tested.tolist() == [4, 2, 0, 0]
    assert whole.values()["ndcg@10"] == 24 / 8


def test_coverage_and_gini_are_means_over_splits():
    whole = Measured.of([measured([[0, 1]] * 4), measured([[0, 1], [2, 3], [0, 1], [2, 3]])])
    # Half of the films and all of them; (-3·0 - 0 + 4 + 3·4) / (4 · 8) and 0.
    values = whole.values()
    assert values["coverage@2"] == pytest.approx((1 / 2 + 1) / 2)
    assert values["gini@2"] == pytest.approx((1 / 2 + 0) / 2)


def test_lists_that_are_all_alike_leave_no_doubt_of_coverage():
    assert measured([[0, 1]] * 4).whole()["coverage@2"] == (0.5, 0.0)
    # One list of ten holds films that no other does: leaving it out costs half of the coverage.
    lists = [[0, 1]] * 9 + [[2, 3]]
    value, error = Measured({}, (np.array(lists, np.int32),), np.zeros(4), np.zeros(4)).whole()[
        "coverage@2"
    ]
    without = [1.0] * 9 + [0.5]
    assert value == 1.0
    assert error == pytest.approx(sqrt(9 * np.var(without)))


def test_untested_users_do_not_count_as_groups_of_the_jackknife():
    lists = np.array([[0, 1], [0, 2], [3, 1]], np.int32)
    spread = np.full((200, 2), -1, np.int32)
    spread[[7, 57, 157]] = lists
    alone, among = (
        Measured({}, (table,), np.zeros(5), np.zeros(5)).whole() for table in (lists, spread)
    )
    assert among == alone


def test_stars_and_lists_of_one_model_go_together():
    stars = Measured({"rmse": Tally(SUMS.total, SUMS.weight, root=True)})
    both = measured([[0, 1]] * 4) | stars
    assert set(both.values()) == {"ndcg@10", "rmse", "coverage@2", "gini@2"}
    assert set((stars | measured([[0, 1]] * 4)).values()) == set(both.values())
    assert stars.values() == {"rmse": sqrt(3)}
