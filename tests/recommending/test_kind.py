import numpy as np
import pytest

import matinee as mt
from matinee.recommending.kind import Kind

FILMS = [
    ("New (1996)", ["Drama", "War"]),
    ("A (1997)", ["Drama", "War"]),
    ("B (1999)", ["Drama", "War"]),
    ("C (1960)", ["War"]),
    ("D (1960)", ["Comedy"]),
    ("E", []),
]


@pytest.fixture(scope="module")
def kind():
    titles, genres = zip(*FILMS, strict=True)
    catalog = mt.Catalog.of_titles(range(len(FILMS)), titles, genres)
    return Kind(catalog, np.array([0, 2, 7, 3, 9, 9]))


def test_films_of_its_genres_and_years_the_most_rated_first(kind):
    found = kind.similar(0, 10)
    # A and B are as alike, and B has more ratings; C shares one of two genres, at 1/√2, and its
    # length is √2 as the others' is: 1/√2 / 2. D and E share nothing.
    assert found.items.tolist() == [[2, 1, 3]]
    np.testing.assert_allclose(found.scores, [[1, 1, 0.5**0.5 / 2]], atol=1e-5)
    assert kind.similar(0, 1).items.tolist() == [[2]]


def test_nothing_is_like_a_film_of_which_nothing_is_known(kind):
    assert kind.similar(5, 10).items.shape == (1, 0)
