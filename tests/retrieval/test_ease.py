import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.retrieval import ease
from matinee.retrieval.ease import EaseConfig, EaseRetriever, fit_ease
from tests.retrieval.test_histories import newcomer, ratings_of
from tests.synthetic import KINDS, UNRATED, kind_of


def test_two_films_by_fractions():
    # XᵀX + I = [[3, 1], [1, 3]]; its inverse is [[3, -1], [-1, 3]] / 8.
    retriever = fit_ease(ratings_of([[0, 1], [0], [1]]), EaseConfig(1.0))
    np.testing.assert_allclose(retriever.weights, [[0, 1 / 3], [1 / 3, 0]], rtol=1e-6)


@pytest.mark.parametrize("block", [1, 5, 512])
def test_the_weights_are_those_of_the_explicit_inverse(monkeypatch, block):
    monkeypatch.setattr(ease, "_BLOCK_FILMS", block)
    rng = np.random.default_rng(3)
    dense = rng.random((30, 12)) < 0.3
    dense[:, 11] = False
    train = ratings_of([np.flatnonzero(row) for row in dense], n_items=12)
    x = dense.astype(np.float64)
    inverse = np.linalg.inv(x.T @ x + 7 * np.eye(12))
    expected = np.eye(12) - inverse / np.diag(inverse)
    weights = fit_ease(train, EaseConfig(7.0)).weights
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    assert (np.diag(weights) == 0).all()
    # The last film was rated by nobody.
    assert not weights[11].any()
    assert not weights[:, 11].any()


def test_scores_are_sums_of_the_historys_rows():
    train = ratings_of([[0, 1, 2], [0, 1], [2, 3], [1]], n_items=4)
    retriever = fit_ease(train, EaseConfig(2.0))
    found = retriever.retrieve([mt.Query(1)], 4)
    expected = retriever.weights[0] + retriever.weights[1]
    np.testing.assert_allclose(found.scores[0], expected[found.items[0]], rtol=1e-6)


@pytest.fixture(scope="module")
def retriever(ratings):
    return fit_ease(ratings, EaseConfig(20.0))


def test_a_newcomer_is_answered_as_the_user_with_the_same_films(retriever, ratings):
    users = [0, 60, 119]
    own = ratings.items_by_user()
    known = retriever.retrieve([mt.Query(user) for user in users], 20)
    new = retriever.retrieve([newcomer(own[user][::-1]) for user in users], 20)
    np.testing.assert_array_equal(known.items, new.items)
    np.testing.assert_array_equal(known.scores, new.scores)


def test_a_stranger_gets_the_most_rated_films(retriever, ratings):
    for query in (mt.Query(), newcomer([1], [1])):
        found = retriever.retrieve([query], 90)
        counts = ratings.item_counts()[found.items[0]]
        np.testing.assert_array_equal(counts, -np.sort(-ratings.item_counts()))
        np.testing.assert_array_equal(found.scores[0], counts)


def test_a_film_that_nobody_rated_is_not_recommended(retriever, ratings):
    queries = [mt.Query(user) for user in range(120)]
    found = retriever.retrieve(queries, 10, ratings.items_by_user())
    assert UNRATED - 1 not in found.items


def test_similar_films_are_those_that_a_history_of_this_one_leads_to(retriever):
    found = retriever.similar(7, 5)
    alone = retriever.retrieve([newcomer([7])], 5, [np.array([7], np.int32)])
    np.testing.assert_array_equal(found.items, alone.items)
    np.testing.assert_array_equal(found.scores, alone.scores)


def test_similar_films_are_mostly_of_the_same_kind(retriever):
    films = [film for film in range(90) if film != UNRATED - 1]
    same = [
        kind_of(film + 1) == kind_of(item + 1)
        for film in films
        for item in retriever.similar(film, 5).items[0].tolist()
    ]
    assert np.mean(same) > 0.6


def test_each_kind_of_taste_is_met(retriever):
    for kind in range(len(KINDS)):
        liked = [item for item in range(90) if kind_of(item + 1) == kind][:8]
        found = retriever.retrieve([newcomer(liked)], 10, [np.array(liked, np.int32)])
        assert sum(kind_of(item + 1) == kind for item in found.items[0].tolist()) >= 6


def test_it_comes_back_from_its_tensors(retriever, ratings):
    tensors = retriever.tensors()
    shapes = EaseRetriever.shapes(EaseConfig(), len(ratings.users), len(ratings.items))
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    again = EaseRetriever.of(tensors, ratings)
    assert again.liked_from == 3.0
    queries = [mt.Query(5), mt.Query(), newcomer([3, 4])]
    found = [r.retrieve(queries, 90) for r in (retriever, again)]
    np.testing.assert_array_equal(found[0].items, found[1].items)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)


@pytest.mark.parametrize("l2", [0, -1.0, float("inf"), float("nan")])
def test_no_regularization_is_refused(l2):
    with pytest.raises(ConfigError, match=r"ease.l2 = .*above 0"):
        EaseConfig(l2)


def test_too_little_regularization_is_told():
    # Two films with the same viewers, and nothing in double precision to tell them apart.
    with pytest.raises(DataError, match=r"EASE.s l2 = 1e-30.*give more"):
        fit_ease(ratings_of([[0, 1]]), EaseConfig(1e-30))


def test_too_many_films_are_refused_with_what_they_would_need():
    train = ratings_of([[0, 1], [2]], n_items=60_000)
    with pytest.raises(DataError, match=r"60,000 films need 43 GB.*at most 20,000; use ials"):
        fit_ease(train)
