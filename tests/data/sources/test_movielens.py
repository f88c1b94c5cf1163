from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data.sources import check_data, load_movielens
from matinee.data.sources.fetch import cache_directory
from matinee.data.sources.movielens import DATASETS, U_DATA_MD5
from matinee.data.splits import make_split
from matinee.errors import DataError, NotFoundError

from . import sets

SHARED_1M = Path(__file__).parents[4] / "shared" / "data" / "ml-1m.zip"


@pytest.fixture
def write(tmp_path, cache):
    """Writes a tiny set, with some of its files changed, and gives its directory."""

    def write(name, **changed):
        files = {file.replace(".", "_"): file for file in sets.files_of(name)}
        contents = sets.files_of(name) | {files[key]: value for key, value in changed.items()}
        return sets.write_files(tmp_path / sets.FOLDERS[name], contents)

    return write


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("zipped", [True, False])
def test_every_format_reads_alike(write, tmp_path, name, zipped):
    path = write(name)
    if zipped:
        path = tmp_path / "set.zip"
        path.write_bytes(sets.zipped(sets.files_of(name), sets.FOLDERS[name]))
    ratings, catalog = load_movielens(name, path)
    got = zip(
        ratings.users.ids(ratings.user_index),
        ratings.items.ids(ratings.item_index),
        ratings.rating.tolist(),
        ratings.timestamp.tolist(),
        strict=True,
    )
    expected = [("2", "1", 5.0, 10), ("1", "1", 3.0, 20), ("3", "3", 2.0, 20), ("1", "2", 4.0, 30)]
    assert list(got) == expected
    assert ratings.position.tolist() == [1, 2, 3, 0]
    assert ratings.scale == DATASETS[name].scale
    assert ratings.items is catalog.items
    assert catalog.titles == ["Amélie (2001)", "The Big Sleep (1946)", "unknown", "Fargo (1996)"]
    assert catalog.genres(1) == ("Drama",)
    assert catalog.items.number(9) == 3
    assert check_data(path) == []


def test_users_of_100k_and_1m_have_features(write):
    schema = {"age": pl.Int16, "gender": pl.String, "occupation": pl.String}
    for name, first in (("100k", (24, "M", "technician")), ("1m", (1, "F", "K-12 student"))):
        features = load_movielens(name, write(name))[0].user_features
        assert dict(features.schema) == schema
        assert len(features) == 3
        assert features.row(0) == first
    assert load_movielens("10m", write("10m"))[0].user_features is None


def test_a_user_without_features_has_nulls(write):
    features = load_movielens("1m", write("1m", users_dat=b"3::M::25::15::55117\n"))[
        0
    ].user_features
    assert features.row(0) == (None, None, None)
    assert features.row(2) == (25, "M", "scientist")


def test_100k_wants_the_published_ratings(write):
    changed = sets.u_data([(1, 2, 1, 30), *sets.RATINGS[1:]])
    with pytest.raises(DataError, match=r"u.data: md5 .*; expected .*or read ratings of your own"):
        load_movielens("100k", write("100k", u_data=changed))


@pytest.mark.parametrize(
    ("name", "changed", "reason"),
    [
        ("100k", {"u_item": b"1|Fargo (1996)|x\n"}, "u.item, line 1: .*GroupLens's format"),
        ("100k", {"u_item": b"1|Fargo|||" + b"|2" * 19 + b"\n"}, "line 1: .*each 0 or 1"),
        ("100k", {"u_user": sets.USERS_100K.encode() + b"4|old|M|x|1\n"}, "u.user, line 4"),
        ("1m", {"movies_dat": b"1::Fargo\n"}, "movies.dat, line 1"),
        ("1m", {"movies_dat": b"\n\n"}, "blank lines alone"),
        ("1m", {"users_dat": b"1::F::1::99::1\n"}, "users.dat, line 1"),
        ("1m", {"users_dat": b""}, "users.dat is empty"),
        ("1m", {"ratings_dat": b""}, "ratings.dat is empty"),
        ("1m", {"ratings_dat": b"1::1::3::1\n1::2:3::1\n"}, "ratings.dat, line 2: .*6 fields"),
        ("1m", {"ratings_dat": b"1::1::9::1\n"}, "line 1: '9': expected .*scale 1–5"),
        ("1m", {"ratings_dat": b"1::77::3::1\n"}, "line 1: '77': expected a film of the catal"),
        ("25m", {"ratings_csv": b"userId,movieId,rating,timestamp\n1,1,0,1\n"}, "line 2: '0'"),
        ("25m", {"movies_csv": b"movieId,name\n1,x\n"}, "no column for the title"),
    ],
)
def test_files_of_another_shape_are_refused_with_their_line(write, name, changed, reason):
    with pytest.raises((DataError, NotFoundError), match=reason):
        load_movielens(name, write(name, **changed))


def test_bad_rows_can_be_found_and_skipped(write):
    directory = write("1m", ratings_dat=b"1::1::9::1\n1::2::3::1\n")
    assert [problem.line for problem in check_data(directory)] == [1]
    assert len(load_movielens("1m", directory, on_bad_rows="skip")[0]) == 1
    assert (directory / "ratings.rejected.csv").exists()


def test_an_unknown_name_lists_the_known():
    with pytest.raises(NotFoundError, match="'2m'; expected one of 100k, latest-small, 1m"):
        load_movielens("2m")


@pytest.mark.movielens
def test_the_real_100k(movielens):
    ratings, catalog = movielens
    assert (len(ratings), len(ratings.users), len(catalog)) == (100_000, 943, 1682)
    assert len(set(catalog.titles)) == 1664
    assert ratings.scale == (1, 5)
    assert catalog.title(catalog.items.number(267)) == "unknown"
    assert catalog.year(catalog.items.number(267)) is None
    third = "The Land Before Time III: The Time of the Great Giving (1995)"
    assert catalog.title(catalog.items.number(1412)) == third.removeprefix("The ")
    assert catalog.title(catalog.items.number(543)) == "Les Misérables (1995)"
    assert ratings.user_features.row(0) == (24, "M", "technician")
    first = np.flatnonzero(ratings.position == 0)[0]
    assert ratings.users.id(ratings.user_index[first]) == "196"
    u_data = cache_directory() / "ml-100k" / "u.data"
    assert sets.md5(u_data.read_bytes()) == U_DATA_MD5


@pytest.mark.movielens
def test_the_published_tests_of_the_real_100k(movielens):
    # As counted in GroupLens's own files.
    for name in ("u1", "u2", "u3", "u4", "u5"):
        assert len(make_split(movielens[0], name).test) == 20_000
    for name in ("ua", "ub"):
        assert len(make_split(movielens[0], name).test) == 9430


@pytest.mark.skipif(
    not SHARED_1M.is_file(), reason="needs the real MovieLens 1M at ../shared/data/ml-1m.zip"
)
def test_the_real_1m(cache):
    ratings, catalog = load_movielens("1m", SHARED_1M)
    assert (len(ratings), len(ratings.users), len(catalog)) == (1_000_209, 6040, 3883)
    assert ratings.rating.mean() == pytest.approx(3.5816, abs=1e-4)
    assert catalog.title(catalog.items.number(1)) == "Toy Story (1995)"
    assert ratings.user_features.row(0) == (1, "F", "K-12 student")
    assert ratings.user_features.null_count().row(0) == (0, 0, 0)
    assert make_split(ratings, "leave-last-out").test.user_index.size == 6040
