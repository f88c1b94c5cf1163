"""Exact top-k against the bare matrix product of the same sizes, and against FAISS if it is there.

    python benchmarks/exact_index.py [--repeats 7] [--quick] [--json]

All sides answer the same queries in turn, in one process, on the same threads; figures are medians
of queries a second, with the slowest and the fastest round, and the median over the rounds of a
side's rate beside the first one's in the same round: by the clock, and by the processor time
that both took, which other programs on the machine disturb less. Vectors are normal, so no side can
skip anything; items are in no order.

- `bare product`: NumPy's `queries @ items.T` into memory that is there already, nothing picked:
  the limit of whatever computes every score. Where the scores of all queries would not fit, it is
  blocks of 1,024 queries.
- `reading`: for one query, what it takes one thread to read the vectors once (their `max`): the
  limit of whatever reads them all.
- `FAISS flat`: `IndexFlatIP.search` (`pip install faiss-cpu`).
- `Matinee`: `ExactIndex.search`; with 100 items excluded for each query; with every second and
  every twentieth item allowed.

The last table is the evaluator's size, 162,000 queries on 60,000 items, from a tenth of the queries
in a process of its own, whose peak memory it gives.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import matinee as mt

BARE = "bare product"
READING = "reading"
# Catalogue, width, queries, k.
CASES = [
    (1_682, 32, 2_000, 100),
    (87_585, 64, 2_000, 100),
    (1_000_000, 64, 200, 100),
    (1_682, 32, 1, 100),
    (87_585, 64, 1, 100),
    (1_000_000, 64, 1, 100),
    (3_706, 64, 6_040, 3_706),
]
EVALUATION = (60_000, 64, 162_000, 100)
SHARE = 10  # of the evaluation's queries, one in so many is asked


def bare_product(queries: np.ndarray, items: np.ndarray) -> Callable[[], None]:
    """The product in blocks of whatever fits into a GiB."""
    columns = np.ascontiguousarray(items.T)
    step = len(queries) if len(queries) * len(items) <= 1 << 28 else 1024
    room = np.zeros((step, len(items)), np.float32)

    def run() -> None:
        for first in range(0, len(queries), step):
            block = queries[first : first + step]
            np.matmul(block, columns, out=room[: len(block)])

    return run


def faiss_flat(queries: np.ndarray, items: np.ndarray, k: int) -> Callable[[], object] | None:
    try:
        import faiss
    except ImportError:
        return None
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    return lambda: index.search(queries, k)


def sides(
    size: int, width: int, asked: int, k: int, filters: bool
) -> dict[str, Callable[[], object]]:
    generator = np.random.default_rng(0)
    items = generator.standard_normal((size, width), np.float32)
    queries = generator.standard_normal((asked, width), np.float32)
    index = mt.ExactIndex(items)
    found: dict[str, Callable[[], object]] = {}
    if asked == 1:
        found[READING] = items.max
    found[BARE] = bare_product(queries, items)
    faiss = faiss_flat(queries, items, k)
    if faiss is not None and k <= 2048:
        found["FAISS flat"] = faiss
    found["Matinee"] = lambda: index.search(queries, k)
    if filters:
        exclude = list(generator.integers(0, size, (asked, 100)).astype(np.int32))
        half, twentieth = np.arange(size) % 2 == 0, np.arange(size) % 20 == 0
        found["Matinee, 100 excluded"] = lambda: index.search(queries, k, exclude)
        found["Matinee, half allowed"] = lambda: index.search(queries, k, allow=half)
        found["Matinee, 5 % allowed"] = lambda: index.search(queries, k, allow=twentieth)
    return found


def measure(
    runs: dict[str, Callable[[], object]], repeats: int
) -> dict[str, list[tuple[float, float]]]:
    """Seconds by the clock and of the processors, of each side in each round."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    # A side that takes under 10 ms is run several times a round.
    inner = {}
    for name, run in runs.items():
        run()
        started = time.perf_counter()
        run()
        inner[name] = max(1, min(200, int(0.01 / (time.perf_counter() - started))))
    for _ in range(repeats):
        for name, run in runs.items():
            started = time.perf_counter(), time.process_time()
            for _ in range(inner[name]):
                run()
            ended = time.perf_counter(), time.process_time()
            seconds = [(e - s) / inner[name] for e, s in zip(ended, started, strict=True)]
            times[name].append((seconds[0], seconds[1]))
    return times


