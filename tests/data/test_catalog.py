import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.data.catalog import Catalog
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError, NotFoundError


@pytest.fixture
def films():
    return Catalog.of_titles(
        [30, 10, 20, 40, 50],
        ["Fargo (1996)", "Big Sleep, The (1946)", "Solaris (1972)", "Solaris (2002)", "Été"],
        [["Crime"], ["Film-Noir", "Mystery"], [], ["Drama"], []],
    )


def test_rows_are_those_of_the_vocabulary(films):
    number = films.items.number(10)
    assert films.title(number) == "The Big Sleep (1946)"
    assert films.year(number) == 1946
    assert films.genres(number) == ("Film-Noir", "Mystery")
    assert len(films) == 5
    assert films.year(films.find("Été")) is None
    assert "5 films" in repr(films)


def test_genres_are_columns_in_the_order_of_their_names(films):
    assert films.genre_names == ("Crime", "Drama", "Film-Noir", "Mystery")
    expected = {30: [1, 0, 0, 0], 10: [0, 0, 1, 1], 20: [0] * 4, 40: [0, 1, 0, 0], 50: [0] * 4}
    for movie_id, marks in expected.items():
        assert films.genre_marks[films.items.number(movie_id)].tolist() == marks
    bare = Catalog.of_ids(films.items)
    assert (bare.genre_names, bare.genre_marks.shape) == ((), (5, 0))


@given(st.dictionaries(st.integers(0, 10**6), st.text("abcdef", min_size=1), min_size=1))
def test_every_film_keeps_its_title_whatever_the_order(titles):
    catalog = Catalog.of_titles(list(titles), list(titles.values()))
    assert {catalog.items.id(n): t for n, t in enumerate(catalog.titles)} == {
        str(film): title for film, title in titles.items()
    }


def test_years_of_their_own_go_before_those_in_titles():
    catalog = Catalog.of_titles([1, 2], ["Heat", "Fargo (1996)"], years=[1995, None])
    assert catalog.titles == ["Heat (1995)", "Fargo (1996)"]


def test_a_film_without_a_title_is_refused():
    with pytest.raises(DataError, match="film id 2 has the title None"):
        Catalog.of_titles([1, 2], ["Heat", None])
    schema = {"title": pl.String, "year": pl.Int16, "genres": pl.List(pl.String)}
    items = Vocabulary.of([1, 2], "movie")
    for row, column in (((None, 1972, []), "title"), (("Solaris", 1972, None), "genres")):
        films = pl.DataFrame([("Heat", 1995, []), row], schema=schema, orient="row")
        with pytest.raises(DataError, match=f"film id 2 has no {column}"):
            Catalog(items, films)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="film columns of 1, 2 rows"):
        Catalog.of_titles([1, 2], ["Heat"])


def test_ids_alone_serve_as_titles():
    catalog = Catalog.of_ids(Vocabulary.of(["a", "b"], "movie"))
    assert catalog.titles == ["film a", "film b"]
    assert catalog.genres(0) == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [("the big sleep", "10"), ("Big Slep", "10"), ("FARGO", "30"), ("solaris 2002", "40")],
)
def test_a_search_forgives_typing_errors(films, text, first):
    (number, likeness), *_ = films.search(text)
    assert films.items.id(number) == first
    assert 60 <= likeness <= 100


def test_a_search_gives_at_most_so_many_and_nothing_for_nothing(films):
    assert len(films.search("solaris", limit=1)) == 1
    assert films.search("  ") == []
    assert films.search("zzzzqqqq") == []


@pytest.mark.parametrize(
    "film", [10, "10", "The Big Sleep (1946)", "the big sleep", "The Big Sleep"]
)
def test_a_film_is_found_by_id_or_title(films, film):
    assert films.items.id(films.find(film)) == "10"


def test_a_title_of_several_films_wants_its_year_or_id(films):
    with pytest.raises(NotFoundError, match=r"several films .*Solaris \(1972\) \[id 20\].*2002"):
        films.find("Solaris")
    assert films.items.id(films.find("Solaris (2002)")) == "40"


def test_an_unknown_title_is_told_what_is_near(films):
    with pytest.raises(NotFoundError, match=r"no film is called 'Fargoo'.*Fargo \(1996\)"):
        films.find("Fargoo")
    with pytest.raises(NotFoundError, match="try: matinee search"):
        films.find("zzzzqqqq")


def test_an_id_twice_is_refused():
    with pytest.raises(DataError, match="film id 7 stands in the catalogue twice"):
        Catalog.of_titles([7, 8, 7], ["a", "b", "c"])


def test_films_of_another_shape_are_refused():
    items = Vocabulary.of([1, 2], "movie")
    with pytest.raises(DataError, match="expected 2 rows"):
        Catalog(items, Catalog.of_titles([1], ["a"]).films)
    with pytest.raises(DataError, match="expected 2 rows of"):
        Catalog(items, pl.DataFrame({"title": ["a", "b"]}))


def test_a_title_in_the_catalogues_own_spelling_is_found():
    catalog = Catalog.of_titles([1, 2], ["Third Man, The (1949)", "Heat (1995)"])
    assert catalog.find("Third Man, The (1949)") == catalog.find("The Third Man") == 0


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("teh big lebowski", "The Big Lebowski (1998)"),
        ("big", "Big (1988)"),
        ("terminator", "The Terminator (1984)"),
        ("terminator 2", "Terminator 2: Judgment Day (1991)"),
    ],
)
def test_the_whole_title_decides_between_titles_that_share_a_word(text, first):
    titles = ["Steal Big, Steal Little (1995)", "Big (1988)", "The Big Lebowski (1998)"]
    titles += ["The Terminator (1984)", "Terminator 2: Judgment Day (1991)"]
    catalog = Catalog.of_titles(range(5), titles)
    found = catalog.search(text)
    assert catalog.title(found[0][0]) == first
    likeness = [score for _, score in found]
    assert likeness == sorted(likeness, reverse=True)


def test_an_article_in_common_does_not_hide_the_title_that_is_meant():
    titles = [f"The Horse Number {n} of the Body Farmer" for n in range(300)]
    catalog = Catalog.of_titles(range(301), [*titles, "The Godfather (1972)"])
    [(number, _)] = catalog.search("the goodfather", limit=1)
    assert number == 300
