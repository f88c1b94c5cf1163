"""What is the embedded store's own: its file, its log, its copies."""

import threading

import apsw
import pytest

from matinee.errors import StoreError, StoreUnavailableError
from matinee.store import StoredRating, open_store
from matinee.store.schema import MIGRATIONS
from matinee.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


def pragma(path, name):
    connection = apsw.Connection(str(path))
    value = connection.pragma(name)
    connection.close()
    return value


def test_every_commit_is_synced(path):
    store = SqliteStore(path)
    with store.reading() as session:
        assert session.execute("PRAGMA journal_mode") == [("wal",)]
    settings = store.write(lambda session: session.execute("PRAGMA synchronous"))
    assert settings == [(2,)]
    store.close()


def test_sqlite_is_one_without_the_bug_of_the_log():
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    assert version >= (3, 51, 3)


def test_a_closed_store_says_so(path):
    store = SqliteStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.put_rating("u", "m", 3.0)


def test_a_newer_schema_is_refused(path):
    SqliteStore(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    with pytest.raises(StoreError, match="use the newer Matinee"):
        SqliteStore(path)


def test_a_database_of_another_program_is_left_alone(path):
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"no database at all, but long enough to look like one" * 100)
    with pytest.raises(StoreError, match="damaged or no store"):
        SqliteStore(path)


def test_an_older_store_is_migrated_and_keeps_its_ratings(path, monkeypatch):
    store = SqliteStore(path)
    store.put_rating("u", "m", 3.0, at_s=1.0)
    store.close()
    newer = (*MIGRATIONS, ("ALTER TABLE films ADD COLUMN note TEXT",))
    monkeypatch.setattr("matinee.store.sqlite_file.MIGRATIONS", newer)
    store = SqliteStore(path)
    assert store.ratings_of("u")[0].stars == 3.0
    assert store.write(lambda s: s.execute("SELECT note FROM films")) == []
    store.close()
    assert pragma(path, "user_version") == len(newer)


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    SqliteStore(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE added (x)", "no SQL"))
    with monkeypatch.context() as patch:
        patch.setattr("matinee.store.sqlite_file.MIGRATIONS", broken)
        with pytest.raises(StoreUnavailableError):
            SqliteStore(path)
    assert pragma(path, "user_version") == len(MIGRATIONS)
    store = SqliteStore(path)
    tables = store.write(lambda s: s.execute("SELECT name FROM sqlite_schema"))
    assert ("added",) not in tables
    store.close()


def test_two_processes_share_a_file(path):
    one, other = SqliteStore(path), SqliteStore(path)

    def write(store, user):
        for film in range(50):
            assert store.put_rating(user, f"m{film}", 3.0).changed

    threads = [
        threading.Thread(target=write, args=(store, user))
        for store, user in ((one, "a"), (one, "b"), (other, "c"), (other, "d"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in (one, other):
        assert store.counts().ratings == 200
        assert store.check() == []
        store.close()


def test_people_are_erased_at_once(path):
    store, failures = SqliteStore(path), []

    def erase(who):
        for time in range(20):
            store.put_rating(f"{who} {time}", "m", 3.0)
            try:
                assert store.erase_user(f"{who} {time}") == 2
            except StoreUnavailableError as error:
                failures.append(error)

    threads = [threading.Thread(target=erase, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.erased_users()) == 160
    store.close()


def test_a_backup_is_whole_while_the_store_is_written(path, tmp_path):
    store = SqliteStore(path)
    for film in range(50):
        store.put_rating("u", f"m{film}", 3.0)
    store.backup(tmp_path / "copy.db")
    store.put_rating("u", "later", 3.0)
    with pytest.raises(StoreError, match="exists"):
        store.backup(tmp_path / "copy.db")
    store.close()
    assert sorted(p.name for p in tmp_path.iterdir() if "copy" in p.name) == ["copy.db"]
    copy = open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    assert copy.check() == []
    assert copy.counts().ratings == 50
    copy.close()


def test_nothing_of_an_erased_person_stays_in_the_files(path):
    store = SqliteStore(path)
    name = "a-name-to-be-forgotten"
    for film in range(60):
        store.put_rating(name, f"m{film}", 3.0)
        store.put_rating("somebody", f"m{film}", 3.0)
    store.erase_user(name)
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert name.encode() not in content
    assert b"somebody" in content
    store.close()


def test_damage_in_the_file_is_found(path):
    store = SqliteStore(path)
    store.import_ratings(StoredRating("u", f"m{film:05}", 3.0, 1.0) for film in range(2_000))
    store.close()
    content = bytearray(path.read_bytes())
    content[8 * 4096 : 9 * 4096] = b"\x55" * 4096
    path.write_bytes(bytes(content))
    found = []
    try:
        store = SqliteStore(path)
        found = store.check()
        store.close()
    except StoreError as error:
        found = [str(error)]
    assert found


def test_dislikes_of_an_older_store_count(path, monkeypatch):
    monkeypatch.setattr("matinee.store.sqlite_file.MIGRATIONS", MIGRATIONS[:1])
    older = SqliteStore(path)
    said = [("dislike", "kept"), ("dislike", "rated"), ("rate", "rated"), ("click", "opened")]
    for kind, movie in said:
        row = "INSERT INTO events (kind, user_id, movie_id, at_s) VALUES (?, 'u', ?, 1.0)"
        older.write(lambda s, row=row, values=(kind, movie): s.execute(row, values))
    older.close()
    monkeypatch.setattr("matinee.store.sqlite_file.MIGRATIONS", MIGRATIONS)
    store = SqliteStore(path)
    assert store.standing_of("u").disliked == {"kept"}
    assert store.check() == []
    store.close()
