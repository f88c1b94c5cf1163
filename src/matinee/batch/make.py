"""Lists for every user: cut into shards, made by an engine, written as they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matinee.batch.lists import lists_of
from matinee.batch.shards import finish, plan, prepare
from matinee.cluster import HERE, Engine
from matinee.config import require
from matinee.console import progress_bar
from matinee.recommender import Recommender
from matinee.types import IntArray


@dataclass(frozen=True)
class BatchConfig:
    """What lists to make.

    Attributes:
        k: films a list.
        shard_users: users a shard, which is what one task makes and one file holds.
    """

    k: int = 100
    shard_users: int = 8192

    def __post_init__(self) -> None:
        require(1 <= self.k < 1 << 31, "k", self.k, "at least 1")
        require(1 <= self.shard_users < 1 << 31, "shard_users", self.shard_users, "at least 1")


@dataclass(frozen=True)
class Made:
    """What `make_lists` did.

    Attributes:
        users: how many have a list now.
        shards: how many files that is.
        kept: how many of them were there already.
    """

    users: int
    shards: int
    kept: int


def make_lists(
    recommender: Recommender,
    out: Path | str,
    config: BatchConfig = BatchConfig(),
    *,
    model: str,
    users: IntArray | None = None,
    engine: Engine = HERE,
) -> Made:
    """Make lists and write them as Parquet files in a directory.

    They are the lists of `Recommender.recommend_many`, in the recommender's own order and with its
    own settings of diversity and of what was seen. A shard's file is written whole or not at all,
    and kept by the next run if model, settings and users are the same; `manifest.json` is written
    last, and is there if and only if every list is.

    Args:
        recommender: the model.
        out: the directory, which may hold lists and nothing else.
        config: length of the lists and size of the shards.
        model: what the model is known by, such as the hash of its manifest: files that were made
            by another are made again.
        users: numbers int32 [n] of the users, in any order; None is all of them.
        engine: who makes them.

    Raises:
        ConfigError: the directory holds something else, or a user number is out of range.
    """
    known = len(recommender.train.users)
    chosen = np.arange(known, dtype=np.int32) if users is None else np.unique(users)
    fits = len(chosen) > 0 and 0 <= chosen[0] <= chosen[-1] < known
    require(fits, "users", chosen, f"at least one number of 0 … {known - 1}")
    settings = {
        "model": model,
        "k": config.k,
        "order": recommender.order,
        "diversity": recommender.diversity,
        "exclude_seen": recommender.exclude_seen,
    }
    out = Path(out)
    shards = plan(out, chosen, config.shard_users, settings, recommender.train)
    missing = prepare(out, shards)
    tasks = {number: shard.users for number, shard in enumerate(missing)}
    total = sum(len(own) for own in tasks.values())
    done = 0
    # A file is written while the next shard is made; one at a time, so that memory holds but two.
    with (
        progress_bar("Making lists", total, "users") as advance,
        ThreadPoolExecutor(1) as writer,
    ):
        writing = None
        for number, lists in engine.map(lists_of, (recommender, config.k), tasks):
            if writing is not None:
                writing.result()
            writing = writer.submit(missing[number].write, lists, recommender.train)
            done += len(tasks[number])
            advance(done)
        if writing is not None:
            writing.result()
    finish(out, shards, settings)
    return Made(len(chosen), len(shards), len(shards) - len(missing))
