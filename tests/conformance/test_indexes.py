import numpy as np
import pytest

from matinee.errors import ConfigError, DataError
from tests.conformance.checks import check_top_k
from tests.conformance.conftest import N

QUERIES = np.random.default_rng(1).integers(-2, 3, (4, 3)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 10, N, N + 5])
def test_gives_as_many_as_there_are(index, k):
    assert len(index) == N
    check_top_k(index.search(QUERIES, k), 4, k, N)


@pytest.mark.parametrize("k", [1, 10, N + 5])
def test_leaves_out_what_is_excluded_or_not_allowed(index, k):
    exclude = [np.arange(size, dtype=np.int32) for size in (0, 5, N - 1, N)]
    allow = np.arange(N) % 3 != 0
    check_top_k(index.search(QUERIES, k, exclude), 4, k, N, exclude)
    check_top_k(index.search(QUERIES, k, allow=allow), 4, k, N, allow=allow)
    check_top_k(index.search(QUERIES, k, exclude, allow), 4, k, N, exclude, allow)


def test_an_empty_slot_excludes_nothing(index):
    exclude = [np.array([-1, number], np.int32) for number in range(4)]
    plain = [np.array([number], np.int32) for number in range(4)]
    found, expected = index.search(QUERIES, N, exclude), index.search(QUERIES, N, plain)
    np.testing.assert_array_equal(found.items, expected.items)


def test_each_query_is_answered_as_if_alone(index):
    together = index.search(QUERIES, 10)
    for row in range(4):
        alone = index.search(QUERIES[row : row + 1], 10)
        np.testing.assert_array_equal(alone.items[0], together.items[row])


def test_no_query_gets_no_answer(index):
    check_top_k(index.search(QUERIES[:0], 10), 0, 10, N)
    check_top_k(index.search(QUERIES[:0], 10, []), 0, 10, N)


def test_a_k_below_one_is_refused(index):
    with pytest.raises(ConfigError, match="k = 0"):
        index.search(QUERIES, 0)


def test_what_is_excluded_twice_is_excluded_once(index):
    twice = [np.array([number, number, -1, number], np.int32) for number in range(4)]
    once = [np.array([number], np.int32) for number in range(4)]
    found, expected = index.search(QUERIES, N, twice), index.search(QUERIES, N, once)
    np.testing.assert_array_equal(found.items, expected.items)


def test_queries_of_any_type_and_layout_are_read_as_float32(index):
    expected = index.search(QUERIES, 10)
    for queries in (
        QUERIES.astype(np.float64),
        QUERIES.astype(np.int64),
        np.asfortranarray(QUERIES),
        np.repeat(QUERIES, 2, axis=0)[::2],
    ):
        found = index.search(queries, 10)
        np.testing.assert_array_equal(found.items, expected.items)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_query_of_zeros_gets_an_answer(index):
    check_top_k(index.search(0 * QUERIES, 10), 4, 10, N)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300])
def test_a_query_that_is_not_finite_is_refused(index, wrong):
    queries = QUERIES.astype(np.float64)
    queries[2, 1] = wrong
    with pytest.raises(DataError, match="query 2 is not finite"):
        index.search(queries, 10)


def test_an_excluded_number_that_is_no_item_is_refused(index):
    with pytest.raises(ConfigError, match=f"excluded item number {N}"):
        index.search(QUERIES[:1], 10, [np.array([N], np.int32)])
