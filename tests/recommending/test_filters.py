import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from matinee.recommending.filters import Filters

FILMS = [
    ("a", "Alien (1979)", ["Horror", "Sci-Fi"]),
    ("b", "Big (1988)", ["Comedy"]),
    ("c", "Carrie (1976)", ["Horror"]),
    ("d", "Undated", []),
]


@pytest.fixture(scope="module")
def filters():
    ids, titles, genres = zip(*FILMS, strict=True)
    return Filters(mt.Catalog.of_titles(ids, titles, genres))


def shown(filters, genres=None, years=None, allow=None):
    mask = filters.allowed(genres, years, allow)
    return "".join(film for (film, *_), kept in zip(FILMS, mask, strict=True) if kept)


def test_without_a_wish_there_is_no_filter(filters):
    assert filters.allowed(None, None, None) is None


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"genres": "Horror"}, "ac"),
        ({"genres": "horror "}, "ac"),
        ({"genres": ["Comedy", "SCI-FI"]}, "ab"),
        ({"genres": []}, ""),
        ({"years": (1976, 1979)}, "ac"),
        ({"years": (None, 1978)}, "c"),
        ({"years": (1980, None)}, "b"),
        ({"years": (None, None)}, "abc"),
        ({"allow": ["b", "Undated", "carrie"]}, "bcd"),
        ({"allow": []}, ""),
        ({"allow": "Undated"}, "d"),
        ({"allow": np.array([True, False, False, True])}, "ad"),
        ({"allow": np.array(["a", "b", "c", "c"])}, "abc"),
        ({"genres": {"Horror"}, "years": (1977, None), "allow": ["a", "b", "c"]}, "a"),
    ],
    ids=str,
)
def test_every_wish_is_met(filters, wishes, expected):
    assert shown(filters, **wishes) == expected


def test_a_films_name_is_one_film_and_not_its_letters():
    catalog = mt.Catalog.of_ids(mt.Vocabulary.of(range(20), "movie"))
    filters = Filters(catalog)
    assert filters.numbers("12").tolist() == filters.numbers(12).tolist() == [12]
    assert filters.numbers(["12", 3]).tolist() == [12, 3]
    # Ids in an array are no marks, though there may be as many of them as films.
    every = filters.allowed(None, None, np.arange(20) // 2)
    assert np.flatnonzero(every).tolist() == list(range(10))


def test_an_unknown_genre_is_answered_with_those_there_are(filters):
    with pytest.raises(
        NotFoundError,
        match=r"no genre 'Horor'; the catalogue has Comedy, Horror, Sci-Fi; did you mean Horror\?",
    ):
        filters.allowed(["Horor"], None, None)
    bare = Filters(mt.Catalog.of_ids(mt.Vocabulary.of(range(3), "movie")))
    with pytest.raises(NotFoundError, match="no genres at all"):
        bare.allowed("Horror", None, None)


def test_years_in_the_wrong_order_are_refused(filters):
    with pytest.raises(ConfigError, match=r"years 1999:1990; expected .*; try 1990:1999"):
        filters.allowed(None, (1999, 1990), None)


@pytest.mark.parametrize("years", [1990, "1990", ("1990", "1999"), (1, 2, 3), (1990.5, None)])
def test_what_are_no_two_years_is_refused(filters, years):
    with pytest.raises(ConfigError, match=r"years = .*; expected the first and the last year"):
        filters.allowed(None, years, None)


@pytest.mark.parametrize("genres", [5, [None], ["Horror", 5]])
def test_what_is_no_name_of_a_genre_is_refused(filters, genres):
    with pytest.raises(ConfigError, match=r"genres = .*; expected a name, or several"):
        filters.allowed(genres, None, None)


def test_an_unknown_film_to_choose_from_is_named(filters):
    with pytest.raises(NotFoundError, match=r"no film is called 'Alienn'.*Alien"):
        filters.allowed(None, None, ["Alienn"])
