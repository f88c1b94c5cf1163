"""The map: signs, titles, and labels that keep off each other."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import matinee as mt
from matinee.report.film_map import film_map, main_genres, place_labels
from tests.report.reading import Page


def catalog_of(size, genres=("Drama",)):
    return mt.Catalog.of_titles(
        range(size), [f"Film {n} (1990)" for n in range(size)], [list(genres)] * size
    )


def test_every_film_has_a_sign_with_its_title():
    rng = np.random.default_rng(0)
    catalog = catalog_of(30)
    found = film_map(rng.normal(size=(30, 4)).astype(np.float32), catalog, np.arange(30))
    # Nobody rated the first one.
    assert found.films == 29
    titles = {e["text"] for e in Page(f"<body>{found.svg}</body>").all("title")}
    assert titles == set(catalog.titles[1:])
    assert [(name, size) for name, _, size in found.key] == [("Drama", 29)]


@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((12, 3)),
        np.linspace(1, 2, 12)[:, None],
        np.eye(12),
        np.vstack([np.full((2, 12), np.nan), np.eye(12)[2:]]),
    ],
    ids=["all alike", "one number a film", "as many numbers as films", "some not finite"],
)
def test_vectors_of_any_shape(vectors):
    found = film_map(vectors.astype(np.float32), catalog_of(12), np.ones(12, np.int64))
    assert "nan" not in found.svg


def test_too_few_films_make_no_map():
    vectors = np.eye(12, dtype=np.float32)
    assert film_map(vectors, catalog_of(12), np.r_[np.ones(7), np.zeros(5)].astype(int)) is None


def test_a_film_goes_by_the_rarest_of_its_genres():
    genres = [["Action", "War"], ["Action"], ["Action", "Comedy"], ["Comedy"], []]
    assert main_genres(genres) == ["War", "Action", "Comedy", "Comedy", "other"]


def test_genres_without_a_sign_are_others():
    names = [f"Genre {n}" for n in range(7)]
    genres = [[name] for name in names for _ in range(10 - int(name[-1]))]
    assert set(main_genres(genres)) == {*names[:6], "other"}


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), min_size=1, max_size=40))
def test_labels_do_not_overlap(points):
    labels = place_labels(["A title of a film"] * len(points), np.array(points))
    for (_, x, y, side), (_, other_x, other_y, other_side) in itertools.combinations(labels, 2):
        same = side == other_side and abs(x - other_x) < 40
        assert not same or abs(y - other_y) >= 8


def test_long_titles_are_cut():
    ((text, *_),) = place_labels(["An endless title " * 9], np.array([[50.0, 50.0]]))
    assert len(text) <= 26
    assert text.endswith("…")
