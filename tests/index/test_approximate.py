"""ApproximateIndex against the exact one: filters and scores always, the best items mostly."""

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.index import approximate
from matinee.index.approximate import ApproximateConfig, ApproximateIndex
from tests.conformance.checks import check_top_k

SIZE = 6000


def clustered(seed=0, outlier=1.0):
    """Vectors around 60 centres with norms and biases that go together, and 50 queries."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, 8))
    popular = rng.normal(size=SIZE)
    vectors = centres[rng.integers(0, 60, SIZE)] + 0.4 * rng.normal(size=(SIZE, 8))
    vectors *= np.exp(0.3 * popular)[:, None]
    vectors[7] *= outlier
    queries = vectors[rng.integers(0, SIZE, 50)] + 0.3 * rng.normal(size=(50, 8))
    return (array.astype(np.float32) for array in (vectors, popular, queries))


@pytest.fixture(scope="module")
def both():
    """The approximate index, the exact one, and queries."""
    vectors, bias, queries = clustered()
    config = ApproximateConfig(lists=200, probes=20)
    return ApproximateIndex(vectors, bias, config=config), mt.ExactIndex(vectors, bias), queries


@pytest.fixture
def unhelped(both, monkeypatch):
    """As `both`, but that the exact index within the approximate one has nothing to answer."""

    def search(vectors, *_):
        raise AssertionError(f"{len(vectors)} queries went to the exact index")

    monkeypatch.setattr(both[0]._exact, "search", search)
    return both


def recall(found, expected):
    shared = [len(np.intersect1d(*rows)) for rows in zip(found.items, expected.items, strict=True)]
    return sum(shared) / expected.items.size


def check_scores(index, queries, found):
    """Each score is the inner product plus the bias of the item beside it."""
    scores = queries @ index.vectors.T + index.bias
    filled = found.items >= 0
    own = np.take_along_axis(scores, np.maximum(found.items, 0), axis=1)
    np.testing.assert_allclose(found.scores[filled], own[filled], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("k", [1, 10, 40])
def test_finds_most_of_the_best_with_their_scores(unhelped, k):
    index, exact, queries = unhelped
    found = index.search(queries, k)
    check_top_k(found, len(queries), k, SIZE)
    check_scores(exact, queries, found)
    assert recall(found, exact.search(queries, k)) > 0.95


def test_a_single_huge_vector_does_not_spoil_the_lists():
    vectors, bias, queries = clustered(outlier=100)
    index = ApproximateIndex(vectors, bias, config=ApproximateConfig(lists=200, probes=20))
    found, expected = (each.search(queries, 10) for each in (index, mt.ExactIndex(vectors, bias)))
    assert recall(found, expected) > 0.95
    # It is the best of about half of them, though it is far from all of them.
    first = expected.items[:, 0] == 7
    assert first.any()
    np.testing.assert_array_equal(found.items[first, 0], 7)


def test_the_more_probes_the_more_is_found(both):
    _, exact, queries = both
    expected = exact.search(queries, 5)
    found = [
        recall(
            ApproximateIndex(
                exact.vectors, exact.bias, config=ApproximateConfig(200, probes)
            ).search(queries, 5),
            expected,
        )
        for probes in (1, 8, 50)
    ]
    assert found[0] < found[1] <= found[2]
    assert found[2] > 0.99


def test_what_is_not_allowed_or_excluded_is_left_out_before_the_best_are_picked(unhelped):
    index, exact, queries = unhelped
    allow = np.arange(SIZE) % 3 != 0
    best = exact.search(queries, 30, allow=allow).items
    exclude = [np.append(own[: number % 20], -1) for number, own in enumerate(best)]
    for filters in ({"exclude": exclude}, {"allow": allow}, {"exclude": exclude, "allow": allow}):
        found = index.search(queries, 10, **filters)
        check_top_k(found, len(queries), 10, SIZE, **filters)
        check_scores(exact, queries, found)
        assert recall(found, exact.search(queries, 10, **filters)) > 0.95


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2])
def test_few_allowed_items_are_searched_exactly(both, share):
    index, exact, queries = both
    allow = np.random.default_rng(2).random(SIZE) < share
    found, expected = (each.search(queries, 10, None, allow) for each in (index, exact))
    np.testing.assert_array_equal(found.items, expected.items)


@pytest.mark.parametrize("k", [1000, SIZE, SIZE + 1])
def test_a_large_part_of_the_catalogue_is_asked_of_the_exact_index(both, k):
    index, exact, queries = both
    np.testing.assert_array_equal(
        index.search(queries[:3], k).items, exact.search(queries[:3], k).items
    )


def test_rows_that_exclude_much_are_answered_exactly_beside_those_that_do_not(both):
    index, exact, queries = both
    much = np.delete(np.arange(SIZE, dtype=np.int32), [4, 400, 4000])
    exclude = [much if row % 2 else much[:2] for row in range(10)]
    found = index.search(queries[:10], 5, exclude)
    expected = exact.search(queries[:10], 5, exclude)
    check_top_k(found, 10, 5, SIZE, exclude)
    np.testing.assert_array_equal(found.items[1::2], expected.items[1::2])


def test_where_the_nearest_lists_hold_too_little_the_exact_index_helps(both):
    index, exact, queries = both
    # All but the surroundings of the first query are allowed: its lists hold next to nothing.
    allow = np.ones(SIZE, bool)
    allow[exact.search(queries[:1], SIZE // 3).items[0]] = False
    found, expected = (each.search(queries[:2], 20, None, allow) for each in (index, exact))
    check_top_k(found, 2, 20, SIZE, allow=allow)
    np.testing.assert_array_equal(found.items[0], expected.items[0])


def test_each_query_is_answered_as_if_alone_in_blocks_of_any_size(both):
    index, _, queries = both
    exclude = [np.arange(number, dtype=np.int32) for number in range(len(queries))]
    together = index.search(queries, 10, exclude)
    for size in (1, 7):
        with mock.patch.object(approximate, "_BLOCK_QUERIES", size):
            apart = index.search(queries, 10, exclude)
        np.testing.assert_array_equal(apart.items, together.items)


def test_the_same_seed_gives_the_same_index(both):
    index, exact, queries = both
    again = ApproximateIndex(exact.vectors, exact.bias, config=index.config)
    for field in ("items", "scores"):
        np.testing.assert_array_equal(
            *(getattr(each.search(queries, 20), field) for each in (index, again))
        )


def test_searches_from_several_threads_answer_as_one(both):
    index, _, queries = both
    expected = index.search(queries, 20)

    def ask(number):
        return (index.search(queries, 20).items == expected.items).all()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(30)))


# Small whole numbers: exact in float32, and full of ties.
whole = st.integers(-2, 2)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_search_keeps_the_contract(data):
    n = data.draw(st.integers(1, 40))
    vectors = np.array(data.draw(st.lists(st.tuples(whole, whole), min_size=n, max_size=n)))
    bias = np.array(data.draw(st.lists(whole, min_size=n, max_size=n)), np.float32)
    config = ApproximateConfig(data.draw(st.integers(1, 40)), data.draw(st.integers(1, 4)))
    index = ApproximateIndex(vectors.astype(np.float32), bias, config=config)
    numbers = st.lists(st.integers(-1, n - 1), max_size=n)
    exclude = [np.array(data.draw(numbers), np.int32) for _ in range(3)]
    allow = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    queries = np.array([[1, 0], [-1, 2], [0, 0]], np.float32)
    k = data.draw(st.integers(1, 45))
    with mock.patch.multiple(approximate, _WORTH_LISTS=1, _AMPLE=data.draw(st.integers(0, 2))):
        found = index.search(queries, k, exclude, allow)
    check_top_k(found, 3, k, n, exclude, allow)
    scores = queries @ vectors.T + bias
    filled = found.items >= 0
    own = np.take_along_axis(scores, np.maximum(found.items, 0), axis=1)
    np.testing.assert_array_equal(found.scores[filled], own[filled])


def test_without_faiss_it_says_what_to_install():
    with (
        mock.patch.dict("sys.modules", {"faiss": None}),
        pytest.raises(ConfigError, match=r"FAISS.*pip install \"matinee\[ann\]\""),
    ):
        ApproximateIndex(np.ones((3, 2), np.float32))


def test_tables_that_cannot_be_searched_are_refused():
    with pytest.raises(DataError, match="item 1 is not finite"):
        ApproximateIndex(np.array([[1], [np.nan]], np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vectors": np.ones((1, 9), np.float32)}, r"expected \[b, 8\]"),
        ({"exclude": []}, "0 exclusions for 1 queries"),
        ({"exclude": [np.array([SIZE], np.int32)]}, f"excluded item number {SIZE}"),
        ({"allow": np.ones(4, bool)}, "expected bool"),
    ],
)
def test_questions_that_do_not_fit_are_refused(both, arguments, message):
    with pytest.raises(ConfigError, match=message):
        both[0].search(**{"vectors": np.ones((1, 8), np.float32), "k": 1, **arguments})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lists": 0}, "index.lists = 0"),
        ({"probes": 0}, "index.probes = 0"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ApproximateConfig(**settings)
