"""Text files whose encoding nobody wrote down: UTF-8 if they are, else Latin-1."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from matinee.errors import DataError, NotFoundError

_BLOCK = 1 << 20
_DAMAGED_GZIP = (gzip.BadGzipFile, zlib.error, EOFError)


def need_file(path: Path) -> None:
    """Make sure that a file is there and holds something.

    Raises:
        NotFoundError: it is not there.
        DataError: it is empty.
    """
    if not path.is_file():
        raise NotFoundError(f"{path} is not there; expected a file; check the path")
    if not path.stat().st_size:
        raise DataError(f"{path} is empty; expected a header and at least one row")


@contextmanager
def open_text(path: Path) -> Generator[IO[str]]:
    """Open a text file, `.gz` or not, without a byte order mark and with its line ends as they are.

    Raises:
        DataError: a damaged `.gz`.
    """
    encoding = encoding_of(path)
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, newline="") as file:
            yield file  # pyright: ignore[reportReturnType]
    except _DAMAGED_GZIP as error:
        raise _damaged(path, error) from error


def read_text(path: Path) -> str:
    """A whole text file, every line of which ends with a line feed alone."""
    with open_text(path) as file:
        return file.read().replace("\r\n", "\n")


def beginning(path: Path) -> str:
    """The text of the first MiB; enough to see how a table is laid out.

    Raises:
        DataError: it holds NULs, so it is no text; or a damaged `.gz`.
    """
    block = next(_blocks(path), b"")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(block)
    except UnicodeDecodeError:
        return block.decode("latin-1")


def encoding_of(path: Path) -> str:
    """`utf-8-sig` if every byte of the file fits it, else `latin-1`, which fits any.

    Raises:
        DataError: the file holds NULs, so it is not text in either; or a damaged `.gz`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8-sig"
    for block in _blocks(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            encoding = "latin-1"
            decoder = codecs.getincrementaldecoder("latin-1")()
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return encoding


def count_plain_lines(path: Path) -> int | None:
    """How many lines a text file has; None if `""` is in it, which readers take differently.

    Raises:
        DataError: it holds NULs, so it is no text; or a damaged `.gz`.
    """
    count, last = 0, b"\n"
    for block in _blocks(path):
        # Most files have no quote at all, which is quicker to see than that they have no two.
        if b'"' in block and (b'""' in block or (last + block[:1]) == b'""'):
            return None
        count += block.count(b"\n")
        last = block[-1:]
    return count + (last != b"\n")


def _blocks(path: Path) -> Iterator[bytes]:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            while block := file.read(_BLOCK):
                if b"\0" in block:
                    raise DataError(f"{path} holds NUL bytes; expected text; save it as UTF-8")
                yield block
    except _DAMAGED_GZIP as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is not a whole gzip file: {error}; write or copy it again")
