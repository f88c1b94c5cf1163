"""Every store that the contract is asked of."""

import psycopg
import pytest

from matinee.store import open_store
from tests.store import postgres


@pytest.fixture(scope="session")
def database():
    """The address of a PostgreSQL without tables."""
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL here; apt-get install postgresql")
    with postgres.running() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def address(request, tmp_path):
    """Where an empty store can be made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    found = request.getfixturevalue("database")
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return found


@pytest.fixture
def store(address):
    """An empty store."""
    opened = open_store(address)
    yield opened
    opened.close()
