"""The best of a row, block by block, against sorting everything in Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from matinee.errors import ConfigError
from matinee.index import select
from matinee.index.select import Candidates, lower_bounds, search_blocks, top_k

# Few different scores, so that most of them tie; -0.0 equals 0.0, and -inf is not eligible.
few = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0, 3.0])


def by_sorting(scores, k):
    """Items and scores of each row, by Python's stable sort."""
    items, best = [], []
    for row in scores.tolist():
        ranked = sorted(range(len(row)), key=lambda item: -row[item])[:k]
        items.append([item if row[item] > -np.inf else -1 for item in ranked])
        best.append([row[item] for item in ranked])
    return items, best


@st.composite
def tables(draw):
    rows, size = draw(st.integers(1, 5)), draw(st.integers(1, 60))
    return draw(arrays.arrays(np.float32, (rows, size), elements=few | st.floats(-9, 9, width=32)))


@settings(max_examples=300, deadline=None)
@given(tables(), st.integers(1, 70), st.integers(1, 16))
def test_gives_what_sorting_everything_gives(scores, k, groups):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_GROUPS", groups)
        items, values = top_k(scores, k)
    assert items.dtype == np.int32
    assert values.dtype == np.float32
    expected, best = by_sorting(scores, k)
    empty = max(0, k - scores.shape[1])
    assert items.tolist() == [own + [-1] * empty for own in expected]
    assert values.tolist() == [own + [-np.inf] * empty for own in best]


@settings(max_examples=300, deadline=None)
@given(tables(), st.integers(1, 20), st.integers(1, 60), st.integers(1, 60), st.data())
def test_candidates_are_the_best_or_said_not_to_be_known(scores, k, width, limit, data):
    rows, size = scores.shape
    bound = data.draw(arrays.arrays(np.float32, (rows, 1), elements=few))
    reached = (scores >= np.maximum(bound, np.finfo(np.float32).min)).sum(axis=1)
    candidates = Candidates(np.maximum(bound, np.finfo(np.float32).min), limit)
    order = np.random.default_rng(size).permutation(size)
    for first in range(0, size, width):
        own = order[first : first + width]
        candidates.offer(scores[:, own], own)
    items, values, unknown = candidates.top(k)
    assert unknown.tolist() == np.flatnonzero((reached < k) | (reached > limit)).tolist()
    expected = by_sorting(scores, k)
    for row in np.setdiff1d(np.arange(rows), unknown):
        assert items[row].tolist() == expected[0][row]
        assert values[row].tolist() == expected[1][row]


def test_at_least_k_reach_a_lower_bound_and_few_others():
    scores = np.random.default_rng(0).normal(size=(20, 4100)).astype(np.float32)
    for k in (1, 10, 300):
        reached = (scores >= lower_bounds(scores, k)).sum(axis=1)
        assert (reached >= k).all()
        assert reached.mean() < 2 * k + 1


@pytest.mark.parametrize("k", [1, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 4099, 4100])
@pytest.mark.parametrize("kinds", [1, 2, 50, 100_000])
def test_every_number_of_ties_at_every_edge_of_the_groups(k, kinds):
    scores = np.random.default_rng(k).integers(0, kinds, (3, 4100)).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    items, best = top_k(scores, k)
    np.testing.assert_array_equal(items, order)
    np.testing.assert_array_equal(best, np.take_along_axis(scores, order, axis=1))


def test_more_rows_than_a_small_integer_counts():
    scores = np.random.default_rng(0).integers(0, 9, (70_000, 9)).astype(np.float32)
    items, _ = top_k(scores, 2)
    np.testing.assert_array_equal(items, np.argsort(-scores, axis=1, kind="stable")[:, :2])


def test_extreme_scores_keep_their_order():
    scores = np.array([[-3e38, 1e-45, 3e38, -1e-45, 0.0, np.inf, -np.inf]], np.float32)
    items, best = top_k(scores, 7)
    assert items.tolist() == [[5, 2, 1, 4, 3, 0, -1]]
    np.testing.assert_array_equal(best, scores[:, [5, 2, 1, 4, 3, 0, 6]])


def test_a_crowd_of_ties_beside_rows_without():
    rng = np.random.default_rng(5)
    scores = np.zeros((4, 6000), np.float32)
    scores[1, rng.choice(6000, 30, replace=False)] = 1
    scores[2] = rng.random(6000)
    items, best = top_k(scores, 50)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :50]
    np.testing.assert_array_equal(items, expected)
    np.testing.assert_array_equal(best, np.take_along_axis(scores, expected, axis=1))


def test_few_eligible_scores_among_many():
    scores = np.full((2, 5000), -np.inf, np.float32)
    scores[0, [4999, 17]] = 1, 1
    items, best = top_k(scores, 3)
    assert items.tolist() == [[17, 4999, -1], [-1, -1, -1]]
    assert best[0].tolist() == [1, 1, -np.inf]


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(1, 70), st.integers(1, 100), st.data())
def test_blocks_apply_the_filters_first(scores, k, block, data):
    rows, size = scores.shape
    numbers = st.lists(st.integers(-1, size - 1), max_size=size)
    exclude = data.draw(st.none() | st.lists(numbers, min_size=rows, max_size=rows))
    allow = data.draw(st.none() | arrays.arrays(np.bool_, size))
    eligible = scores.copy()
    if allow is not None:
        eligible[:, ~allow] = -np.inf
    for row, own in enumerate(exclude or []):
        eligible[row, [item for item in own if item != -1]] = -np.inf
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_BLOCK_SCORES", block)
        found = search_blocks(
            lambda chosen: scores[chosen].copy(),
            rows,
            size,
            k,
            None if exclude is None else [np.array(own, np.int32) for own in exclude],
            allow,
        )
    expected = by_sorting(eligible, min(k, size))
    assert (found.items.tolist(), found.scores.tolist()) == expected


def test_no_query_gets_no_answer():
    found = search_blocks(lambda rows: np.zeros((0, 5), np.float32), 0, 5, 3, [])
    assert found.items.shape == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0; expected at least 1"),
        ({"exclude": []}, "0 exclusions for 2 queries; expected one each"),
        ({"exclude": [np.array([5]), np.array([0])]}, "excluded item number 5; expected 0 … 4"),
        ({"exclude": [np.array([0]), np.array([-2])]}, "excluded item number -2"),
        ({"allow": np.ones(4, bool)}, r"allow is bool \(4,\); expected bool \(5,\)"),
        ({"allow": np.ones(5, np.int32)}, "allow is int32"),
    ],
)
def test_questions_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        search_blocks(lambda rows: np.zeros((2, 5), np.float32), 2, 5, **{"k": 1, **arguments})
