import pytest

from matinee.data.sources import check_data, load_data
from matinee.errors import NotFoundError

from . import sets

TABLE = "userId,movieId,rating,timestamp\n1,2,4,30\n2,1,5,10\n1,9,3,20\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(TABLE)
    return path


def test_a_movielens_name_is_looked_up_in_the_cache(cache):
    sets.write_files(cache / "ml-100k", sets.files_of("100k"))
    ratings, catalog = load_data("100k")
    assert len(ratings) == 4
    assert ratings.items is catalog.items
    assert check_data("100k") == []


@pytest.mark.parametrize("name", ["100k", "1m", "25m"])
def test_a_movielens_zip_or_directory_is_recognised(tmp_path, cache, name):
    directory = sets.write_files(tmp_path / sets.FOLDERS[name], sets.files_of(name))
    archive = tmp_path / "set.zip"
    archive.write_bytes(sets.zipped(sets.files_of(name), sets.FOLDERS[name]))
    assert load_data(archive)[0].fingerprint() == load_data(str(directory))[0].fingerprint()
    assert check_data(archive) == []


def test_a_table_makes_its_own_catalogue(table):
    ratings, catalog = load_data(str(table), scale=(1, 5))
    assert ratings.items is catalog.items
    assert catalog.titles == ["film 1", "film 2", "film 9"]
    assert ratings.scale == (1, 5)


def test_a_table_goes_with_a_table_of_films(table, tmp_path):
    films = tmp_path / "films.csv"
    films.write_text("id,title\n1,One\n2,Two\n3,Three\n")
    with pytest.raises(NotFoundError, match="item=…"):
        load_data(table, films=films)
    films.write_text("movieId,title\n1,One\n2,Two\n3,Three\n")
    assert [problem.line for problem in check_data(table, films=films)] == [4]
    ratings, catalog = load_data(table, films=films, on_bad_rows="skip")
    assert ratings.items is catalog.items
    assert catalog.titles == ["One", "Two", "Three"]
    assert len(ratings) == 2


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("a,b,c,d\n1,2,3,4\n")
    names = {"user": "a", "item": "b", "rating": "c", "timestamp": "d"}
    assert len(load_data(path, **names)[0]) == 1
    assert check_data(path, **names) == []


@pytest.mark.parametrize("make", ["nothing", "zip", "directory", "other"])
def test_anything_else_lists_what_there_is(tmp_path, make):
    path = tmp_path / "thing"
    if make == "zip":
        path.write_bytes(sets.zipped({"a": b"b"}))
    elif make == "directory":
        path.mkdir()
    elif make == "other":
        path.write_text(TABLE)
    reason = "is not there" if make == "nothing" else "holds no MovieLens set"
    with pytest.raises(NotFoundError, match=rf"{reason}.*100k, latest-small, 1m.*\.parquet"):
        load_data(path)
