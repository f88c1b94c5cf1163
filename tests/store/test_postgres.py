"""What is PostgreSQL's own: connections that break, servers that are away."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from matinee.errors import StoreError, StoreUnavailableError
from matinee.store import open_store
from matinee.store.schema import MIGRATIONS


@pytest.fixture
def empty(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return database


def run(address, sql):
    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(sql).fetchall()


def test_one_call_fails_when_the_server_drops_its_connections(empty):
    store = open_store(empty)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: store.put_rating("u", f"m{n}", 3.0), range(12)))
    run(
        empty,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    with pytest.raises(StoreUnavailableError):
        store.ping()
    for film in range(10):
        assert store.put_rating("v", f"m{film}", 3.0).changed
    assert store.check() == []
    store.close()


def test_a_server_that_is_away_is_named_without_its_password(empty):
    address = "postgresql://me:hunter2@127.0.0.1:1/none"
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(address)
    assert "hunter2" not in str(caught.value)


def test_a_newer_schema_is_refused(empty):
    open_store(empty).close()
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("INSERT INTO migrations VALUES (%s, 0)", (len(MIGRATIONS) + 1,))
    with pytest.raises(StoreError, match="use the newer Matinee"):
        open_store(empty)


def test_two_processes_that_start_together_migrate_once(empty):
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(empty), range(4)))
    assert run(empty, "SELECT count(*) FROM migrations") == [(len(MIGRATIONS),)]
    for store in stores:
        store.close()
