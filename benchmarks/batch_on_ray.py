"""Lists on a Ray cluster of several nodes, killed meanwhile, beside those of one process.

    python benchmarks/batch_on_ray.py [--nodes 3] [--kills 10] [--users 20000] [--json]

A model with the films of MovieLens 1M makes lists of 100 films three times: in this process, on a
local cluster of nodes with one processor each (`ray.cluster_utils`), and on the same cluster while
one node after the other is killed with SIGKILL and replaced. The files' hashes must be equal, and
no file may lie there under a final name that is not whole. Ray itself reports every death at
length. It needs Ray: pip install "matinee[ray]".
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import matinee as mt
from matinee.batch import BatchConfig, make_lists
from matinee.cluster import LocalEngine
from matinee.cluster.on_ray import RayEngine
from matinee.retrieval.retriever import TwoTowerRetriever

ITEMS, SIZE, SEEN = 3_883, 64, 100
NODE = {"num_cpus": 1, "object_store_memory": 256 << 20}
SHARDS = 60


def recommender_of(users: int) -> mt.Recommender:
    rng = np.random.default_rng(0)
    catalog = mt.Catalog.of_ids(mt.Vocabulary.of(np.arange(1, ITEMS + 1), "movie"))
    owner = np.repeat(np.arange(users), SEEN)
    pairs = np.unique(owner * ITEMS + rng.integers(0, ITEMS, len(owner)))
    train = mt.Ratings.of(
        mt.Vocabulary.of(np.arange(1, users + 1), "user"),
        catalog.items,
        (pairs // ITEMS).astype(np.int32),
        (pairs % ITEMS).astype(np.int32),
        rng.integers(1, 6, len(pairs)).astype(np.float32),
        scale=(1.0, 5.0),
    )
    tables = (rng.standard_normal((rows, SIZE), np.float32) for rows in (users + 1, ITEMS))
    zeros = np.zeros(ITEMS, np.float32)
    retriever = TwoTowerRetriever(*tables, zeros, zeros, liked_from=3.0)
    return mt.Recommender(catalog, retriever, mt.fit_bias(train, mt.BiasConfig()), train)


class Killing(RayEngine):
    """Kills a node, and adds another, every few shards."""

    def __init__(self, cluster: Any, out: Path, kills: int) -> None:
        super().__init__(cluster.address)
        self.cluster, self.out, self.kills = cluster, out, kills
        self.deaths = 0
        self.broken: list[str] = []

    def map(self, *arguments: Any) -> Iterator[Any]:
        every = max(1, SHARDS // (self.kills + 1))
        for count, made in enumerate(super().map(*arguments), 1):
            yield made
            if count % every or self.deaths == self.kills:
                continue
            node = next(iter(self.cluster.worker_nodes))
            os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
            self.deaths += 1
            self._look()
            self.cluster.remove_node(node, allow_graceful=False)
            self.cluster.add_node(wait=False, **NODE)

    def _look(self) -> None:
        for path in self.out.glob("*.parquet"):
            try:
                pl.read_parquet(path)
            except (OSError, pl.exceptions.PolarsError):
                self.broken.append(path.name)


def main() -> None:
    from ray.cluster_utils import Cluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=3, help="of one processor each (3)")
    parser.add_argument("--kills", type=int, default=10, help="nodes killed meanwhile (10)")
    parser.add_argument("--users", type=int, default=20_000, help="(20,000)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    recommender = recommender_of(options.users)
    config = BatchConfig(k=100, shard_users=-(-options.users // SHARDS))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    head = {**NODE, "num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(options.nodes):
        cluster.add_node(**NODE)
    root = Path(tempfile.mkdtemp())
    killing = Killing(cluster, root / "killed", options.kills)
    engines = {"local": LocalEngine(), "ray": RayEngine(cluster.address), "killed": killing}
    seconds, hashes = {}, {}
    for name, engine in engines.items():
        started = time.perf_counter()
        make_lists(recommender, root / name, config, model="benchmark", engine=engine)
        seconds[name] = time.perf_counter() - started
        hashes[name] = json.loads((root / name / "manifest.json").read_text())["files"]
    cluster.shutdown()
    told = {
        "seconds": seconds,
        "kills": killing.deaths,
        "same": hashes["local"] == hashes["ray"] == hashes["killed"],
        "broken_files_seen": killing.broken,
    }
    if options.json:
        print(json.dumps(told))
        return
    for name, own in seconds.items():
        print(f"{name:8} {own:7.1f} s")
    print(f"{killing.deaths} nodes killed; files equal: {told['same']}; broken: {killing.broken}")


if __name__ == "__main__":
    main()
