"""How long 25 million ratings take to load from CSV, and how much memory.

Run `python benchmarks/load_csv.py [--rows 25000000] [--rounds 3]`. Makes the file (seeded, in a
temporary directory, deleted at the end), then loads it in fresh processes, alternating with a bare
`polars.scan_csv(...).collect()` of the same file, which is this machine's limit: it parses, and
neither checks nor orders anything.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

USERS, FILMS = 162_000, 60_000
WITH_MATINEE = """
from matinee.data.sources import load_ratings
load_ratings(path)
"""
WITH_POLARS = """
import polars
polars.scan_csv(path).collect(engine="streaming")
"""
MEASURED = """
import json, resource, sys, time
path, start = sys.argv[1], time.perf_counter()
{work}
seconds = time.perf_counter() - start
usage = resource.getrusage(resource.RUSAGE_SELF)
peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({{"seconds": seconds, "cpu": cpu, "peak_bytes": peak_bytes}}))
"""


def write_ratings(path: Path, rows: int, seed: int) -> None:
    """Distinct (user, film) pairs, grouped by user as MovieLens's are, with times at random."""
    random = np.random.default_rng(seed)
    pairs = np.unique(random.integers(0, USERS * FILMS, round(rows * 1.01) + 100, dtype=np.int64))
    pairs = np.sort(random.permutation(pairs)[:rows])
    columns = {
        "userId": pairs // FILMS + 1,
        "movieId": pairs % FILMS * 3 + 1,
        "rating": random.integers(1, 11, rows) / 2,
        "timestamp": random.integers(789_652_009, 1_574_327_703, rows),
    }
    pl.DataFrame(columns).write_csv(path)


def measure(work: str, path: Path) -> dict[str, float]:
    """Seconds and processor seconds (imports included) and peak bytes of one fresh process."""
    command = [sys.executable, "-c", MEASURED.format(work=work), str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=25_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {"load_ratings": [], "bare scan_csv": []}
    with tempfile.TemporaryDirectory(prefix="matinee-") as directory:
        path = Path(directory) / "ratings.csv"
        # In a process of its own: a child's peak memory begins with what its parent holds.
        writer = multiprocessing.get_context("spawn").Process(
            target=write_ratings, args=(path, options.rows, options.seed)
        )
        writer.start()
        writer.join()
        print(f"{options.rows:,} ratings, {path.stat().st_size / 1e6:,.0f} MB of CSV")
        for _ in range(options.rounds):
            runs["load_ratings"].append(measure(WITH_MATINEE, path))
            runs["bare scan_csv"].append(measure(WITH_POLARS, path))
    print(f"{'':15}{'median':>9}{'best':>9}{'processor':>11}{'peak':>10}{'rows/s':>14}")
    for name, results in runs.items():
        seconds = [result["seconds"] for result in results]
        median = statistics.median(seconds)
        cpu = statistics.median(result["cpu"] for result in results)
        peak = max(result["peak_bytes"] for result in results)
        print(
            f"{name:15}{median:8.1f}s{min(seconds):8.1f}s{cpu:10.1f}s{peak / 1e9:8.2f}GB"
            f"{options.rows / median:14,.0f}"
        )


if __name__ == "__main__":
    main()
