"""A directory of lists: one Parquet file a shard, each saying what it was made from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee import __version__
from matinee.data.ratings import Ratings
from matinee.errors import ConfigError
from matinee.files import atomic_file, sha256_of
from matinee.types import EMPTY_ITEM, IntArray, TopK

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
_OURS = re.compile(r"lists-\d+-of-\d+\.parquet|manifest\.json|\.(lists-|manifest).*\.tmp")
_KEY = "matinee.lists"


@dataclass(frozen=True, eq=False)
class Shard:
    """Some users and the file of their lists.

    Attributes:
        path: the file.
        users: int32 [m], their numbers, ascending.
        key: hex SHA-256 of all that the lists follow from: model, settings and users.
    """

    path: Path
    users: IntArray
    key: str

    def is_made(self) -> bool:
        """Whether the file is there, whole, and made from the same."""
        try:
            return pl.read_parquet_metadata(self.path).get(_KEY) == self.key
        except (OSError, pl.exceptions.PolarsError):
            return False

    def write(self, lists: TopK, train: Ratings) -> None:
        """Write the lists: `user_id`, `movie_id`, `place` (from 1) and `score`, best first."""
        filled = lists.items != EMPTY_ITEM
        rows, places = np.nonzero(filled)
        frame = pl.DataFrame(
            {
                "user_id": train.users.series.gather(self.users[rows]),
                "movie_id": train.items.series.gather(lists.items[filled]),
                "place": places.astype(np.int32) + 1,
                "score": lists.scores[filled],
            }
        )
        with atomic_file(self.path) as temporary:
            frame.write_parquet(temporary, statistics=False, metadata={_KEY: self.key})


def plan(
    out: Path, users: IntArray, shard_users: int, settings: Mapping[str, Any], train: Ratings
) -> list[Shard]:
    """The shards of some users.

    Args:
        out: the directory.
        users: int32 [n], ascending.
        shard_users: how many of them a shard has at most.
        settings: what the lists follow from beside the users; JSON-ready.
        train: the ratings whose vocabulary the numbers are of.
    """
    starts = range(0, len(users), shard_users)
    shards: list[Shard] = []
    for number, start in enumerate(starts):
        own = users[start : start + shard_users]
        ids = "\n".join(train.users.series.gather(own).cast(pl.String).to_list())
        said = json.dumps([SCHEMA_VERSION, __version__, dict(settings)], sort_keys=True)
        key = hashlib.sha256(f"{said}\n{ids}".encode()).hexdigest()
        name = f"lists-{number:05}-of-{len(starts):05}.parquet"
        shards.append(Shard(out / name, own, key))
    return shards


def prepare(out: Path, shards: Sequence[Shard]) -> list[Shard]:
    """The shards that are still to be made; files of other models or settings are deleted.

    Raises:
        ConfigError: something else lies in the directory, or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; expected a directory for the lists")
    out.mkdir(parents=True, exist_ok=True)
    there = {path.name: path for path in out.iterdir()}
    foreign = sorted(name for name in there if not _OURS.fullmatch(name))
    if foreign:
        raise ConfigError(
            f"{out} holds {', '.join(foreign[:3])}; expected nothing or lists alone; give another "
            "directory"
        )
    # It says that all is there, which is not so from now on.
    (out / MANIFEST).unlink(missing_ok=True)
    missing = [shard for shard in shards if not shard.is_made()]
    kept = {shard.path.name for shard in shards} - {shard.path.name for shard in missing}
    for name, path in there.items():
        if name.startswith("lists-") and name not in kept:
            path.unlink()
    return missing


def finish(out: Path, shards: Sequence[Shard], settings: Mapping[str, Any]) -> None:
    """Write the manifest, which is there if and only if every list is."""
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "matinee": __version__,
        **settings,
        "users": sum(len(shard.users) for shard in shards),
        "files": {
            shard.path.name: {"users": len(shard.users), "sha256": sha256_of(shard.path)}
            for shard in shards
        },
    }
    with atomic_file(out / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
