import numpy as np
import pytest

from matinee.errors import ConfigError
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
