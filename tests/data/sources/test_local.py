import pytest

from matinee.data.sources.datasets import DATASETS
from matinee.data.sources.local import directory_of, movielens_of
from matinee.errors import DataError, NotFoundError

from . import sets


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("zipped", [True, False])
def test_each_set_is_recognised(tmp_path, name, zipped):
    folder, files = sets.FOLDERS[name], sets.files_of(name)
    if zipped:
        path = tmp_path / "download.zip"
        path.write_bytes(sets.zipped(files, folder))
    else:
        path = sets.write_files(tmp_path / folder, files)
        assert movielens_of(tmp_path) == name
    assert movielens_of(path) == name


@pytest.mark.parametrize("name", ["100k", "1m", "10m"])
def test_sets_with_files_of_their_own_need_no_folder(tmp_path, name):
    assert movielens_of(sets.write_files(tmp_path / "mine", sets.files_of(name))) == name


def test_what_is_no_set_is_none(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK")
    (tmp_path / "other.zip").write_bytes(sets.zipped({"a": b"b"}))
    sets.write_files(tmp_path / "mine", sets.files_csv())
    for name in ("broken.zip", "other.zip", "mine", "nothing"):
        assert movielens_of(tmp_path / name) is None


@pytest.mark.parametrize("folder", ["", "ml-1m", "other"])
def test_a_zip_is_unpacked_into_the_cache_once(tmp_path, cache, folder):
    path = tmp_path / "set.zip"
    path.write_bytes(sets.zipped(sets.files_of("1m"), folder))
    directory = directory_of(path, DATASETS["1m"])
    assert directory.parent == cache
    assert sorted(file.name for file in directory.iterdir()) == sorted(DATASETS["1m"].files)
    before = directory.stat().st_ino
    assert directory_of(path, DATASETS["1m"]) == directory
    assert directory.stat().st_ino == before


def test_another_set_than_named_lists_what_is_there(tmp_path, cache):
    directory = sets.write_files(tmp_path / "ml-1m", sets.files_of("1m"))
    with pytest.raises(DataError, match=r"holds movies.dat, ratings.dat.*expected u.data, u.item"):
        directory_of(directory, DATASETS["100k"])
    path = tmp_path / "set.zip"
    path.write_bytes(sets.zipped(sets.files_of("1m"), "ml-1m"))
    with pytest.raises(
        DataError, match=r"ml-20m/ratings.csv not in the archive, which holds ml-1m"
    ):
        directory_of(path, DATASETS["20m"])
    assert not cache.exists()


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="expected the zip of MovieLens 1m or a directory"):
        directory_of(tmp_path / "nothing.zip", DATASETS["1m"])


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MATINEE_CACHE", str(tmp_path / "file"))
    path = tmp_path / "set.zip"
    path.write_bytes(sets.zipped(sets.files_of("1m"), "ml-1m"))
    with pytest.raises(DataError, match=r"cannot be written.*set MATINEE_CACHE"):
        directory_of(path, DATASETS["1m"])
