"""Groups of users and films, by hand."""

import numpy as np
import pytest

from matinee.evaluation.results import Evaluation
from matinee.evaluation.tallies import Measured, Tally
from matinee.report.groups import (
    by_activity,
    by_popularity,
    estimates_by_users,
    found_by_films,
    places_by_films,
    shares_of,
)


def evaluation_of(weight, total=None, root=False, **rest):
    tally = Tally(
        np.asarray(weight if total is None else total, float), np.asarray(weight, float), root
    )
    return Evaluation("seed", (1,), {"model": Measured({"metric": tally}, **rest)})


def members(groups):
    return [group.members.tolist() for group in groups]


def test_quarters_of_the_tested_users():
    counts = np.array([10, 20, 30, 40, 50, 60, 70, 80, 1000])
    groups = by_activity(evaluation_of([1] * 8 + [0]), counts)
    assert members(groups) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert [group.label for group in groups] == ["≤ 20", "30–40", "50–60", "≥ 70"]


def test_equally_active_users_stay_together():
    groups = by_activity(evaluation_of([1] * 6), np.array([5, 5, 5, 5, 5, 9]))
    assert members(groups) == [[0, 1, 2, 3, 4], [5]]
    assert members(by_activity(evaluation_of([1] * 3), np.array([4, 4, 4]))) == [[0, 1, 2]]
    assert by_activity(evaluation_of([1] * 3), np.array([4, 4, 4]))[0].label == "4"


def test_tiers_have_a_third_of_the_ratings_each():
    tiers = by_popularity(np.array([1, 6, 2, 1, 4, 0, 4]))
    assert members(tiers) == [[1], [4, 6], [2, 0, 3, 5]]
    assert [group.label for group in tiers] == ["popular", "less popular", "seldom rated"]


def test_tiers_of_films_without_ratings():
    tiers = by_popularity(np.zeros(3, np.int64))
    assert np.concatenate(members(tiers)).tolist() == [0, 1, 2]


def test_a_metric_by_groups_of_users():
    evaluation = evaluation_of([1, 1, 1, 1], [0.0, 1.0, 0.5, 0.5])
    groups = by_activity(evaluation, np.array([1, 2, 30, 40]))
    (found,) = estimates_by_users(evaluation, "metric", groups).values()
    assert [estimate.value for estimate in found] == [0.0, 1.0, 0.5, 0.5]


def test_a_root_is_taken_after_the_mean():
    evaluation = evaluation_of([2, 2], [2.0, 6.0], root=True)
    groups = by_activity(evaluation, np.array([3, 3]))
    (found,) = estimates_by_users(evaluation, "metric", groups).values()
    assert found[0].value == pytest.approx(np.sqrt(2.0))
    assert found[0].low <= found[0].value <= found[0].high


def test_found_and_shown_by_tiers_of_films():
    tiers = by_popularity(np.array([3, 2, 1, 0]))
    assert members(tiers) == [[0], [1], [2, 3]]
    lists = np.array([[0, 1], [0, 2], [-1, -1]], np.int32)
    evaluation = evaluation_of(
        [1, 1, 0],
        lists=(lists,),
        found=np.array([1, 0, 1, 0]),
        tested=np.array([2, 1, 4, 0]),
    )
    (found,) = found_by_films(evaluation, tiers).values()
    assert [estimate.value for estimate in found] == [0.5, 0.0, 0.25]
    assert places_by_films(evaluation.measured["model"], tiers) == [0.5, 0.25, 0.25]
    assert shares_of(np.array([2, 1, 4, 1]), tiers) == [0.25, 0.125, 0.625]


def test_a_tier_that_nobody_tested_has_no_value():
    tiers = by_popularity(np.array([3, 2, 1]))
    evaluation = evaluation_of(
        [1],
        lists=(np.array([[0]], np.int32),),
        found=np.array([1, 0, 0]),
        tested=np.array([1, 0, 2]),
    )
    assert found_by_films(evaluation, tiers)["model"][1] is None
