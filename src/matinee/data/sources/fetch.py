"""A MovieLens set by name: out of the cache, or brought into it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from matinee.console import say
from matinee.data.sources.cache import cache_directory, writing
from matinee.data.sources.datasets import CITATION, LICENCE, Dataset
from matinee.data.sources.download import download
from matinee.data.sources.local import unpack
from matinee.data.sources.recbole import REQUIREMENT, fetch_100k
from matinee.errors import DataError, DownloadError


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
    if archive.is_file():
        _check(archive, dataset)
        unpack(archive, dataset, directory)
    else:
        _fetch(dataset, archive, directory)
    return directory


def _fetch(dataset: Dataset, archive: Path, directory: Path) -> None:
    try:
        _fetch_from_grouplens(dataset, archive, directory)
    except DownloadError as grouplens:
        if dataset.name != "100k":
            raise _nowhere(dataset, archive, str(grouplens)) from grouplens
        say(f"GroupLens did not give it: {grouplens}")
        say(f"Taking the same ratings from the package {REQUIREMENT} by pip instead.")
        try:
            with writing(directory):
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
        unpack(archive, dataset, directory)
    finally:
        archive.unlink(missing_ok=True)


def _nowhere(dataset: Dataset, archive: Path, reasons: str) -> DownloadError:
    return DownloadError(
        f"MovieLens {dataset.name} could not be fetched ({reasons}). Download {dataset.url} where "
        f"there is a network and put it at {archive}, or give the path that it has: "
        f'load_movielens("{dataset.name}", path=…)'
    )


def _check(archive: Path, dataset: Dataset) -> None:
    if dataset.md5 is None:
        return
    with archive.open("rb") as file:
        got = hashlib.file_digest(file, "md5").hexdigest()
    if got != dataset.md5:
        raise DataError(
            f"{archive}: md5 {got}; expected {dataset.md5}, GroupLens's {dataset.zip_name}; delete "
            "it, or give it as path=… if it is meant to differ"
        )
