from contextlib import ExitStack

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import matinee as mt
from matinee.errors import ConfigError
from matinee.index.blocks import blas_on_one_thread
from matinee.retrieval.ials import IalsConfig, IalsRetriever, fit_ials
from tests.index.test_blocks import blas_threads
from tests.retrieval.test_histories import newcomer, ratings_of
from tests.retrieval.test_least_squares import OBJECTIVE, loss_of
from tests.synthetic import KINDS, UNRATED, kind_of

SMALL = IalsConfig(embedding_size=4, sweeps=30, alpha0=0.3, l2=0.2)


@pytest.fixture(scope="module")
def retriever(ratings):
    return fit_ials(ratings, SMALL, seed=3)


def test_the_loss_falls_from_sweep_to_sweep(retriever, ratings):
    losses = np.array(retriever.losses)
    assert len(losses) == 30
    assert (np.diff(losses) < 1e-5 * losses[0]).all()
    dense = np.zeros((120, 90), np.float32)
    dense[ratings.user_index, ratings.item_index] = 1
    expected = loss_of(dense, retriever.user_vectors, retriever.movie_vectors, OBJECTIVE)
    assert losses[-1] == pytest.approx(expected, rel=1e-5)


def test_the_seed_decides(ratings, retriever):
    again, other = fit_ials(ratings, SMALL, seed=3), fit_ials(ratings, SMALL, seed=4)
    for name, tensor in retriever.tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], tensor)
    assert not np.array_equal(other.user_vectors, retriever.user_vectors)


def test_a_newcomers_vector_is_that_of_a_user_with_the_same_films(retriever, ratings):
    own = ratings.items_by_user()
    found = retriever.vectors([newcomer(items) for items in own])
    np.testing.assert_allclose(found, retriever.user_vectors, atol=2e-3)


def test_only_liked_films_speak_for_a_newcomer(retriever):
    queries = [newcomer([4, 7]), newcomer([4, 9, 7], [5, 1, 3]), newcomer([9], [1]), mt.Query()]
    vectors = retriever.vectors(queries)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not vectors[2:].any()


def test_a_stranger_and_a_user_without_ratings_get_the_most_rated_films():
    train = ratings_of([[0, 1], [], [1, 2], [1]], n_items=4)
    retriever = fit_ials(train, SMALL)
    found = retriever.retrieve([mt.Query(), mt.Query(1), newcomer([0], [1])], 4)
    assert found.items.tolist() == [[1, 0, 2, 3]] * 3
    assert found.scores.tolist() == [[3, 1, 1, 0]] * 3


def test_a_film_that_nobody_rated_is_not_recommended(retriever, ratings):
    assert not retriever.movie_vectors[UNRATED - 1].any()
    queries = [mt.Query(user) for user in range(120)]
    found = retriever.retrieve(queries, 10, ratings.items_by_user())
    assert UNRATED - 1 not in found.items


def test_each_kind_of_taste_is_met(retriever):
    for kind in range(len(KINDS)):
        liked = [item for item in range(90) if kind_of(item + 1) == kind][:8]
        found = retriever.retrieve([newcomer(liked)], 10, [np.array(liked, np.int32)])
        assert sum(kind_of(item + 1) == kind for item in found.items[0].tolist()) >= 6


def test_similar_goes_by_angle_and_leaves_the_film_itself_out(retriever):
    found = retriever.similar(0, 5)
    vectors = retriever.movie_vectors
    cosine = vectors @ vectors[0] / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    cosine[0] = -np.inf
    assert found.items[0].tolist() == np.argsort(-cosine)[:5].tolist()


def test_it_comes_back_from_its_tensors(retriever, ratings):
    tensors = retriever.tensors()
    shapes = IalsRetriever.shapes(SMALL, len(ratings.users), len(ratings.items))
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    again = IalsRetriever.of(tensors, ratings)
    assert (again.liked_from, again.losses) == (3.0, ())
    queries = [mt.Query(5), mt.Query(), newcomer([3, 4])]
    found = [r.retrieve(queries, 90) for r in (retriever, again)]
    np.testing.assert_array_equal(found[0].items, found[1].items)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"embedding_size": 0}, r"ials.embedding_size = 0; expected 1 … 65536"),
        ({"sweeps": 0}, r"ials.sweeps = 0"),
        ({"alpha0": 0.0}, r"ials.alpha0 = 0.0; expected above 0 and finite"),
        ({"l2": -1.0}, r"ials.l2 = -1.0"),
        ({"init_std": float("inf")}, r"ials.init_std = inf"),
        ({"nu": 1.5}, r"ials.nu = 1.5; expected in \[0, 1\]"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        IalsConfig(**settings)


def test_a_seed_out_of_range_is_refused(ratings):
    with pytest.raises(ConfigError, match="seed = -1"):
        fit_ials(ratings, SMALL, seed=-1)


def test_a_search_at_the_same_time_does_not_leave_blas_on_one_thread(ratings, monkeypatch):
    """One that begins while the training holds BLAS to one thread and ends after it."""
    with threadpool_limits(2, user_api="blas"), ExitStack() as search:
        monkeypatch.setattr(
            "matinee.retrieval.ials.half_sweep",
            lambda rated, fixed, start, objective, run: (
                search.enter_context(blas_on_one_thread()) and start,
                0.0,
            ),
        )
        fit_ials(ratings, IalsConfig(embedding_size=2, sweeps=1))
        assert set(blas_threads()) == {1}
        search.close()
        assert set(blas_threads()) == {2}
