import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval.popularity import PopularityRetriever
from tests.conformance.checks import check_top_k
from tests.conformance.conftest import N

QUERIES = [
    mt.Query(user_index=0),
    mt.Query(user_index=119),
    mt.Query(),
    mt.Query(None, np.array([1, 4, 7], np.int32), np.array([5, 4, 1], np.float32)),
    mt.Query(None, np.array([2], np.int32), np.array([1], np.float32)),
]
B = len(QUERIES)


@pytest.mark.parametrize("k", [1, 10, N, N + 5])
def test_gives_as_many_as_there_are(retriever, k):
    check_top_k(retriever.retrieve(QUERIES, k), B, k, N)


@pytest.mark.parametrize("k", [1, 10, N + 5])
def test_leaves_out_what_is_excluded_or_not_allowed(retriever, k):
    exclude = [np.arange(size, dtype=np.int32) for size in (0, 5, N - 1, N, 30)]
    allow = np.arange(N) % 3 != 0
    check_top_k(retriever.retrieve(QUERIES, k, exclude), B, k, N, exclude)
    check_top_k(retriever.retrieve(QUERIES, k, allow=allow), B, k, N, allow=allow)
    check_top_k(retriever.retrieve(QUERIES, k, exclude, allow), B, k, N, exclude, allow)


def test_an_empty_slot_excludes_nothing(retriever):
    empty = [np.array([-1], np.int32)] * B
    found, whole = retriever.retrieve(QUERIES, N, empty), retriever.retrieve(QUERIES, N)
    np.testing.assert_array_equal(found.items, whole.items)


@pytest.mark.parametrize("user", [-1, 120, 100_000])
def test_a_user_who_is_not_there_is_refused(retriever, user):
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 119"):
        retriever.retrieve([mt.Query(user_index=user)], 10)


def test_the_same_question_has_the_same_answer(retriever):
    first, again = retriever.retrieve(QUERIES, 10), retriever.retrieve(QUERIES, 10)
    np.testing.assert_array_equal(first.items, again.items)
    np.testing.assert_array_equal(first.scores, again.scores)


def test_each_query_is_answered_as_if_alone(retriever):
    together = retriever.retrieve(QUERIES, 10)
    for row, query in enumerate(QUERIES):
        alone = retriever.retrieve([query], 10)
        np.testing.assert_array_equal(alone.items[0], together.items[row])


def test_people_with_other_tastes_get_other_films(retriever):
    if isinstance(retriever, PopularityRetriever):
        pytest.skip("gives everybody the same")
    found = retriever.retrieve(QUERIES, 10)
    assert set(found.items[0].tolist()) != set(found.items[1].tolist())


def test_no_query_gets_no_answer(retriever):
    check_top_k(retriever.retrieve([], 10), 0, 10, N)
    check_top_k(retriever.retrieve([], 10, []), 0, 10, N)


def test_a_k_below_one_is_refused(retriever):
    with pytest.raises(ConfigError, match="k = 0"):
        retriever.retrieve(QUERIES, 0)
