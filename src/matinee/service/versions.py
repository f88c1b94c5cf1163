"""Versions of a model in a directory, one of which is current.

    models/ml-100k/
        20260301-120000/        a model: what `matinee train --out` wrote
        20260308-120000/
        current.json            {"versions": ["20260301-120000", "20260308-120000"]}, newest last

The pointer is replaced by a rename, so at every moment it names one version. A directory that is
itself a model has one version, named by its manifest's hash.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.artifacts import SavedModel, load_model, read_manifest
from matinee.artifacts.manifest import MANIFEST
from matinee.errors import ConflictError, MatineeError, ModelFileError, NotFoundError
from matinee.files import atomic_file, read_regular
from matinee.recommender import Recommender

POINTER = "current.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# How many activations a rollback can go back over.
_REMEMBERED = 20


@dataclass(frozen=True, eq=False)
class Live:
    """A model that was read and tried, under its version's name.

    Attributes:
        version: its name.
        saved: the model, its recipe and its metrics.
    """

    version: str
    saved: SavedModel

    @property
    def recommender(self) -> Recommender:
        """The model itself."""
        return self.saved.recommender

    def rows_of(self, user_index: int) -> NDArray[np.int64]:
        """The rows of a user's training ratings, oldest first: int64 [m]."""
        rows, offsets = self._by_user
        return rows[offsets[user_index] : offsets[user_index + 1]]

    @property
    def movie_ids(self) -> list[str]:
        """The films' ids, in number order."""
        return self.recommender.catalog.ids

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The films' numbers by id; faster for one at a time than the vocabulary."""
        return {movie_id: number for number, movie_id in enumerate(self.movie_ids)}

    @cached_property
    def _by_user(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.recommender.train.by_user()


@dataclass(frozen=True)
class Version:
    """A version as a list of them shows it.

    Attributes:
        version: its name.
        active: whether it is the one that answers.
        problem: why it cannot be used; None if nothing is known against it.
        metrics: what was measured when it was trained.
        data: where its ratings came from.
    """

    version: str
    active: bool
    problem: str | None
    metrics: Mapping[str, float]
    data: Mapping[str, Any]


class Models:
    """The versions in a directory, and the one that answers now.

    `current` is replaced as a whole, so whoever takes it once answers from one version.

    Args:
        directory: a model, or a directory of versions.

    Raises:
        ModelFileError: no version there can be used.
    """

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self._one = (self.directory / MANIFEST).exists()
        self._changing = threading.Lock()
        self._seen: bytes = b""
        self._beside: tuple[str, Live] | None = None
        self.current: Live = self._first()

    def versions(self) -> list[Version]:
        """All versions, by name."""
        if self._one:
            live = self.current
            left = self._version(live.version)
            return [replace(left, metrics=live.saved.metrics, data=live.saved.data)]
        names = {path.name for path in self._paths()}
        # What answers is in memory, whatever became of its directory.
        return [self._version(name) for name in sorted(names | {self.current.version})]

    def activate(self, version: str) -> Live:
        """Read a version, try it, and let it answer from now on; the old one does until then.

        Raises:
            NotFoundError: no such version.
            ModelFileError: it cannot be used; nothing changed.
        """
        if self._one and version == self.current.version:
            return self.current
        with self._changing:
            live = self._load(version)
            past = [name for name in self._pointer() if name != version]
            self._point([*past, version])
            self.current = live
        return live

    def rollback(self, version: str) -> Live:
        """Go back to what answered before `version`, which is the current one.

        Raises:
            ConflictError: `version` is not current, or none was before it.
            ModelFileError: the one before cannot be used; nothing changed.
        """
        with self._changing:
            past = self._pointer()
            if version != self.current.version or len(past) < 2:
                raise ConflictError(
                    f"version {version} is not current, or none was before it "
                    f"(current: {self.current.version}); activate the one that is wanted"
                )
            live = self._load(past[-2])
            self._point(past[:-1])
            self.current = live
        return live

    def refresh(self) -> Live | None:
        """Take up what another process made current; the version if it changed.

        Raises:
            ModelFileError: it cannot be used; the old one goes on answering.
        """
        if self._one:
            return None
        with self._changing:
            content = self._content()
            if content == self._seen:
                return None
            self._seen = content
            past = self._pointer()
            if not past or past[-1] == self.current.version:
                return None
            self.current = self._load(past[-1])
            return self.current

    def read(self, version: str) -> Live:
        """Read a version beside the current one; the last that was asked for is kept.

        Raises:
            NotFoundError: no such version.
            ModelFileError: it is damaged, does not fit together, or recommends nothing.
        """
        if version == self.current.version:
            return self.current
        made = f"{version} {read_manifest(self._path(version))['sha256']}"
        beside = self._beside
        if beside is None or beside[0] != made:
            beside = self._beside = (made, self._load(version))
        return beside[1]

    def _load(self, version: str) -> Live:
        path = self._path(version)
        return Live(version, _tried(load_model(path), version))

    def _path(self, version: str) -> Path:
        path = self.directory / version
        if self._one or not _NAME.fullmatch(version) or not path.is_dir():
            raise NotFoundError(
                f"no version {version!r} of the model; expected one of those that GET /v1/models "
                "lists"
            )
        return path

    def _first(self) -> Live:
        if self._one:
            manifest = read_manifest(self.directory)
            version = str(manifest["sha256"])[:12]
            return Live(version, _tried(load_model(self.directory), version))
        if not self.directory.is_dir():
            raise ModelFileError(
                f"no model at {self.directory}; make one: matinee train --out DIR/VERSION"
            )
        problems = list[str]()
        pointed = self._pointer()
        tries = pointed or [path.name for path in self._paths()]
        for name in reversed(tries):
            try:
                live = self._load(name)
            except MatineeError as error:
                problems.append(str(error))
                continue
            if not pointed:
                self._point([name])
            return live
        raise ModelFileError(
            f"no version in {self.directory} can be used ({'; '.join(problems) or 'it is empty'}); "
            f"make one: matinee train --out {self.directory}/VERSION"
        )

    def _paths(self) -> list[Path]:
        if not self.directory.is_dir():
            return []
        return sorted(
            path
            for path in self.directory.iterdir()
            if path.is_dir() and _NAME.fullmatch(path.name)
        )

    def _version(self, name: str) -> Version:
        active = name == self.current.version
        try:
            manifest = read_manifest(self.directory if self._one else self.directory / name)
        except ModelFileError as error:
            return Version(name, active, str(error), {}, {})
        return Version(name, active, None, manifest["metrics"], manifest["data"])

    def _content(self) -> bytes:
        try:
            return read_regular(self.directory / POINTER, 1 << 16)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise ModelFileError(f"{POINTER} cannot be read ({error.strerror})") from error

    def _pointer(self) -> list[str]:
        content = self._content()
        if not content:
            return []
        try:
            names = [str(name) for name in json.loads(content)["versions"]]
        except (ValueError, LookupError, TypeError) as error:
            raise ModelFileError(
                f"{self.directory / POINTER} is no pointer to a version ({error}); "
                "delete it and activate a version"
            ) from error
        return names

    def _point(self, versions: list[str]) -> None:
        if self._one:
            return
        content = json.dumps({"versions": versions[-_REMEMBERED:]}).encode()
        with atomic_file(self.directory / POINTER) as temporary:
            temporary.write_bytes(content)
        self._seen = content


def _tried(saved: SavedModel, version: str) -> SavedModel:
    """The model, if it recommends films with stars on the scale to a newcomer and to a user."""
    recommender = saved.recommender
    low, high = recommender.train.scale
    known = recommender.catalog.items.id(int(np.argmax(recommender.train.item_counts())))
    films = recommender.recommend(history={known: high}, k=5)
    films += recommender.recommend(recommender.train.users.id(0), k=5)
    if not films or not all(low <= film.stars <= high for film in films):
        raise ModelFileError(
            f"version {version} recommends no films with stars from {low:g} to {high:g}; "
            "train it again"
        )
    return saved
