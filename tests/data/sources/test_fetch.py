import hashlib
import socket
from dataclasses import replace

import pytest

from matinee.data.sources import recbole
from matinee.data.sources.cache import cache_directory
from matinee.data.sources.datasets import CITATION, DATASETS, Dataset
from matinee.data.sources.fetch import directory_in_cache
from matinee.data.sources.movielens import load_movielens
from matinee.errors import DataError, DownloadError

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
        return replace(DATASETS[name], md5=md5 or hashlib.md5(body).hexdigest())

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
    dataset = replace(DATASETS["1m"], md5=hashlib.md5(body).hexdigest())
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
