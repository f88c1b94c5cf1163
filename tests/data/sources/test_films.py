import csv

import polars as pl
import pytest

from matinee.data.sources.tables import load_catalog, split_genres
from matinee.errors import ConfigError, DataError, NotFoundError

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
        (FILMS + "2,again,Drama\n", "line 4: '2': line 2 has this film id already"),
        (FILMS + ",nameless,Drama\n", "line 4: ',nameless,Drama': no item"),
        (FILMS + "3,,Drama\n", "line 4: '3,,Drama': no title"),
        (FILMS + f"3,{'()' * 501}x,Drama\n", "line 4: .*: a title of 1,003 characters"),
        (FILMS + "3,Sleep, The,Drama\n", "line 4: .*: 4 fields; expected 3"),
        ("movieId,title,year\n1,a,19x5\n", "line 2: '19x5': expected four digits"),
        ("movieId,title\n", "no rows below its header"),
        ("", "is empty"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(write, content, reason):
    with pytest.raises(DataError, match=reason):
        load_catalog(write(content))


def test_bad_films_can_be_left_out(write, capsys):
    path = write(FILMS + "2,again,Drama\n,nameless,Drama\n3,Heat,Crime,1995\n4,,x\n5,Fargo,\n")
    catalog = load_catalog(path, on_bad_rows="skip")
    assert catalog.titles == ["Été (1999)", "The Big Sleep (1946)", "Fargo"]
    rejected = path.with_name("movies.rejected.csv")
    with rejected.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", "movieId", "title", "genres"]
    assert [row[0] for row in rows] == ["4", "5", "6", "7"]
    assert "line 2 has this film id already" in rows[0][1]
    assert str(rejected) in capsys.readouterr().err


def test_a_bad_film_is_no_rival_of_a_good_one(write):
    path = write("movieId,title,year\n1,Heat,19x5\n1,Heat,1995\n")
    assert load_catalog(path, on_bad_rows="skip").titles == ["Heat (1995)"]


def test_bad_films_alone_are_refused(write):
    with pytest.raises(DataError, match=r"none of its 1 rows is good.*line 2, is"):
        load_catalog(write("movieId,title\n1,\n"), on_bad_rows="skip")
    with pytest.raises(ConfigError, match="on_bad_rows='ignore'"):
        load_catalog(write(FILMS), on_bad_rows="ignore")


def test_a_column_that_is_not_there_lists_those_that_are(write):
    with pytest.raises(NotFoundError, match="'Name'; it has movieId, title, genres"):
        load_catalog(write(FILMS), title="Name")


def test_a_genre_that_says_none_is_none():
    assert split_genres("Drama| War ") == ["Drama", "War"]
    assert split_genres("(no genres listed)") == split_genres("") == split_genres("unknown") == []
