"""Taking named files out of a zip that nobody vouches for."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matinee.console import Advance, progress_bar, unwatched
from matinee.errors import DataError, NotFoundError
from matinee.files import atomic_directory

_BLOCK = 1 << 20
_LARGE = 32 << 20
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Limits:
    """What a zip or a gzip file may unpack to.

    Attributes:
        member_bytes: the largest size of one file.
        ratio: how many times its packed size a file may have; ratings have about 5.
        members: how many entries the archive may list.
    """

    member_bytes: int = 4 << 30
    ratio: int = 100
    members: int = 10_000

    def most(self, packed_bytes: int) -> int:
        """How many bytes may come out of so many packed ones; small files may shrink further."""
        return min(self.member_bytes, self.ratio * packed_bytes + _BLOCK)


@contextmanager
def bar_if_large(label: str, size: int) -> Generator[Advance]:
    """A progress bar of bytes; none where the work is done before anybody could read it."""
    if size < _LARGE:
        yield unwatched
        return
    with progress_bar(label, size, "bytes") as advance:
        yield advance


def member_names(archive: Path, limits: Limits | None = None) -> list[str]:
    """The names of the files in a zip, all of them proven harmless.

    Raises:
        NotFoundError: no such file.
        DataError: not a whole zip, or one with an entry that would be refused; see `extract`.
    """
    with _open(archive) as file:
        return [info.filename for info in _checked(file, archive, limits or Limits())]


def extract(
    archive: Path, target: Path, members: Mapping[str, str], limits: Limits | None = None
) -> None:
    """Write some files of a zip into the directory `target`, all of them or none.

    Sizes in a zip's own headers are claims, so the bytes are counted as they come.

    Args:
        archive: the zip.
        target: made, or replaced as a whole.
        members: name in the archive -> file name in `target`; nothing else is written.
        limits: what the zip may unpack to.

    Raises:
        NotFoundError: no such file.
        DataError: a damaged or truncated zip; an entry with an absolute path, `..`, a backslash or
            a drive letter; a link, an encrypted or repeated entry; a file past the limits; a
            wanted file that is not there.
    """
    limits = limits or Limits()
    with _open(archive) as file:
        infos = {info.filename: info for info in _checked(file, archive, limits)}
        if missing := sorted(set(members) - set(infos)):
            raise DataError(
                f"{archive}: {', '.join(missing)} not in the archive, which holds "
                f"{', '.join(sorted(infos)[:20]) or 'nothing'}; expected the zip as published; "
                "download it again"
            )
        size = sum(infos[name].file_size for name in members)
        label = f"Unpacking {archive.name}"
        with atomic_directory(target) as directory, bar_if_large(label, size) as advance:
            done = 0
            for name, written in members.items():
                for count in _extract_one(file, infos[name], directory / written, archive, limits):
                    done += count
                    advance(done)


@contextmanager
def _open(archive: Path) -> Generator[zipfile.ZipFile]:
    if not archive.is_file():
        raise NotFoundError(f"{archive} is not there; expected a zip file; check the path")
    try:
        with zipfile.ZipFile(archive) as file:
            yield file
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{archive} ({archive.stat().st_size:,} bytes) is not a whole zip: {error}; "
            "expected the zip as published; delete it and download it again"
        ) from error


def _checked(file: zipfile.ZipFile, archive: Path, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    """The entries that are files, once every entry has been found harmless."""
    infos = file.infolist()
    if len(infos) > limits.members:
        raise DataError(
            f"{archive}: {len(infos):,} entries; expected at most {limits.members:,}; "
            "download the zip again from its publisher"
        )
    seen: set[str] = set()
    for info in infos:
        if reason := _refusal(info, seen, limits):
            raise DataError(
                f"{archive}: entry {info.orig_filename!r} {reason}; nothing was extracted; "
                "download the zip again from its publisher"
            )
        seen.add(info.filename)
    yield from (info for info in infos if not info.is_dir())


def _refusal(info: zipfile.ZipInfo, seen: set[str], limits: Limits) -> str | None:
    """Why an entry must not be touched, or None."""
    name = info.orig_filename
    if "\\" in name or "\0" in name or re.match(r"[A-Za-z]:", name):
        return "has a backslash, a drive letter or a NUL in its name"
    if name.startswith("/") or ".." in name.split("/"):
        return "leads out of the directory"
    if info.filename in seen:
        return "stands in the archive twice"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, not a file"
    if info.file_size > limits.member_bytes:
        return f"claims {info.file_size:,} bytes; at most {limits.member_bytes:,} are expected"
    return None


def _extract_one(
    file: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, archive: Path, limits: Limits
) -> Iterator[int]:
    """Write one file, and tell the size of every block written."""
    most = left = limits.most(info.compress_size)
    with file.open(info) as source, target.open("wb") as out:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise DataError(
                    f"{archive}: entry {info.filename!r} unpacks to more than {most:,} bytes from "
                    f"{info.compress_size:,}; expected at most {limits.ratio} times; this is a "
                    "zip bomb; download the zip again from its publisher"
                )
            out.write(block)
            yield len(block)
