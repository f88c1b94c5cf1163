"""Text files whose encoding nobody wrote down: UTF-8 if they are, else Latin-1."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from matinee.data.sources.archives import Limits, bar_if_large
from matinee.errors import DataError, NotFoundError

_BLOCK = 1 << 20
_LINES = 10_000
_LIMITS = Limits()
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


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text file, `.gz` or not, without a byte order mark and with their own ends.

    Raises:
        DataError: a damaged `.gz`.
    """
    encoding = encoding_of(path)
    with _open(path, "Reading", path.stat().st_size) as (file, advance):
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        for number, line in enumerate(text):
            if number % _LINES == 0:
                advance()
            yield line


def read_text(path: Path) -> str:
    """A whole text file, every line of which ends with a line feed alone."""
    return "".join(lines_of(path)).replace("\r\n", "\n")


def beginning(path: Path) -> str:
    """The text of the first MiB; enough to see how a table is laid out.

    Raises:
        DataError: it holds NULs, so it is no text; or a damaged `.gz`.
    """
    block = next(_blocks(path, watched=False), b"")
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
    """How many lines a text file has; None if readers may take its quotes differently.

    They do if there is `""` among them, or an odd number of them.

    Raises:
        DataError: it holds NULs, so it is no text; or a damaged `.gz`.
    """
    count, quotes, last = 0, 0, b"\n"
    for block in _blocks(path):
        # Most files have no quote at all, which is quicker to see than that they have no two.
        if b'"' in block:
            if b'""' in block or (last + block[:1]) == b'""':
                return None
            quotes += block.count(b'"')
        count += block.count(b"\n")
        last = block[-1:]
    return None if quotes % 2 else count + (last != b"\n")


def _blocks(path: Path, watched: bool = True) -> Iterator[bytes]:
    """The bytes of a text file, unpacked, and no more of them than it may unpack to."""
    packed = path.stat().st_size
    most = left = _LIMITS.most(packed)
    with _open(path, "Looking through", packed if watched else 0) as (file, advance):
        while block := file.read(_BLOCK):
            left -= len(block)
            if left < 0 and _is_gzip(path):
                raise DataError(
                    f"{path} unpacks to more than {most:,} bytes from {packed:,}; expected at "
                    f"most {_LIMITS.ratio} times and {_LIMITS.member_bytes:,}; if this is no gzip "
                    "bomb, unpack it yourself and give the file"
                )
            if b"\0" in block:
                raise DataError(f"{path} holds NUL bytes; expected text; save it as UTF-8")
            advance()
            yield block


@contextmanager
def _open(path: Path, doing: str, size: int) -> Generator[tuple[IO[bytes], Callable[[], None]]]:
    """A file's bytes, unpacked, and a function that moves the bar on to where reading has come."""
    try:
        with path.open("rb") as raw, bar_if_large(f"{doing} {path.name}", size) as advance:
            file = gzip.GzipFile(fileobj=raw) if _is_gzip(path) else raw
            yield cast("IO[bytes]", file), lambda: advance(raw.tell())
    except _DAMAGED_GZIP as error:
        raise DataError(
            f"{path} is not a whole gzip file: {error}; write or copy it again"
        ) from error


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"
