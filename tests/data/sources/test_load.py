import pytest

from matinee.data.sources import check_data, load, load_catalog_of, load_data
from matinee.errors import ConfigError, DataError, NotFoundError

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


def test_bad_films_are_found_and_left_out_too(table, tmp_path):
    films = tmp_path / "films.csv"
    films.write_text("movieId,title\n1,One\n1,Again\n2,\n9,Nine\n")
    found = check_data(table, films=films)
    assert [(p.path.name, p.line) for p in found] == [
        ("films.csv", 3),
        ("films.csv", 4),
        ("own.csv", 2),
    ]
    with pytest.raises(DataError, match=r"films.csv, line 3"):
        load_data(table, films=films)
    ratings, catalog = load_data(table, films=films, on_bad_rows="skip")
    assert catalog.titles == ["One", "Nine"]
    assert len(ratings) == 2
    assert (tmp_path / "films.rejected.csv").exists()
    assert (tmp_path / "own.rejected.csv").exists()


def test_checking_goes_as_far_as_there_is_something_good(table, tmp_path):
    films = tmp_path / "films.csv"
    films.write_text("movieId,title\n1,\n")
    assert [problem.path for problem in check_data(table, films=films)] == [films]


@pytest.mark.parametrize("name", ["100k", "1m", "25m"])
def test_films_alone_are_loaded_without_the_ratings(tmp_path, cache, name, monkeypatch):
    directory = sets.write_files(tmp_path / sets.FOLDERS[name], sets.files_of(name))
    expected = load_data(directory)[1].titles
    monkeypatch.setattr(load, "read_ratings", None)
    assert load_catalog_of(directory).titles == expected


def test_films_of_a_table_are_loaded_alone(table, tmp_path):
    films = tmp_path / "films.csv"
    films.write_text("movieId,title\n1,One\n")
    assert load_catalog_of(str(films)).titles == ["One"]
    with pytest.raises(NotFoundError, match="no column for the title"):
        load_catalog_of(table)
    with pytest.raises(NotFoundError, match="100k, latest-small"):
        load_catalog_of(tmp_path / "nothing")


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


@pytest.mark.parametrize("act", [load_data, check_data])
def test_options_of_tables_are_refused_with_movielens(tmp_path, cache, act):
    sets.write_files(cache / "ml-100k", sets.files_of("100k"))
    with pytest.raises(ConfigError, match=r"films \(--films\), user \(--user-column\), scale"):
        act("100k", films=tmp_path / "films.csv", user="who", scale=(1, 5))


def test_rejected_rows_of_a_zip_are_written_beside_it(tmp_path, cache, capsys):
    files = sets.files_of("1m")
    files["ratings.dat"] += b"1::3::9::1\n"
    archive = tmp_path / "mine.zip"
    archive.write_bytes(sets.zipped(files, "ml-1m"))
    load_data(archive, on_bad_rows="skip")
    rejected = tmp_path / "mine.ratings.rejected.csv"
    assert rejected.is_file()
    assert str(rejected) in capsys.readouterr().err
    assert not list(cache.rglob("*rejected*"))


@pytest.mark.parametrize("second", ["userId", "user_id"])
def test_two_columns_of_one_name_are_refused(tmp_path, second):
    path = tmp_path / "own.csv"
    path.write_text(f"userId,{second},movieId,rating\n1,2,3,4\n")
    with pytest.raises(DataError, match=r"2 columns for the user \(userId, user"):
        load_data(path)


def test_one_column_for_two_roles_is_refused(table):
    with pytest.raises(ConfigError, match="'movieId' is given for the user and for the item"):
        load_data(table, user="movieId", item="movieId")
    with pytest.raises(NotFoundError, match="--user-column"):
        load_data(table, user="who")
