import hashlib
import multiprocessing
import os
import socket
from dataclasses import replace

import pytest

from matinee.data.sources import load_movielens, recbole
from matinee.data.sources.fetch import (
    cache_directory,
    directory_in_cache,
    directory_of,
    movielens_of,
)
from matinee.data.sources.movielens import CITATION, DATASETS, Dataset
from matinee.errors import DataError, DownloadError, NotFoundError

from . import sets
from .servers import Behaviour, serving


@pytest.fixture
def offline(monkeypatch):
    """No host has an address."""

    def unresolvable(host, *args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolvable)


@pytest.fixture
def no_package(monkeypatch, tmp_path):
    """A pip that looks in an empty directory alone."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "wheels"


@pytest.fixture
def package(no_package, monkeypatch):
    """A pip that finds the tiny wheel."""
    wheel = no_package / "recbole-1.2.1-py3-none-any.whl"
    wheel.write_bytes(sets.recbole_wheel())
    monkeypatch.setattr(recbole, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    return wheel


@pytest.fixture
def grouplens(monkeypatch):
    """Serves a tiny set's zip as if from GroupLens."""
    servers = []

    def serve(name, body, md5=None):
        context = serving(Behaviour(body))
        servers.append(context)
        url = context.__enter__()
        monkeypatch.setattr(Dataset, "url", property(lambda self: url))
        return replace(DATASETS[name], md5=md5 or sets.md5(body))

    yield serve
    for server in servers:
        server.__exit__(None, None, None)


@pytest.mark.parametrize("name", DATASETS)
def test_a_set_is_fetched_once_and_the_zip_is_not_kept(cache, capsys, grouplens, name):
    dataset = grouplens(name, sets.zipped(sets.files_of(name), sets.FOLDERS[name]))
    directory = directory_in_cache(dataset)
    assert directory == cache / sets.FOLDERS[name]
    assert sorted(file.name for file in directory.iterdir()) == sorted(dataset.files)
    assert [path.name for path in cache.iterdir()] == [directory.name]
    said = capsys.readouterr().err
    assert CITATION in said
    assert "not to be redistributed" in said
    assert directory_in_cache(dataset) == directory
    assert capsys.readouterr().err == ""


def test_a_wrong_checksum_leaves_nothing(cache, grouplens):
    dataset = grouplens("1m", sets.zipped(sets.files_of("1m"), "ml-1m"), md5="0" * 32)
    with pytest.raises(DownloadError, match="expected 00000000000000000000000000000000"):
        directory_in_cache(dataset)
    assert list(cache.iterdir()) == []


def test_a_damaged_zip_without_a_checksum_leaves_nothing(cache, grouplens):
    dataset = replace(grouplens("latest-small", b"PK no zip"), md5=None)
    with pytest.raises(DataError, match="is not a whole zip"):
        directory_in_cache(dataset)
    assert list(cache.iterdir()) == []


def test_a_zip_put_into_the_cache_is_as_good_as_a_download(cache, offline):
    body = sets.zipped(sets.files_of("1m"), "ml-1m")
    sets.write_files(cache, {"ml-1m.zip": body})
    with pytest.raises(DataError, match=r"ml-1m.zip: md5 .*; expected c4d9eecf"):
        directory_in_cache(DATASETS["1m"])
    dataset = replace(DATASETS["1m"], md5=sets.md5(body))
    assert dataset.is_in(directory_in_cache(dataset))


@pytest.mark.parametrize("name", ["1m", "latest-small", "25m"])
def test_offline_the_error_says_what_to_put_where(cache, offline, name):
    with pytest.raises(DownloadError) as error:
        load_movielens(name)
    message = str(error.value)
    assert "name cannot be resolved" in message
    assert f"https://files.grouplens.org/datasets/movielens/ml-{name}.zip" in message
    assert str(cache / f"ml-{name}.zip") in message
    assert f'load_movielens("{name}", path=…)' in message


def test_100k_comes_from_a_package_and_that_is_said(cache, offline, package, capsys):
    ratings, catalog = load_movielens("100k")
    assert len(ratings) == len(sets.RATINGS)
    directory = cache / "ml-100k"
    assert (directory / "u.data").read_bytes() == sets.u_data()
    assert (directory / "u.user").read_text() == sets.USERS_100K
    assert catalog.titles == [
        "Amélie (2001)",
        "The Big Sleep (1946)",
        "unknown",
        "Land Before Time III (1995)",
    ]
    assert b"|Land Before Time III (1995) (V)|" in (directory / "u.item").read_bytes()
    assert [catalog.genres(n) for n in (0, 2, 3)] == [
        ("Comedy", "Drama"),
        (),
        ("Animation", "Children's"),
    ]
    said = capsys.readouterr().err
    assert "from the package recbole==1.2.1 by pip instead" in said
    assert CITATION in said
    assert load_movielens("100k")[0].fingerprint() == ratings.fingerprint()
    assert capsys.readouterr().err == ""


