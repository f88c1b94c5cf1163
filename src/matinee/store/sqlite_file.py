"""What is done with a SQLite file below the store: statements, transactions, schema, errors."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from matinee.errors import StoreError, StoreUnavailableError
from matinee.store.operations import Row
from matinee.store.schema import MIGRATIONS

# "Mtne": whose file this is.
APPLICATION_ID = 0x4D746E65
_AGAIN_S = 0.005
_WORDS = {"identity": "INTEGER PRIMARY KEY AUTOINCREMENT", "real": "REAL"}


def rows_of(connection: apsw.Connection, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
    """All rows of a statement; the one place that takes APSW's types as they are."""
    untyped: Any = connection
    return untyped.execute(sql, tuple(parameters)).fetchall()


@contextmanager
def unavailable(path: Path) -> Generator[None]:
    """Turn what SQLite and the system say into a `StoreUnavailableError`."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreError(
            f"{path} is damaged or no store ({error}); restore a backup: matinee store restore"
        ) from error
    except (apsw.Error, OSError) as error:
        raise StoreUnavailableError(
            f"{path}: {type(error).__name__}: {error}; make room or make it writable; "
            "the next call tries again"
        ) from error


def empty_log(connection: apsw.Connection, patience_s: float) -> None:
    """Bring all of the log into the file, and leave nothing in it.

    SQLite waits for whoever reads, but not for another one that does this; so that is done here.

    Raises:
        apsw.BusyError: somebody was in the way for longer than that.
    """
    ends_s = time.monotonic() + patience_s
    while True:
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            if time.monotonic() > ends_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def migrate(connection: apsw.Connection) -> tuple[int, int]:
    """Bring a file to the newest schema, in one transaction; the versions before and after.

    Raises:
        StoreError: a file of something else, or of a newer Matinee.
    """
    version = _version(connection)
    if version < len(MIGRATIONS):
        rows_of(connection, "BEGIN IMMEDIATE")
        with ended(connection):
            for statements in MIGRATIONS[_version(connection) :]:
                for statement in statements:
                    rows_of(connection, statement.format(**_WORDS))
            rows_of(connection, f"PRAGMA application_id = {APPLICATION_ID}")
            rows_of(connection, f"PRAGMA user_version = {len(MIGRATIONS)}")
    return version, len(MIGRATIONS)


def _version(connection: apsw.Connection) -> int:
    ((version,),) = rows_of(connection, "PRAGMA user_version")
    ((owner,),) = rows_of(connection, "PRAGMA application_id")
    ((tables,),) = rows_of(connection, "SELECT count(*) FROM sqlite_schema")
    if owner != APPLICATION_ID and (tables or version):
        raise StoreError("the database is of another program; give another file")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}; this Matinee knows 1 … {len(MIGRATIONS)}; "
            "use the newer Matinee that wrote it"
        )
    return version


@contextmanager
def ended(connection: apsw.Connection) -> Generator[None]:
    """Commit the transaction that was begun, or roll it back if anything is raised."""
    try:
        yield
        rows_of(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:
            rows_of(connection, "ROLLBACK")
        raise
