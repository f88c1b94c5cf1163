"""Lists for every user against the bare matrix product of the same sizes.

    python benchmarks/batch.py [--users 16384] [--items 87585] [--size 64] [--rounds 5] [--json]

A two-tower model of normal vectors makes lists of 100 films for users of 160 ratings each, whose
films are left out. In every round the sides take turns in one process, on the same threads:

- `bare product`: NumPy's `users @ films.T` in blocks of 1,024 users into memory that is there
  already; nothing is picked, nothing written. It is the limit of whatever computes every score.
- `search`: `ExactIndex.search` for all users' vectors, nothing left out.
- `lists`: what `Recommender` shows each user, seen films left out.
- `batch`: `make_lists`, which also writes the Parquet files and pushes them to the disk.

Figures are medians of users a second with the slowest and the fastest round, and the median of a
side's rate beside the bare product's in the same round: by the clock, and by the processor time
that both took, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import matinee as mt
from matinee.batch import BatchConfig, make_lists
from matinee.batch.lists import lists_of
from matinee.retrieval.retriever import TwoTowerRetriever

BARE = "bare product"
SEEN = 160
K = 100
BLOCK = 1024


def recommender_of(users: int, items: int, size: int) -> mt.Recommender:
    rng = np.random.default_rng(0)
    catalog = mt.Catalog.of_ids(mt.Vocabulary.of(np.arange(1, items + 1), "movie"))
    # Of so many films, the few that come up twice for one user are dropped.
    pairs = np.unique(
        np.repeat(np.arange(users), SEEN) * items + rng.integers(0, items, users * SEEN)
    )
    train = mt.Ratings.of(
        mt.Vocabulary.of(np.arange(1, users + 1), "user"),
        catalog.items,
        (pairs // items).astype(np.int32),
        (pairs % items).astype(np.int32),
        rng.integers(1, 6, len(pairs)).astype(np.float32),
        scale=(1.0, 5.0),
    )
    retriever = TwoTowerRetriever(
        rng.standard_normal((users + 1, size), np.float32),
        rng.standard_normal((items, size), np.float32),
        np.zeros(items, np.float32),
        np.zeros(items, np.float32),
        liked_from=3.0,
    )
    return mt.Recommender(catalog, retriever, mt.fit_bias(train, mt.BiasConfig()), train)


def sides(recommender: mt.Recommender, out: Path) -> dict[str, Callable[[], object]]:
    retriever = recommender.retriever
    users = retriever.user_vectors[:-1]
    columns = np.ascontiguousarray(retriever.index.vectors.T)
    room = np.zeros((BLOCK, columns.shape[1]), np.float32)
    numbers = np.arange(len(users), dtype=np.int32)

    def bare() -> None:
        for first in range(0, len(users), BLOCK):
            block = users[first : first + BLOCK]
            np.matmul(block, columns, out=room[: len(block)])

    def batch() -> None:
        shutil.rmtree(out, ignore_errors=True)
        make_lists(recommender, out, BatchConfig(k=K), model="benchmark")

    return {
        BARE: bare,
        "search": lambda: retriever.index.search(users, K),
        "lists": lambda: lists_of((recommender, K), numbers),
        "batch": batch,
    }


def measure(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[list[float]]]:
    times: dict[str, list[list[float]]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            started = time.perf_counter(), time.process_time()
            run()
            ended = time.perf_counter(), time.process_time()
            if number:  # The first round warms up.
                times[name].append([e - s for e, s in zip(ended, started, strict=True)])
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=16_384)
    parser.add_argument("--items", type=int, default=87_585)
    parser.add_argument("--size", type=int, default=64, help="length of the vectors (64)")
    parser.add_argument("--rounds", type=int, default=5, help="of each side (5)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    recommender = recommender_of(options.users, options.items, options.size)
    with tempfile.TemporaryDirectory() as folder:
        times = measure(sides(recommender, Path(folder) / "lists"), options.rounds)
    rows = {}
    for name, own in times.items():
        rates = [options.users / wall for wall, _ in own]
        pairs = list(zip(times[BARE], own, strict=True))
        rows[name] = {
            "users_per_second": statistics.median(rates),
            "slowest": min(rates),
            "fastest": max(rates),
            "of_bare": statistics.median(bare[0] / mine[0] for bare, mine in pairs),
            "of_bare_processor": statistics.median(bare[1] / mine[1] for bare, mine in pairs),
        }
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps({"sides": rows, "peak_mib": peak_mib, "cores": os.cpu_count()}))
        return
    print(f"{options.users:,} users, {options.items:,} films x {options.size}, lists of {K}")
    print(f"{'':14} {'users/s':>9} {'slowest':>9} {'fastest':>9} {'of bare':>8} {'by CPU':>8}")
    for name, row in rows.items():
        rates = " ".join(f"{row[key]:9,.0f}" for key in ("users_per_second", "slowest", "fastest"))
        print(f"{name:14} {rates} {row['of_bare']:8.2f} {row['of_bare_processor']:8.2f}")
    print(f"peak memory {peak_mib:,.0f} MiB, {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
