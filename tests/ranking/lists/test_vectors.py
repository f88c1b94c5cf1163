import numpy as np

from matinee.ranking.lists.vectors import sitting_vectors
from tests import synthetic
from tests.ranking.lists.test_films import timed


def test_inner_products_by_hand():
    # User 0 rates films 0, 1, 2 one after the other; film 3 stands alone.
    ratings = timed([0, 0, 0, 1], [0, 1, 2, 3], [1, 2, 3, 1], n_users=2, n_items=4)
    near = np.zeros((4, 4))
    near[0, 1] = near[1, 0] = near[1, 2] = near[2, 1] = 1
    near[0, 2] = near[2, 0] = np.exp(-0.5)
    weight = near.sum(axis=1) + 20
    table = near / np.sqrt(np.outer(weight, weight))
    strengths, turns = np.linalg.eigh(table)
    best = turns[:, -1:] * np.sqrt(strengths[-1])
    vectors = sitting_vectors(ratings, 1, seed=3)
    np.testing.assert_allclose(vectors @ vectors.T, best @ best.T, atol=1e-6)


def test_what_goes_past_the_number_of_films_is_zero():
    ratings = timed([0, 0], [0, 1], [1, 2])
    vectors = sitting_vectors(ratings, 8, seed=3)
    assert vectors.shape == (3, 8)
    assert not vectors[:, 3:].any()
    assert np.isfinite(vectors).all()


def test_films_of_one_kind_are_alike():
    ratings, catalog = synthetic.dataset()
    vectors = sitting_vectors(ratings, 4, seed=0)
    likeness = vectors @ vectors.T
    kinds = np.array([synthetic.kind_of(int(catalog.items.id(i))) for i in range(len(catalog))])
    same = kinds[:, None] == kinds
    np.fill_diagonal(same, False)
    assert likeness[same].mean() > 1.5 * likeness[kinds[:, None] != kinds].mean()
