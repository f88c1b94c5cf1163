import numpy as np

import matinee as mt
from tests.conformance.conftest import N
from tests.conformance.test_retrievers import QUERIES, B

ITEMS = np.stack([np.random.default_rng(row).permutation(N)[:12] for row in range(B)]).astype(
    np.int32
)
ITEMS[1, 9:] = -1
ITEMS[2, :] = -1


def candidates(items=ITEMS):
    return mt.TopK(items, np.zeros(items.shape, np.float32))


def test_keeps_each_querys_candidates(ranker):
    ranked = ranker.rank(QUERIES, candidates())
    assert ranked.items.shape == ranked.scores.shape == ITEMS.shape
    np.testing.assert_array_equal(np.sort(ranked.items, axis=1), np.sort(ITEMS, axis=1))
    assert ranked.items.dtype == np.int32
    assert ranked.scores.dtype == np.float32


def test_puts_them_in_descending_order_and_empty_slots_last(ranker):
    ranked = ranker.rank(QUERIES, candidates())
    for items, scores in zip(ranked.items, ranked.scores, strict=True):
        filled = int((items >= 0).sum())
        assert (items[filled:] == -1).all()
        assert np.isneginf(scores[filled:]).all()
        assert ((scores[:filled] >= 1) & (scores[:filled] <= 5)).all()
        places = list(zip(-scores[:filled], items[:filled], strict=True))
        assert places == sorted(places)


def test_the_order_of_the_candidates_does_not_matter(ranker):
    forth, back = (
        ranker.rank(QUERIES, candidates()),
        ranker.rank(QUERIES, candidates(ITEMS[:, ::-1])),
    )
    np.testing.assert_array_equal(forth.items, back.items)
    np.testing.assert_allclose(forth.scores, back.scores, rtol=1e-6)


def test_no_query_gets_no_answer(ranker):
    ranked = ranker.rank([], candidates(ITEMS[:0]))
    assert ranked.items.shape == (0, 12)
