"""Which films of a list were rated, and how ties are kept apart from order."""

import numpy as np
import pytest

from matinee.evaluation.matches import Matches, hits_of, tied_past

NOTHING = np.empty(0, np.int32)


def matches_of(scores, hits, relevant):
    return Matches.of(np.array(hits, np.bool_), np.array(scores, np.float32), np.array(relevant))


def groups(matches):
    names = ("user", "above", "size", "hits", "hits_above")
    return list(zip(*(getattr(matches, name).tolist() for name in names), strict=True))


def test_hits_are_looked_up_in_each_users_own_films():
    items = np.array([[4, 0, -1], [0, 4, 2], [1, 2, 3]], np.int32)
    truth = [np.array([0], np.int32), np.array([4, 2, 9], np.int32), NOTHING]
    expected = [[False, True, False], [False, True, True], [False, False, False]]
    assert hits_of(items, truth, 10).tolist() == expected


def test_an_empty_slot_is_no_hit_whatever_the_last_film_is():
    truth = [np.array([2], np.int32), np.array([2], np.int32)]
    assert hits_of(np.array([[0], [-1]], np.int32), truth, 3).tolist() == [[False], [False]]


def test_hits_are_the_same_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    items = rng.integers(-1, 20, (30, 5)).astype(np.int32)
    truth = [rng.permutation(20)[:4].astype(np.int32) for _ in range(30)]
    whole = hits_of(items, truth, 20)
    monkeypatch.setattr("matinee.evaluation.matches._BLOCK_MARKS", 50)
    np.testing.assert_array_equal(hits_of(items, truth, 20), whole)
    expected = [[item in set(own.tolist()) for item in row] for row, own in zip(items, truth)]  # noqa: B905
    np.testing.assert_array_equal(whole, expected)


def test_no_lists_have_no_hits():
    assert hits_of(np.empty((0, 3), np.int32), [], 3).shape == (0, 3)
    assert groups(matches_of(np.empty((0, 3)), np.empty((0, 3)), [])) == []


def test_films_without_a_tie_are_groups_of_one():
    matches = matches_of([[3, 2, 1], [9, 5, 4]], [[1, 0, 1], [0, 1, 0]], [2, 1])
    assert groups(matches) == [(0, 0, 1, 1, 0), (0, 2, 1, 1, 1), (1, 1, 1, 1, 0)]


def test_films_of_equal_score_are_one_group():
    matches = matches_of([[3, 2, 2, 2, 1]], [[1, 0, 1, 1, 0]], [3])
    assert groups(matches) == [(0, 0, 1, 1, 0), (0, 1, 3, 2, 1)]


def test_a_group_ends_with_its_users_list():
    matches = matches_of([[2, 2, 1], [1, 1, 1]], [[0, 0, 1], [1, 0, 0]], [1, 1])
    assert groups(matches) == [(0, 2, 1, 1, 0), (1, 0, 3, 1, 0)]


def test_neighbouring_groups_stay_apart():
    matches = matches_of([[2, 2, 1, 1]], [[1, 0, 0, 1]], [2])
    assert groups(matches) == [(0, 0, 2, 1, 0), (0, 2, 2, 1, 1)]


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 9])
def test_expected_hits_share_a_cut_group_out(k):
    # One film, then three that tie, two of them relevant: each place of the tie holds 2/3 of a hit.
    matches = matches_of([[3, 2, 2, 2, 1]], [[1, 0, 1, 1, 0]], [3])
    expected = [0, 1, 5 / 3, 7 / 3, 3, 3, 3, 3, 3, 3][k]
    assert matches.expected_hits(k).tolist() == pytest.approx([expected])


def test_lists_whose_last_measured_place_ties_with_the_end_are_found():
    items = np.array([[0, 1, 2], [0, 1, 2], [0, 1, -1], [0, -1, -1]], np.int32)
    scores = np.array([[3, 2, 2], [3, 2, 1], [3, 2, -np.inf], [3, -np.inf, -np.inf]], np.float32)
    assert tied_past(scores, items, 2).tolist() == [0]
