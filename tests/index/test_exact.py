"""ExactIndex against sorting everything in Python."""

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.index import exact, lanes, tiles


def brute_force(items, bias, query, k, exclude, allow):
    """The k best as (item, score), by sorting."""
    scored = [
        (float(query @ items[number] + bias[number]), number)
        for number in range(len(items))
        if number not in exclude and allow[number]
    ]
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:k]
    return [(number, score) for score, number in best]


# Small whole numbers: exact in float32, and full of ties.
whole = st.integers(-2, 2)


@st.composite
def searches(draw):
    n, b, d = draw(st.integers(1, 40)), draw(st.integers(0, 4)), draw(st.integers(1, 3))
    table = st.lists(st.lists(whole, min_size=d, max_size=d), min_size=n, max_size=n)
    queries = st.lists(st.lists(whole, min_size=d, max_size=d), min_size=b, max_size=b)
    numbers = st.lists(st.integers(-1, n - 1), max_size=n)
    return {
        "items": np.array(draw(table), np.float32),
        "queries": np.array(draw(queries), np.float32).reshape(b, d),
        "bias": draw(st.none() | st.lists(whole, min_size=n, max_size=n)),
        "exclude": draw(st.none() | st.lists(numbers, min_size=b, max_size=b)),
        "allow": draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n)),
        "k": draw(st.integers(1, 15)),
        "lanes": draw(st.sampled_from([1, 3])),
        "few": draw(st.sampled_from([0, 16])),
        "table": draw(st.sampled_from([1, 1000])),
        "tile": draw(st.sampled_from([1, 7, 1000])),
        "caution": draw(st.sampled_from([-1, 0, 4])),
        "ample": draw(st.sampled_from([1, 4])),
        "copy_cost": draw(st.sampled_from([0, 1, 16])),
        "queries_a_block": draw(st.sampled_from([1, 2, 1000])),
    }


@settings(max_examples=300, deadline=None)
@given(searches())
def test_finds_what_sorting_everything_finds(search):
    items, n, b = search["items"], len(search["items"]), len(search["queries"])
    bias, exclude, allow = search["bias"], search["exclude"], search["allow"]
    with (
        mock.patch.multiple(lanes, LANES=search["lanes"], _FEW_QUERIES=search["few"]),
        mock.patch.multiple(
            tiles,
            LANES=search["lanes"],
            _TABLE_SCORES=search["table"],
            _TILE_SCORES=search["tile"],
            _SAMPLE_SHARE=2,
            _CAUTION=search["caution"],
            _AMPLE=search["ample"],
            _BLOCK_QUERIES=search["queries_a_block"],
        ),
        mock.patch.object(exact, "_COPY_COST", search["copy_cost"]),
    ):
        index = mt.ExactIndex(items, None if bias is None else np.array(bias, np.float32))
        found = index.search(
            search["queries"],
            search["k"],
            None if exclude is None else [np.array(own, np.int32) for own in exclude],
            None if allow is None else np.array(allow, bool),
        )
    width = min(search["k"], n)
    assert found.items.shape == found.scores.shape == (b, width)
    for row in range(b):
        expected = brute_force(
            items,
            bias or [0] * n,
            search["queries"][row],
            width,
            exclude[row] if exclude else [],
            allow or [True] * n,
        )
        filled = list(zip(*(column.tolist() for column in found.row(row)), strict=True))
        assert filled == expected
        assert found.items[row, len(expected) :].tolist() == [-1] * (width - len(expected))
        assert np.isneginf(found.scores[row, len(expected) :]).all()


@pytest.fixture(scope="module")
def large():
    """An index of several tiles, and queries for several blocks."""
    rng = np.random.default_rng(3)
    items = rng.integers(-2, 3, (9000, 6)).astype(np.float32)
    bias = rng.integers(-2, 3, 9000).astype(np.float32)
    return mt.ExactIndex(items, bias), rng.integers(-2, 3, (300, 6)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 100, 3000])
@pytest.mark.parametrize("share", [None, 0.0, 0.02, 0.9])
@pytest.mark.parametrize("excluding", [False, True])
def test_many_queries_on_several_tiles_and_threads(large, k, share, excluding):
    index, queries = large
    rng = np.random.default_rng(4)
    scores = queries @ index.vectors.T + index.bias
    allow = None if share is None else rng.random(len(index)) < share
    exclude = [rng.integers(-1, 9000, 100).astype(np.int32) for _ in queries] if excluding else None
    if allow is not None:
        scores[:, ~allow] = -np.inf
    if exclude is not None:
        for row, own in enumerate(exclude):
            scores[row, own[own >= 0]] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    found = index.search(queries, k, exclude, allow)
    np.testing.assert_array_equal(found.scores, best)
    np.testing.assert_array_equal(found.items, np.where(np.isneginf(best), -1, order))


