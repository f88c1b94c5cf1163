"""What an approximate answer costs and what it misses, beside the exact one.

    python benchmarks/approximate_index.py [--repeats 3] [--quick] [--json]

Needs FAISS (`pip install "matinee[ann]"`). Vectors are made to resemble those of a trained model:
clusters of directions in a spectrum that decays, and norms and biases that grow together, as those
of popular films do; a query is the mean of a few items and something of its own. (In vectors that
are normal no list is better than another, and nothing but reading all of them helps.)

- `recall`: of the exact 100 best, the share that is found.
- `batch`: milliseconds a query, all asked at once on all threads; the median over the rounds.
- `single`: milliseconds for one query alone; the median and the 99th percentile over queries.
- `100 excluded`: the 100 best of each query are excluded; `half allowed`, `15 % allowed`: by
  chance; `one corner`: those half that point in one direction, as the films of a genre do.

Above each table stand the seconds that it takes to make the index, and what that adds to the memory
of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import matinee as mt
from matinee.index.approximate import ApproximateConfig, ApproximateIndex
from matinee.types import Index

SIZES = (87_585, 1_000_000)
WIDTH, ASKED, ALONE, K = 64, 1_000, 100, 100
PROBES = (16, 32, 64, 128, 256)


def catalogue(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors, biases and queries."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.5

    def directions(count: int) -> np.ndarray:
        return rng.standard_normal((count, WIDTH), np.float32) * spectrum

    n_clusters = size // 500
    weights = np.arange(1, n_clusters + 1) ** -0.5
    cluster = rng.choice(n_clusters, size, p=weights / weights.sum())
    items = directions(n_clusters)[cluster] + 0.7 * directions(size)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    popular, own = rng.standard_normal((2, size), np.float32)
    items *= np.exp(0.2 * popular + 0.1 * own)[:, None]
    bias = 0.5 * popular + 0.2 * rng.standard_normal(size, np.float32)
    queries = items[rng.integers(0, size, (ASKED, 5))].mean(axis=1)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    queries += 0.5 * directions(ASKED) / np.linalg.norm(spectrum)
    return items, bias, 4 * queries


def filters_of(exact: mt.ExactIndex, queries: np.ndarray) -> dict[str, dict[str, Any]]:
    chance = np.random.default_rng(1).random(len(exact))
    along = exact.vectors @ queries[0]
    return {
        "": {},
        "100 excluded": {"exclude": list(exact.search(queries, K).items)},
        "half allowed": {"allow": chance < 0.5},
        "15 % allowed": {"allow": chance < 0.15},
        "one corner": {"allow": along > np.median(along)},
    }


def resident_mib() -> float:
    """The memory of this process; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def timed(run: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def row_of(
    index: Index, queries: np.ndarray, expected: np.ndarray, filters: dict[str, Any], repeats: int
) -> dict[str, float]:
    found = index.search(queries, K, **filters).items
    shared = sum(len(np.intersect1d(*rows)) for rows in zip(found, expected, strict=True))
    batch = [timed(lambda: index.search(queries, K, **filters)) for _ in range(repeats)]
    alone = []
    for number in range(ALONE):
        one = dict(filters)
        if "exclude" in one:
            one["exclude"] = one["exclude"][number : number + 1]
        query = queries[number : number + 1]
        alone.append(timed(lambda query=query, one=one: index.search(query, K, **one)))
    return {
        "recall": shared / expected.size,
        "batch_ms": statistics.median(batch) / len(queries),
        "single_ms": statistics.median(alone),
        "single_p99_ms": float(np.quantile(alone, 0.99)),
    }


def measure(size: int, repeats: int) -> dict[str, Any]:
    items, bias, queries = catalogue(size)
    exact = mt.ExactIndex(items, bias)
    before = resident_mib()
    started = time.perf_counter()
    index = ApproximateIndex(items, bias)
    built = {"build_s": time.perf_counter() - started, "mib": resident_mib() - before}
    rows: dict[str, dict[str, float]] = {}
    for name, filters in filters_of(exact, queries).items():
        expected = exact.search(queries, K, **filters).items
        title = f"exact {name}".strip()
        rows[title] = row_of(exact, queries, expected, filters, repeats)
        for probes in PROBES if not name else (index.config.probes,):
            index.config = ApproximateConfig(probes=probes)
            title = f"{probes} probes {name}".strip()
            rows[title] = row_of(index, queries, expected, filters, repeats)
        index.config = ApproximateConfig()
    return {**built, "rows": rows}


def print_table(size: int, table: dict[str, Any]) -> None:
    print(f"\n{size:,} × {WIDTH}, k = {K}: {table['build_s']:.1f} s, {table['mib']:,.0f} MiB")
    print(f"{'':26}{'recall':>8} {'batch':>8} {'single':>8} {'p99':>8}   (milliseconds a query)")
    for name, row in table["rows"].items():
        times = " ".join(f"{row[key]:8.2f}" for key in ("batch_ms", "single_ms", "single_p99_ms"))
        print(f"{name:26}{row['recall']:8.4f} {times}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="rounds of each batch (3)")
    parser.add_argument("--quick", action="store_true", help="the catalogue of 87,585 items alone")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    tables = {}
    for size in SIZES[: 1 if options.quick else None]:
        tables[size] = measure(size, options.repeats)
        if not options.json:
            print_table(size, tables[size])
    machine = f"{platform.machine()}, {os.cpu_count()} cores; NumPy {np.__version__}"
    if options.json:
        print(json.dumps({"machine": machine, "tables": tables}))
    else:
        print(f"\n{machine}")


if __name__ == "__main__":
    main()
