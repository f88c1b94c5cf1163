"""Power cuts, full and read-only disks."""

import os
from concurrent.futures import ThreadPoolExecutor

import apsw
import pytest

from matinee.errors import StoreUnavailableError
from matinee.store.sqlite import SqliteStore
from tests.store.disks import ForgetfulDisk, TroubledDisk, cuts


def test_no_cut_of_the_power_loses_what_was_acknowledged(tmp_path):
    checked, lost, unsound = cuts(tmp_path, 25)
    assert checked > 0
    assert (lost, unsound) == (0, 0)


def test_the_forgetful_disk_forgets(tmp_path):
    # Without syncs acknowledged ratings are lost: the test above can fail.
    disk = ForgetfulDisk("forgetful-unsynced")
    store = SqliteStore(tmp_path / "live.db", vfs=disk.name)
    store.close()
    connection = apsw.Connection(str(tmp_path / "live.db"), vfs=disk.name)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE unsynced (x)")
    place = tmp_path / "cut"
    place.mkdir()
    left = {
        ("unsynced",)
        in apsw.Connection(str(disk.cut(place, seed)))
        .execute("SELECT name FROM sqlite_schema")
        .fetchall()
        for seed in range(12)
    }
    assert False in left
    connection.close()


@pytest.mark.parametrize(
    "trouble", [apsw.FullError, apsw.ReadOnlyError, apsw.IOError], ids=lambda kind: kind.__name__
)
def test_trouble_stops_writes_alone_and_passes(tmp_path, trouble):
    disk = TroubledDisk(f"troubled-{trouble.__name__}")
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    store.put_rating("u", "before", 3.0, at_s=1.0)
    disk.trouble = trouble
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(store.put_rating, "u", f"m{n}", 3.0) for n in range(20)]
    assert {type(future.exception()) for future in futures} == {StoreUnavailableError}
    assert [row.movie_id for row in store.ratings_of("u")] == ["before"]
    disk.trouble = None
    assert store.put_rating("u", "after", 4.0, at_s=2.0).changed
    assert [row.movie_id for row in store.ratings_of("u")] == ["before", "after"]
    assert store.check() == []
    store.close()


def test_a_database_that_somebody_else_holds_is_unavailable_for_now(tmp_path, monkeypatch):
    monkeypatch.setattr("matinee.store.sqlite._BUSY_MS", 20)
    store = SqliteStore(tmp_path / "store.db")
    other = apsw.Connection(str(tmp_path / "store.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="BusyError"):
        store.put_rating("u", "m", 3.0)
    other.execute("ROLLBACK")
    other.close()
    assert store.put_rating("u", "m", 3.0).changed
    store.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailableError, match=r"store\.db"):
        SqliteStore(tmp_path / "store.db")
