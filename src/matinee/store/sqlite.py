"""The embedded store: SQLite by APSW, which brings a SQLite without the WAL-reset bug."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import apsw

from matinee.errors import MatineeError, NotFoundError, StoreError, StoreUnavailableError
from matinee.files import atomic_file
from matinee.store.base import SqlStore
from matinee.store.operations import Row, Session
from matinee.store.sqlite_file import empty_log, ended, migrate, rows_of, unavailable

T = TypeVar("T")
_BUSY_MS = 2_000
# Writes that share one sync of the disk.
_GROUP = 256


class _Session:
    """A connection inside a transaction; see `Session`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one statement; all its rows."""
        return rows_of(self._connection, sql, parameters)

    def serialize(self, name: str) -> None:
        """Nothing to wait for: one transaction writes at a time."""


class SqliteStore(SqlStore):
    """A store in one file, with a write-ahead log synced at every commit.

    One thread writes. It takes all writes that wait, makes them one transaction, each in a
    savepoint of its own, and answers them when that is on the disk; so eight clients share a sync.
    Reads go on beside it, each thread on a connection of its own.

    Args:
        path: the file; made if it is not there.
        vfs: the name of another way to the disk; for tests.

    Raises:
        StoreError: a file of something else, or of a newer Matinee.
        StoreUnavailableError: it cannot be opened.
    """

    # Its reads take microseconds, from memory.
    is_near = True

    def __init__(self, path: Path | str, *, vfs: str | None = None) -> None:
        self.path = Path(path)
        self._vfs = vfs
        self._waiting: queue.SimpleQueue[tuple[Callable[[Session], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._readers: queue.LifoQueue[apsw.Connection] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._closed = False
        with unavailable(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer: apsw.Connection | None = self._open()
            try:
                migrate(self._writer)
            except BaseException:
                self._let_go()
                raise
        self._thread = threading.Thread(target=self._write_all, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, operation: Callable[[Session], T]) -> T:
        """See `SqlStore.write`."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise StoreUnavailableError(f"{self.path} is closed; open it again")
            self._waiting.put((operation, future))
        return future.result()

    @contextmanager
    def reading(self) -> Generator[Session]:
        """See `SqlStore.reading`."""
        with unavailable(self.path), self._reader() as connection, connection:
            yield _Session(connection)

    def erase_user(self, user_id: str) -> int:
        """See `Store.erase_user`; what was deleted is overwritten, in the log too."""
        removed = super().erase_user(user_id)
        with unavailable(self.path), self._reader() as connection:
            empty_log(connection, _BUSY_MS / 1e3)
        return removed

    def check(self) -> list[str]:
        """See `Store.check`: the file's integrity, and what the tables say of each other."""
        with unavailable(self.path), self._reader() as connection:
            rows = rows_of(connection, "PRAGMA integrity_check")
        damage = [str(row[0]) for row in rows if row[0] != "ok"]
        return damage or super().check()

    def backup(self, target: Path | str) -> None:
        """Copy the store as it is at one moment to a new file, while it is in use.

        Raises:
            StoreError: something is at `target`.
        """
        target = Path(target)
        if target.exists():
            raise StoreError(f"{target} exists; nothing was written; give another place")
        with unavailable(target), self._reader() as connection:
            copy = apsw.Connection(str(target))
            try:
                with copy.backup("main", connection, "main") as backup:
                    backup.step()
                # A backup is one file: no log beside it.
                rows_of(copy, "PRAGMA journal_mode = DELETE")
            finally:
                copy.close()

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        while not self._readers.empty():
            self._readers.get().close()
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), vfs=self._vfs)
        connection.set_busy_timeout(_BUSY_MS)
        rows_of(connection, "PRAGMA journal_mode = WAL")
        rows_of(connection, "PRAGMA synchronous = FULL")
        rows_of(connection, "PRAGMA secure_delete = ON")
        return connection

    @contextmanager
    def _reader(self) -> Generator[apsw.Connection]:
        """A connection that nobody else uses meanwhile; one that failed is not used again."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        except apsw.Error:
            connection.close(True)
            raise
        self._readers.put(connection)

    def _write_all(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, last = [first], False
            while len(group) < _GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                group.append(following)
            self._write_group(group)
            if last:
                return

    def _write_group(self, group: Sequence[tuple[Callable[[Session], Any], Future[Any]]]) -> None:
        """One transaction for all; nobody is answered before it is on the disk."""
        try:
            with unavailable(self.path):
                if self._writer is None:
                    self._writer = self._open()
                outcomes = _transaction(self._writer, [operation for operation, _ in group])
        except Exception as error:
            for _, future in group:
                future.set_exception(error)
            self._let_go()
            return
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, MatineeError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _let_go(self) -> None:
        """After a failure start afresh: what a connection believes of its files may be wrong."""
        if self._writer is not None:
            with suppress(apsw.Error):
                self._writer.close(True)
        self._writer = None


def _transaction(
    connection: apsw.Connection, wanted: Sequence[Callable[[Session], Any]]
) -> list[Any]:
    """What each operation returned, or the `MatineeError` that undid it alone."""
    session, outcomes = _Session(connection), list[Any]()
    rows_of(connection, "BEGIN IMMEDIATE")
    with ended(connection):
        for operation in wanted:
            rows_of(connection, "SAVEPOINT one")
            try:
                outcomes.append(operation(session))
            except MatineeError as error:
                rows_of(connection, "ROLLBACK TO one")
                outcomes.append(error)
            rows_of(connection, "RELEASE one")
    return outcomes


def restore(backup: Path, path: Path) -> None:
    """Put a copy of a backup where no store is, after it was checked.

    Raises:
        StoreError: something is at `path`, or the backup is damaged.
        NotFoundError: no backup.
    """
    if not backup.is_file():
        raise NotFoundError(f"no file {backup}; expected what matinee store backup wrote")
    for taken in (path, path.with_name(f"{path.name}-wal")):
        if taken.exists():
            raise StoreError(
                f"{taken} exists; nothing was written; stop the service and move it away first"
            )
    with atomic_file(path) as temporary:
        shutil.copyfile(backup, temporary)
        copy = SqliteStore(temporary)
        try:
            wrong = copy.check()
        finally:
            copy.close()
        if wrong:
            raise StoreError(f"{backup}: {'; '.join(wrong)}; nothing was written; try another")
