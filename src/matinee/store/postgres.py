"""A store in PostgreSQL, for services on several machines."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg

from matinee.errors import StoreError, StoreUnavailableError
from matinee.store.base import SqlStore
from matinee.store.operations import Row, Session
from matinee.store.schema import MIGRATIONS

T = TypeVar("T")
_CONNECTIONS = 8
_CONNECT_S = 5
# How long a call waits for one of the connections.
_PATIENCE_S = 5.0
_WORDS = {
    "identity": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "real": "DOUBLE PRECISION",
}
_MIGRATING = 0x4D746E65


class _Session:
    """A connection inside a transaction; see `Session`."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement; all its rows."""
        words: Any = sql.replace("?", "%s")
        cursor = self._connection.execute(words, tuple(parameters))
        return cursor.fetchall() if cursor.description else []

    def serialize(self, name: str) -> None:
        """Wait for, and hold until the end of the transaction, a name."""
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))


class PostgresStore(SqlStore):
    """A store in PostgreSQL, by up to eight connections that are opened when they are needed.

    Args:
        address: `postgresql://user:password@host/database`; what is not in it is taken from the
            usual `PG…` variables.

    Raises:
        StoreError: tables of a newer Matinee.
        StoreUnavailableError: the database cannot be reached.
    """

    is_near = False

    def __init__(self, address: str) -> None:
        self._address = address
        self._places: queue.LifoQueue[psycopg.Connection[Row] | None] = queue.LifoQueue()
        for _ in range(_CONNECTIONS):
            self._places.put(None)
        try:
            self.write(_migrate)
        except BaseException:
            self.close()
            raise

    def write(self, operation: Callable[[Session], T]) -> T:
        """See `SqlStore.write`."""
        with self._connection() as connection, connection.transaction():
            return operation(_Session(connection))

    @contextmanager
    def reading(self) -> Generator[Session]:
        """See `SqlStore.reading`."""
        with self._connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield _Session(connection)

    def close(self) -> None:
        """See `Store.close`."""
        for _ in range(_CONNECTIONS):
            connection = self._places.get()
            if connection is not None:
                connection.close()

    @contextmanager
    def _connection(self) -> Generator[psycopg.Connection[Row]]:
        """One of the connections; one that broke is made anew."""
        try:
            connection = self._places.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise StoreUnavailableError(
                f"all {_CONNECTIONS} connections to the database are busy; try again"
            ) from None
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(
                    self._address, connect_timeout=_CONNECT_S, autocommit=True
                )
            yield connection
        except psycopg.Error as error:
            if connection is None or connection.broken:
                # The server went away, and with it, most likely, all the others.
                connection = None
                self._forget_idle()
            # What the server says may quote the row: only its kind is told.
            raise StoreUnavailableError(
                f"the database answered {type(error).__name__}; the next call tries again"
            ) from error
        finally:
            self._places.put(connection)

    def _forget_idle(self) -> None:
        """Let the next calls connect anew."""
        idle = list[psycopg.Connection[Row] | None]()
        with suppress(queue.Empty):
            while True:
                idle.append(self._places.get_nowait())
        for connection in idle:
            if connection is not None:
                connection.close()
            self._places.put(None)


def _migrate(session: Session) -> tuple[int, int]:
    """Bring the tables to the newest schema; the versions before and after."""
    session.execute("SELECT pg_advisory_xact_lock(?)", (_MIGRATING,))
    session.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, at_s DOUBLE PRECISION)"
    )
    ((version,),) = session.execute("SELECT coalesce(max(version), 0) FROM migrations")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}; this Matinee knows 1 … {len(MIGRATIONS)}; "
            "use the newer Matinee that wrote it"
        )
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            session.execute(statement.format(**_WORDS))
        session.execute("INSERT INTO migrations VALUES (?, ?)", (number, time.time()))
    return version, len(MIGRATIONS)
