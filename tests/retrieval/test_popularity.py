import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.retrieval.popularity import PopularityConfig, PopularityRetriever, fit_popularity
from tests.conformance import test_retrievers as conformance
from tests.conformance.conftest import N
from tests.retrieval.test_histories import newcomer, ratings_of

DAY = 86_400


def test_everybody_gets_the_most_rated_films():
    train = ratings_of([[2, 0], [2], [1, 2, 0]], n_items=4)
    retriever = fit_popularity(train)
    found = retriever.retrieve([mt.Query(0), mt.Query(), newcomer([3])], 10)
    assert found.items.tolist() == [[2, 0, 1, 3]] * 3
    assert found.scores.tolist() == [[3, 2, 1, 0]] * 3


def test_a_window_counts_the_newest_ratings_alone():
    # Film 0 was rated three times long ago, film 1 twice on the last two days.
    train = ratings_of([[0, 1], [0, 1], [0]], times=[0, 10 * DAY, 1, 9 * DAY, 2])
    assert fit_popularity(train).counts.tolist() == [3, 2]
    assert fit_popularity(train, PopularityConfig(1.0)).counts.tolist() == [0, 2]
    assert fit_popularity(train, PopularityConfig(0.5)).counts.tolist() == [0, 1]
    assert fit_popularity(train, PopularityConfig(10.0)).counts.tolist() == [3, 2]


def test_a_window_needs_times():
    with pytest.raises(DataError, match=r"last 7 days needs times.*leave window_days out"):
        fit_popularity(ratings_of([[0]]), PopularityConfig(7))


@pytest.mark.parametrize("days", [0, -1.0, float("inf"), float("nan")])
def test_a_window_of_no_time_is_refused(days):
    with pytest.raises(ConfigError, match=r"popularity.window_days = "):
        PopularityConfig(days)


def test_it_comes_back_from_its_tensors(ratings):
    config = PopularityConfig(30.0)
    retriever = fit_popularity(ratings, config)
    tensors = retriever.tensors()
    shapes = PopularityRetriever.shapes(config, len(ratings.users), len(ratings.items))
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    again = PopularityRetriever.of(tensors, ratings)
    assert again.liked_from == retriever.liked_from == 3.0
    found = [r.retrieve([mt.Query(0)], N) for r in (retriever, again)]
    np.testing.assert_array_equal(found[0].items, found[1].items)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)


def test_asking_leaves_the_counts_as_they_are(ratings):
    retriever = fit_popularity(ratings)
    before = retriever.counts.copy()
    retriever.retrieve([mt.Query(0)], 5, [np.arange(20, dtype=np.int32)])
    np.testing.assert_array_equal(retriever.counts, before)


def test_it_is_a_retriever(ratings):
    retriever = fit_popularity(ratings)
    conformance.test_leaves_out_what_is_excluded_or_not_allowed(retriever, 10)
    conformance.test_a_user_who_is_not_there_is_refused(retriever, 120)
    conformance.test_no_query_gets_no_answer(retriever)
    conformance.test_a_k_below_one_is_refused(retriever)
