"""Whatever explains its scores: contributions sum to them, and without a film its part is gone."""

import numpy as np
import pytest

import matinee as mt
from matinee.types import Explains, HasDirections
from tests.conformance.conftest import N

HISTORY = np.array([1, 4, 7, 30, 61], np.int32)
ITEMS = np.array([2, 3, 5, 33, 64, 89], np.int32)
FIVES = np.full(len(HISTORY), 5, np.float32)
EXACT = ("ease", "item-knn")


@pytest.fixture
def explaining(retriever):
    if not isinstance(retriever, Explains):
        pytest.skip("does not explain")
    return retriever


def scores_of(retriever, query):
    found = retriever.retrieve([query], N)
    scores = np.full(N, np.nan, np.float32)
    scores[found.row(0)[0]] = found.row(0)[1]
    return scores


@pytest.mark.parametrize("known", [True, False])
def test_contributions_sum_to_the_scores(explaining, split, known):
    query = mt.Query(5) if known else mt.Query(None, HISTORY, FIVES)
    films = split.train.items_by_user()[5] if known else HISTORY
    found = explaining.contributions(query, films, ITEMS)
    assert (found.by_film.shape, found.base.shape) == ((len(ITEMS), len(films)), (len(ITEMS),))
    assert found.by_film.dtype == found.base.dtype == np.float32
    total = found.base + found.by_film.sum(axis=1)
    np.testing.assert_allclose(total, scores_of(explaining, query)[ITEMS], rtol=1e-3, atol=1e-3)


def test_without_a_film_a_score_loses_about_its_contribution(explaining):
    query = mt.Query(None, HISTORY, FIVES)
    found, whole = explaining.contributions(query, HISTORY, ITEMS), scores_of(explaining, query)
    lost = []
    for place in range(len(HISTORY)):
        rest = np.delete(HISTORY, place)
        without = scores_of(explaining, mt.Query(None, rest, FIVES[1:]))
        lost.append(whole[ITEMS] - without[ITEMS])
    lost = np.array(lost).T
    if explaining.source in EXACT:
        np.testing.assert_allclose(found.by_film, lost, rtol=1e-4, atol=1e-5)
    else:
        assert np.corrcoef(found.by_film.ravel(), lost.ravel())[0, 1] > 0.9


def test_without_a_history_all_is_base(explaining):
    none = np.empty(0, np.int32)
    found = explaining.contributions(mt.Query(), none, ITEMS)
    assert found.by_film.shape == (len(ITEMS), 0)


def test_directions_have_length_1(retriever):
    if not isinstance(retriever, HasDirections):
        pytest.skip("has no vectors")
    lengths = np.linalg.norm(retriever.directions, axis=1)
    assert lengths.shape == (N,)
    np.testing.assert_allclose(lengths[lengths > 1e-3], 1, rtol=1e-5)
