import polars as pl
import pytest

from matinee.data.sources.films import load_catalog, split_genres
from matinee.errors import DataError, NotFoundError

FILMS = 'movieId,title,genres\n2,"Big Sleep, The (1946)",Crime|Film-Noir\n1,Été (1999),unknown\n'


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "movies.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_films_are_read_in_any_encoding_and_with_any_line_end(write, encoding, end):
    catalog = load_catalog(write(FILMS.replace("\n", end).encode(encoding)))
    assert catalog.titles == ["Été (1999)", "The Big Sleep (1946)"]
    assert [catalog.genres(n) for n in (0, 1)] == [(), ("Crime", "Film-Noir")]


def test_columns_by_name_and_years_of_their_own(write):
    path = write("Name,Key,Made,Kind\nHeat,a,1995,Drama\nFargo (1996),b,,\n")
    catalog = load_catalog(path, item="Key", title="Name", year="Made", genres="Kind")
    assert catalog.titles == ["Heat (1995)", "Fargo (1996)"]


def test_films_from_parquet(tmp_path):
    path = tmp_path / "films.parquet"
    pl.DataFrame({"item_id": [5, 4], "title": ["a", "b"], "year": [2000, None]}).write_parquet(path)
    catalog = load_catalog(path)
    assert catalog.titles == ["b", "a (2000)"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (FILMS + "2,again,Drama\n", "line 4: film id 2 stands in line 2 already"),
        (FILMS + ",nameless,Drama\n", "line 4: no item"),
        (FILMS + "3,,Drama\n", "line 4: no title"),
        (FILMS + f"3,{'()' * 501}x,Drama\n", "line 4: a title of 1,003 characters"),
        (FILMS + "3,Sleep, The,Drama\n", "line 4: .* has 4 fields; expected 3"),
        ("movieId,title,year\n1,a,19x5\n", "line 2: year '19x5'; expected four digits"),
        ("movieId,title\n", "no rows below its header"),
        ("", "is empty"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(write, content, reason):
    with pytest.raises(DataError, match=reason):
        load_catalog(write(content))


def test_a_column_that_is_not_there_lists_those_that_are(write):
    with pytest.raises(NotFoundError, match="'Name'; it has movieId, title, genres"):
        load_catalog(write(FILMS), title="Name")


def test_a_genre_that_says_none_is_none():
    assert split_genres("Drama| War ") == ["Drama", "War"]
    assert split_genres("(no genres listed)") == split_genres("") == split_genres("unknown") == []
