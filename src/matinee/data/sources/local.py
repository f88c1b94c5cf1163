"""A MovieLens set that lies on this disk already, zipped or not."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from matinee.data.sources.archives import Limits, extract, member_names
from matinee.data.sources.cache import cache_directory, writing
from matinee.data.sources.datasets import DATASETS, Dataset
from matinee.errors import DataError, MatineeError, NotFoundError
from matinee.files import sha256_of


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
    if not dataset.is_in(target):
        unpack(path, dataset, target)
    return target


def unpack(archive: Path, dataset: Dataset, target: Path) -> None:
    """Extract a set's files from its zip into the directory `target`, whether or not in a folder.

    Raises:
        DataError: see `extract`.
    """
    limits = Limits(member_bytes=dataset.member_bytes)
    folder = _folder_of(member_names(archive, limits), dataset)
    members = {f"{folder}{name}": name for name in dataset.files}
    with writing(target):
        extract(archive, target, members, limits)


def movielens_of(path: Path | str) -> str | None:
    """The name of the set that a zip or a directory holds, or None if it holds none.

    20M, 25M, 32M and latest-small have files of the same names, so there the folder's or the
    zip's own name must tell.
    """
    path = Path(path)
    try:
        files = _files_under(path)
    except (MatineeError, OSError):
        return None
    folders = {str(PurePosixPath(name).parent) for name in files} | {path.resolve().name, path.stem}
    fitting = [dataset for dataset in DATASETS.values() if _holds(files, dataset)]
    for dataset in fitting:
        if folders & {dataset.folder, dataset.zip_name.removesuffix(".zip")}:
            return dataset.name
    # What has users besides .dat files is 1M; without them it is 10M.
    return next((d.name for d in fitting if d.style != "csv"), None)


def _files_under(path: Path) -> list[str]:
    if path.is_dir():
        here = (entry for pattern in ("*", "*/*") for entry in path.glob(pattern))
        return [entry.relative_to(path).as_posix() for entry in here if entry.is_file()]
    return member_names(path)


def _holds(files: list[str], dataset: Dataset) -> bool:
    names = {PurePosixPath(name).name for name in files}
    return names.issuperset(dataset.files)


def _folder_of(names: list[str], dataset: Dataset) -> str:
    """What stands before the set's file names in its zip: `ml-1m/`, or nothing."""
    pattern = re.compile(rf"((?:[^/]+/)?){re.escape(dataset.ratings_file)}")
    found = (pattern.fullmatch(name) for name in names)
    return next((match.group(1) for match in found if match), f"{dataset.folder}/")