def summary(times: dict[str, list[tuple[float, float]]], asked: int) -> dict[str, dict[str, float]]:
    rows = {}
    limit = times[READING if READING in times else BARE]
    for name, rounds in times.items():
        seconds = [wall for wall, _ in rounds]
        pairs = list(zip(limit, rounds, strict=True))
        rows[name] = {
            "queries_per_second": asked / statistics.median(seconds),
            "slowest": asked / max(seconds),
            "fastest": asked / min(seconds),
            "of_limit": statistics.median(least[0] / own[0] for least, own in pairs),
            "of_limit_processor": statistics.median(least[1] / own[1] for least, own in pairs),
        }
    return rows


def print_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    heads = f"{'queries/s':>11} {'slowest':>11} {'fastest':>11} {'of limit':>8} {'by CPU':>8}"
    print(f"\n{title:42} {heads}")
    for name, row in rows.items():
        rates = (row[key] for key in ("queries_per_second", "slowest", "fastest"))
        ratios = f"{row['of_limit']:8.2f} {row['of_limit_processor']:8.2f}"
        print(f"{name:42} {' '.join(f'{rate:11,.0f}' for rate in rates)} {ratios}")


def evaluation(repeats: int) -> tuple[dict[str, dict[str, float]], float, float]:
    """The rates, the peak of this process in MiB, and the seconds all queries would take."""
    size, width, asked, k = EVALUATION
    generator = np.random.default_rng(0)
    index = mt.ExactIndex(generator.standard_normal((size, width), np.float32))
    queries = generator.standard_normal((asked // SHARE, width), np.float32)
    index.search(queries, k)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    runs: dict[str, Callable[[], object]] = {
        BARE: bare_product(queries, index.vectors),
        "Matinee": lambda: index.search(queries, k),
    }
    rows = summary(measure(runs, repeats), len(queries))
    return rows, peak_mib, asked / rows["Matinee"]["queries_per_second"]


def hardware() -> str:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(": ")[1] for line in lines if "model name" in line), cpu)
    blas = ", ".join(
        f"{lib['internal_api']} {lib['version']} ({lib.get('architecture')}, "
        f"{lib['num_threads']} threads)"
        for lib in threadpool_info()
        if lib["user_api"] == "blas"
    )
    return f"{cpu}; NumPy {np.__version__}; {blas}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="rounds of each side (7)")
    parser.add_argument("--quick", action="store_true", help="the catalogue of 87,585 items alone")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    machine = hardware()
    # First, since a process starts with the peak memory of the one that started it.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rows, peak_mib, seconds = pool.apply(evaluation, (min(3, options.repeats),))
    tables: dict[str, dict[str, dict[str, float]]] = {}
    for size, width, asked, k in CASES:
        if options.quick and size != 87_585:
            continue
        title = f"{size:,} × {width}, {asked:,} queries, k = {k:,}"
        runs = sides(size, width, asked, k, filters=k < size)
        tables[title] = summary(measure(runs, options.repeats), asked)
        if not options.json:
            print_table(title, tables[title])
    size, width, asked, k = EVALUATION
    title = f"{size:,} × {width}, {asked // SHARE:,} queries, k = {k:,}"
    if options.json:
        evaluated = {"rates": rows, "peak_mib": peak_mib, "all_queries_s": seconds}
        print(json.dumps({"machine": machine, "tables": tables, "evaluation": evaluated}))
        return
    print_table(title, rows)
    print(f"peak memory {peak_mib:,.0f} MiB; all {asked:,} queries, extrapolated: {seconds:,.0f} s")
    print(f"\n{machine}")


if __name__ == "__main__":
    main()