def test_without_the_package_both_reasons_are_told(cache, offline, no_package):
    with pytest.raises(DownloadError) as error:
        load_movielens("100k")
    message = str(error.value)
    assert "name cannot be resolved" in message
    assert "pip download recbole==1.2.1 failed" in message
    assert str(cache / "ml-100k.zip") in message
    assert not (cache / "ml-100k").exists()


def test_another_wheel_under_the_same_name_is_refused(cache, offline, package):
    package.write_bytes(package.read_bytes() + b" ")
    with pytest.raises(DownloadError, match=r"sha256 .*; expected .*another file under this name"):
        load_movielens("100k")


def test_a_pip_that_hangs_or_is_not_there_is_told(cache, offline, monkeypatch):
    monkeypatch.setattr(recbole, "_TIMEOUT_S", 0.001)
    with pytest.raises(DownloadError, match="timed out"):
        recbole.fetch_100k(cache / "ml-100k")
    monkeypatch.setattr(recbole.sys, "executable", "/nowhere/python")
    with pytest.raises(DownloadError, match="No such file"):
        recbole.fetch_100k(cache / "ml-100k")


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch, offline, package):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MATINEE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be written.*set MATINEE_CACHE"):
        load_movielens("100k")


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MATINEE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == tmp_path / ".cache" / "matinee"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "matinee"
    monkeypatch.setenv("MATINEE_CACHE", "~/own")
    assert cache_directory() == tmp_path / "own"


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
    (tmp_path / "broken").write_bytes(b"PK")
    (tmp_path / "other.zip").write_bytes(sets.zipped({"a": b"b"}))
    sets.write_files(tmp_path / "mine", sets.files_csv())
    for name in ("broken", "other.zip", "mine", "nothing", "nothing.zip"):
        assert movielens_of(tmp_path / name) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK", "is not a whole zip"),
        (sets.zipped(sets.files_of("1m"), "ml-1m")[:-30], "is not a whole zip"),
        (sets.zipped({"../ratings.dat": b"1"}), "leads out of the directory"),
    ],
)
def test_a_zip_that_cannot_be_trusted_is_told_why(tmp_path, content, reason):
    path = tmp_path / "set.ZIP"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        movielens_of(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_the_folder_tells_which_set_lacks_a_file(tmp_path, cache, zipped):
    files, archive = sets.files_dat(users=False), tmp_path / "set.zip"
    archive.write_bytes(sets.zipped(files, "ml-1m"))
    path = archive if zipped else sets.write_files(tmp_path / "ml-1m", files)
    assert movielens_of(path) == "1m"
    with pytest.raises(DataError, match=r"users\.dat"):
        directory_of(path, DATASETS["1m"])


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
    assert list(cache.iterdir()) == []


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="expected the zip of MovieLens 1m or a directory"):
        directory_of(tmp_path / "nothing.zip", DATASETS["1m"])


def test_a_cache_that_cannot_take_a_zip_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MATINEE_CACHE", str(tmp_path / "file"))
    path = tmp_path / "set.zip"
    path.write_bytes(sets.zipped(sets.files_of("1m"), "ml-1m"))
    with pytest.raises(DataError, match=r"cannot be written.*set MATINEE_CACHE"):
        directory_of(path, DATASETS["1m"])


def fetch_in_another_process(url, md5, done):
    Dataset.url = property(lambda self: url)
    dataset = replace(DATASETS["1m"], md5=md5)
    done.put(dataset.is_in(directory_in_cache(dataset)))


def test_two_processes_fetch_a_set_once(cache):
    body = sets.zipped(sets.files_of("1m") | {"README": os.urandom(1 << 20)}, "ml-1m")
    server = Behaviour(body)
    server.pause_s = 0.5
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    with serving(server) as url:
        both = [
            context.Process(target=fetch_in_another_process, args=(url, sets.md5(body), done))
            for _ in range(2)
        ]
        for process in both:
            process.start()
        assert [done.get(timeout=120) for _ in both] == [True, True]
        for process in both:
            process.join()
    assert server.requests == [None]
    assert [path.name for path in cache.iterdir()] == ["ml-1m"]
