import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.retrieval import item_knn
from matinee.retrieval.item_knn import ItemKnnConfig, ItemKnnRetriever, fit_item_knn
from tests.retrieval.test_histories import newcomer, ratings_of
from tests.synthetic import UNRATED, kind_of

# Film 0 has viewers 0, 1, 2, 3; film 1 has 0; film 2 has 0, 1, 2, 4; nobody saw film 3.
SMALL = [[0, 1, 2], [0, 2], [0, 2], [0], [2]]


def test_similarities_by_fractions():
    retriever = fit_item_knn(ratings_of(SMALL, n_items=4), ItemKnnConfig(2, shrinkage=1.0))
    # 3 / (√(4·4) + 1), 1 / (√(4·1) + 1) twice, and films 0 and 2 are as near to film 1.
    assert retriever.neighbors.tolist() == [[2, 1], [0, 2], [0, 1], [-1, -1]]
    expected = [[3 / 5, 1 / 3], [1 / 3, 1 / 3], [3 / 5, 1 / 3], [0, 0]]
    np.testing.assert_allclose(retriever.similarities, expected, rtol=1e-6)


def test_without_shrinkage_it_is_the_cosine():
    rng = np.random.default_rng(4)
    dense = rng.random((40, 15)) < 0.3
    train = ratings_of([np.flatnonzero(row) for row in dense], n_items=15)
    retriever = fit_item_knn(train, ItemKnnConfig(15, shrinkage=0.0))
    directions = dense / np.linalg.norm(dense, axis=0)
    cosine = directions.T @ directions
    for film in range(15):
        near = retriever.neighbors[film].astype(int)
        kept = near >= 0
        assert film not in near
        np.testing.assert_allclose(
            retriever.similarities[film, kept], cosine[film, near[kept]], rtol=1e-5
        )
        assert kept.sum() == (cosine[film] > 0).sum() - 1


def test_a_film_is_scored_by_its_own_nearest_films():
    retriever = fit_item_knn(ratings_of(SMALL, n_items=4), ItemKnnConfig(1, shrinkage=1.0))
    # Film 1's nearest is film 0, the lower of two; film 2's is film 0; film 0's is film 2.
    found = retriever.retrieve([newcomer([0]), newcomer([2]), newcomer([1])], 4)
    np.testing.assert_allclose(found.scores[0], [3 / 5, 1 / 3, 0, 0], rtol=1e-6)
    assert found.items[0].tolist() == [2, 1, 0, 3]
    np.testing.assert_allclose(found.scores[1], [3 / 5, 0, 0, 0], rtol=1e-6)
    assert found.items[1].tolist() == [0, 1, 2, 3]
    assert found.scores[2].tolist() == [0, 0, 0, 0]


def test_blocks_change_nothing(ratings, monkeypatch):
    whole = fit_item_knn(ratings)
    monkeypatch.setattr(item_knn, "_BLOCK_SIMILARITIES", 7 * 90)
    parts = fit_item_knn(ratings)
    np.testing.assert_array_equal(whole.neighbors, parts.neighbors)
    np.testing.assert_array_equal(whole.similarities, parts.similarities)


@pytest.fixture(scope="module")
def retriever(ratings):
    return fit_item_knn(ratings, ItemKnnConfig(30))


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
        np.testing.assert_array_equal(found.scores[0], -np.sort(-ratings.item_counts()))


def test_a_film_that_nobody_rated_is_not_recommended(retriever, ratings):
    queries = [mt.Query(user) for user in range(120)]
    found = retriever.retrieve(queries, 10, ratings.items_by_user())
    assert UNRATED - 1 not in found.items


def test_similar_films_are_the_nearest(retriever):
    found = retriever.similar(0, 5)
    np.testing.assert_array_equal(found.items[0], retriever.neighbors[0, :5])
    np.testing.assert_array_equal(found.scores[0], retriever.similarities[0, :5])
    assert sum(kind_of(item + 1) == kind_of(1) for item in found.items[0].tolist()) >= 4


def test_similar_ends_where_the_neighbours_do(retriever):
    found = retriever.similar(0, 200)
    filled = found.items[0] >= 0
    assert filled.sum() == 30
    assert np.isneginf(found.scores[0, ~filled]).all()
    assert (retriever.similar(UNRATED - 1, 5).items == -1).all()


def test_it_comes_back_from_its_tensors(ratings):
    config = ItemKnnConfig(200)
    retriever = fit_item_knn(ratings, config)
    tensors = retriever.tensors()
    shapes = ItemKnnRetriever.shapes(config, len(ratings.users), len(ratings.items))
    assert {name: tensor.shape for name, tensor in tensors.items()} == shapes
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    again = ItemKnnRetriever.of(tensors, ratings)
    assert again.liked_from == 3.0
    queries = [mt.Query(5), mt.Query(), newcomer([3, 4])]
    found = [r.retrieve(queries, 90) for r in (retriever, again)]
    np.testing.assert_array_equal(found[0].items, found[1].items)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"neighbors": 0}, r"item-knn.neighbors = 0; expected at least 1"),
        ({"shrinkage": -1.0}, r"item-knn.shrinkage = -1.0"),
        ({"shrinkage": float("inf")}, r"item-knn.shrinkage = inf"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ItemKnnConfig(**settings)
