"""One process at a time: two that fetch the same set would write into each other's files."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from matinee.console import say
from matinee.errors import DataError

_HAS_FLOCK = importlib.util.find_spec("fcntl") is not None
_WAIT_S = 0.1
_PATIENCE_S = 3600.0


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock file `path` while the block runs; wait for whoever holds it now.

    It is gone afterwards, and with a process that crashed so is its lock (on Windows its file
    stays, and has to be deleted).

    Raises:
        DataError: it stayed held for an hour.
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _PATIENCE_S
    told = False
    while (descriptor := _take(path)) is None:
        if time.monotonic() > deadline:
            raise DataError(
                f"another process has held {path} for an hour; end it, or delete the file if "
                "there is none, and try again"
            )
        if not told:
            say(f"Waiting for another process that is fetching the same (it holds {path}).")
            told = True
        time.sleep(_WAIT_S)
    try:
        yield
    finally:
        _give_back(path, descriptor)


@contextmanager
def claimed(path: Path) -> Generator[None]:
    """As `locked`, but do not wait.

    Raises:
        DataError: another process holds the lock file.
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _take(path)
    if descriptor is None:
        raise DataError(
            f"another process works on this (it holds {path}); wait for its end, or delete the "
            "file if there is none"
        )
    try:
        yield
    finally:
        _give_back(path, descriptor)


def _give_back(path: Path, descriptor: int) -> None:
    if _HAS_FLOCK:
        path.unlink(missing_ok=True)
        os.close(descriptor)
    else:
        # An open file cannot be deleted there.
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _take(path: Path) -> int | None:
    """The open lock file if it is ours now, or None."""
    if not _HAS_FLOCK:
        with suppress(FileExistsError):
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        return None
    import fcntl

    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have deleted it meanwhile: then the lock is on a file without a name.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    os.close(descriptor)
    return None
