import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
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
        assert np.isfinite(scores[:filled]).all()
        places = list(zip(-scores[:filled], items[:filled], strict=True))
        assert places == sorted(places)


def test_predicts_stars_on_the_scale_and_none_for_empty_slots(ranker):
    stars = ranker.predict(QUERIES, ITEMS)
    assert (stars.shape, stars.dtype) == (ITEMS.shape, np.float32)
    np.testing.assert_array_equal(np.isnan(stars), ITEMS < 0)
    assert ((stars[ITEMS >= 0] >= 1) & (stars[ITEMS >= 0] <= 5)).all()


def test_what_it_ranks_by_is_what_it_predicts_before_that_is_cut_to_the_scale(ranker):
    ranked = ranker.rank(QUERIES, candidates())
    stars = ranker.predict(QUERIES, ranked.items)
    filled = ranked.items >= 0
    np.testing.assert_allclose(np.clip(ranked.scores, 1, 5)[filled], stars[filled], atol=1e-5)


@pytest.mark.parametrize("user", [-1, 120, 100_000])
def test_a_user_who_is_not_there_is_refused(ranker, user):
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 119"):
        ranker.predict([mt.Query(user_index=user)], ITEMS[:1])
    with pytest.raises(ConfigError, match=rf"{user}.*expected 0 … 119"):
        ranker.rank([mt.Query(user_index=user)], candidates(ITEMS[:1]))


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
