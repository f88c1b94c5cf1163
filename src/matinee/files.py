"""Writing files and directories so that a crash leaves the old one or the new one, never a half.

A process that is killed may leave `.NAME.….tmp` beside NAME, which can be deleted, and, if it was
killed between two renames, the old directory as `.NAME.….previous`. Neither is removed by itself:
what lies there may be another process's, or the only copy.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Generator
from pathlib import Path

# Do not follow a link, do not wait at a pipe, do not touch line ends; where the platform knows it.
_READ_AS_IS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a file that may be anything: a regular one of at most `limit` bytes.

    Raises:
        OSError: not there, a link, a directory, a pipe or a device, or longer.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link; expected the file itself", str(path))
    descriptor = os.open(path, _READ_AS_IS)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            # A file may grow after its size was asked for.
            content = file.read(min(found.st_size, limit) + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit or found.st_size > limit:
        size = max(len(content), found.st_size)
        raise OSError(errno.EFBIG, f"it has {size:,} bytes; expected at most {limit:,}", str(path))
    return content


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fsync_path(path: Path) -> None:
    """Push a file or a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def can_be_written(path: Path) -> bool:
    """Whether a file could be made at `path`, and the directories above it that are not there."""
    above = next(place for place in path.absolute().parents if place.exists())
    return not path.is_dir() and above.is_dir() and os.access(above, os.W_OK)


@contextlib.contextmanager
def atomic_file(path: Path) -> Generator[Path]:
    """Yield a temporary path beside `path`; on success it is fsynced and renamed to `path`.

    On any exception, Ctrl-C included, the temporary file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield temporary
        fsync_path(temporary)
        temporary.replace(path)
        fsync_path(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_directory(path: Path) -> Generator[Path]:
    """Yield a temporary directory beside `path`; on success it is fsynced and takes its place.

    A directory that stands at `path` is moved aside first and deleted after the new one is in
    place, so at no moment is neither of the two on the disk.
    """
    # A link to a directory stays, and what it names is replaced.
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        temporary.mkdir()
        yield temporary
        for file in temporary.rglob("*"):
            fsync_path(file)
        fsync_path(temporary)
        _swap(temporary, path)
        fsync_path(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    """A name in the same directory that nobody else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def _swap(new: Path, path: Path) -> None:
    """Rename `new` to `path`, moving what stands there aside and putting it back on failure."""
    previous = new.with_suffix(".previous")
    try:
        if path.exists():
            path.rename(previous)
        new.rename(path)
    finally:
        if previous.exists() and not path.exists():
            previous.rename(path)
        shutil.rmtree(previous, ignore_errors=True)
