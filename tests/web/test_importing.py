"""Ratings from files of Letterboxd, of MovieLens, and of our own."""

import pytest

from matinee.errors import DataError, NotFoundError
from matinee.service.films import Film
from matinee.service.site import Rated
from matinee.service.web.importing import LARGEST_FILE, read_ratings
from matinee.service.web.own_ratings import as_csv

SCALE = (1.0, 5.0)


def film(movie_id, name, year, *genres):
    return Film(movie_id, f"{name} ({year})", name, year, genres, 1)


class Films:
    """A shelf of a few films."""

    films = (
        film("7", "Amélie", 2001),
        film("8", "The Third Man", 1949),
        film("9", "Solaris", 1972),
        film("10", "Solaris", 2002),
        film("11", "Shanghai Triad (Yao a yao yao dao waipo qiao)", 1995),
        film("12", "=HYPERLINK(1)", 1999),
    )

    def __iter__(self):
        return iter(self.films)

    def film(self, movie_id):
        for found in self.films:
            if found.movie_id == movie_id:
                return found
        raise NotFoundError("no such film")


SHELF = Films()


def read(text):
    return read_ratings(text.encode(), SHELF, SCALE)


def test_letterboxd():
    report = read(
        "Date,Name,Year,Letterboxd URI,Rating\n"
        "2024-01-02,Amélie,2001,https://boxd.it/1,4.5\n"
        "2024-01-03,The Third Man,1949,https://boxd.it/2,5\n"
        "2024-01-04,Solaris,2002,https://boxd.it/3,0.5\n"
        "2024-01-05,Shanghai Triad,1995,https://boxd.it/4,3\n"
        "2024-01-06,Paddington 2,2017,https://boxd.it/5,5\n"
        "2024-01-07,Amélie,2001,https://boxd.it/1,\n"
    )
    assert {i: stars for i, (stars, _) in report.stars.items()} == {
        "7": 4.5,
        "8": 5.0,
        "10": 1.0,
        "11": 3.0,
    }
    assert report.stars["7"][1] == 1704153600.0
    assert (report.unmatched, report.unreadable, report.clipped) == (
        ["Paddington 2 (2017)"],
        [7],
        1,
    )


def test_a_year_may_differ_by_one_and_the_right_one_is_preferred():
    report = read("Name,Year,Rating\nAmélie,2002,4\nSolaris,1971,4\nThe Third Man,1951,4\n")
    assert set(report.stars) == {"7", "9"}
    assert report.unmatched == ["The Third Man (1951)"]


def test_a_title_without_a_year_must_be_the_only_one():
    report = read("title,rating\nAmelie,4\nAmélie,4\nSolaris,3\n")
    assert set(report.stars) == {"7"}
    assert report.unmatched == ["Amelie", "Solaris"]


def test_movielens_by_title_and_by_id():
    by_title = read('movieId,rating,title\n1,4.0,"Third Man, The (1949)"\n2,3,Amélie (2001)\n')
    assert set(by_title.stars) == {"8", "7"}
    by_id = read("userId,movieId,rating,timestamp\n1,9,4.0,1112486027\n1,99,3.0,1112486027\n")
    assert by_id.stars == {"9": (4.0, 1112486027.0)}
    assert by_id.unmatched == ["film 99"]


def test_what_is_saved_comes_back():
    listed = [(SHELF.film("12"), Rated("12", 4.0, 1e9)), (SHELF.film("7"), Rated("7", 2.5, None))]
    text = as_csv(listed)
    assert "\r\n12,'=HYPERLINK(1),1999,4,2001-09-09T01:46:40Z\r\n" in text
    report = read(text)
    assert report.stars == {"12": (4.0, 1e9), "7": (2.5, None)}


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_nothing_a_spreadsheet_would_run(start):
    listed = [(film("1", f"{start}cmd|' /C calc'!A0", 1999), Rated("1", 4.0, None))]
    title = as_csv(listed).split("\r\n", 1)[1].split(",")[1].strip('"')
    assert title.startswith("'")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line is nothing"),
        (b"Name,Year\nHeat,1995\n", "name, year"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"title,rating\na\0b,3\n", "not text"),
        (b"userId,movieId,rating\n1,7,3\n2,7,3\n", "several people"),
        (b"x" * (LARGEST_FILE + 1), "larger than 1 MB"),
        (b'title,rating\n"' + b"a," * 100_000 + b'",3\n', "no CSV"),
    ],
)
def test_other_files_are_refused(content, said):
    with pytest.raises(DataError, match=said):
        read_ratings(content, SHELF, SCALE)


def test_stars_that_are_none():
    report = read("title,rating\nAmélie,nan\nAmélie,inf\nAmélie,-3\nAmélie,many\n,4\n")
    assert report.stars == {}
    assert report.unreadable == [2, 3, 4, 5, 6]