def test_a_query_among_many_is_answered_as_if_alone(large):
    index, queries = large
    together = index.search(queries, 50)
    for row in (0, 1, 149, 150, 299):
        alone = index.search(queries[row : row + 1], 50)
        np.testing.assert_array_equal(alone.items[0], together.items[row])


def test_searches_from_several_threads_answer_as_one(large):
    index, queries = large
    expected = index.search(queries, 20)

    def ask(number):
        rows = slice(0, 300) if number % 2 else slice(number, number + 1)
        found = index.search(queries[rows], 20)
        return (found.items == expected.items[rows]).all()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(40)))


def test_real_scores_on_a_larger_table():
    rng = np.random.default_rng(0)
    items = rng.normal(size=(500, 16)).astype(np.float32)
    queries = rng.normal(size=(20, 16)).astype(np.float32)
    found = mt.ExactIndex(items).search(queries, 50)
    scores = queries @ items.T
    np.testing.assert_array_equal(found.items, np.argsort(-scores, axis=1)[:, :50])


def test_equal_scores_at_the_edge_of_k_keep_the_lowest_numbers():
    index = mt.ExactIndex(np.ones((9, 1), np.float32))
    assert index.search(np.ones((1, 1), np.float32), 4).items.tolist() == [[0, 1, 2, 3]]


def test_an_empty_slot_among_the_exclusions_excludes_nothing():
    index = mt.ExactIndex(np.array([[1], [2], [3]], np.float32))
    queries = np.ones((2, 1), np.float32)
    exclude = [np.array([-1], np.int32), np.array([-1, 1, -1], np.int32)]
    assert index.search(queries, 3, exclude).items.tolist() == [[2, 1, 0], [2, 0, -1]]


def test_everything_excluded_leaves_empty_slots():
    index = mt.ExactIndex(np.ones((3, 1), np.float32))
    query = np.ones((1, 1), np.float32)
    for options in (
        {"exclude": [np.arange(3, dtype=np.int32)]},
        {"allow": np.zeros(3, bool)},
    ):
        found = index.search(query, 3, **options)
        assert found.items.tolist() == [[-1, -1, -1]]
        assert np.isneginf(found.scores).all()


def test_the_index_keeps_its_own_order_when_the_input_is_not_contiguous():
    items = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    found = mt.ExactIndex(items).search(np.ones((1, 2), np.float32), 3)
    assert found.items.tolist() == [[2, 1, 0]]
    assert found.scores.tolist() == [[18.0, 10.0, 2.0]]


@pytest.mark.parametrize(
    ("vectors", "bias", "message"),
    [
        (np.empty((0, 2)), None, "shape"),
        (np.ones(3), None, "shape"),
        (np.ones((3, 2)), np.ones(2), "bias of shape"),
        (np.array([[1.0], [np.nan]]), None, "item 1 is not finite"),
        (np.array([[1.0], [1e300]]), None, "item 1 is not finite"),
        (np.array([[1.0], [2.0]]), np.array([np.inf, 0]), "item 0 is not finite"),
    ],
)
def test_tables_that_cannot_be_searched_are_refused(vectors, bias, message):
    with pytest.raises(DataError, match=message):
        mt.ExactIndex(vectors, bias)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0; expected at least 1"),
        ({"vectors": np.ones((1, 3), np.float32)}, r"expected \[b, 2\]"),
        ({"vectors": np.ones(2, np.float32)}, r"expected \[b, 2\]"),
        ({"exclude": []}, "0 exclusions for 1 queries"),
        ({"exclude": [np.array([3], np.int32)]}, "excluded item number 3; expected 0 … 2"),
        ({"allow": np.ones(4, bool)}, "expected bool"),
        ({"allow": np.ones(3, np.int32)}, "expected bool"),
    ],
)
def test_questions_that_do_not_fit_are_refused(arguments, message):
    index = mt.ExactIndex(np.ones((3, 2), np.float32))
    with pytest.raises(ConfigError, match=message):
        index.search(**{"vectors": np.ones((1, 2), np.float32), "k": 1, **arguments})


@pytest.mark.parametrize("biased", [True, False])
def test_scores_of_named_items_are_those_of_a_search(biased):
    rng = np.random.default_rng(3)
    vectors, bias = rng.normal(size=(20, 4)).astype(np.float32), np.arange(20, dtype=np.float32)
    index = mt.ExactIndex(vectors, bias if biased else None)
    query = rng.normal(size=4).astype(np.float32)
    found = index.search(query[None], 20)
    np.testing.assert_allclose(index.scores(query, found.items[0]), found.scores[0], rtol=1e-5)
