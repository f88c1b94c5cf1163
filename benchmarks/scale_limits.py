"""What the work of a stage grows with, and the processor seconds that it would take at the least.

Part of `scale.py`; nothing to run. A limit is arithmetic over what a processor reaches in a probe
on the same machine in the same run: what no program here could be below, not what one could reach.

- *prepare*: a rating's 28 bytes read and written once, at the rate of copying memory.
- *ials*: the products of a sweep: two half sweeps, each with five products of the vectors of a row
  with another (the first residual, and two steps of conjugate gradients, of which the last needs no
  residual), and changes of basis; at the rate of the bare float32 product.
- *ease*: films³ operations (Cholesky and inverse) at the rate of the bare float64 product.
- *towers*: three products, of the logits of a batch's distinct users and films and of their
  gradients, at the rate of the bare product.
- *evaluate*, *batch*: the scores of all films for all users, at the rate of the bare product.
- *index*: 1,000 bare products of one vector and all films' vectors, of which nothing is picked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from environments import usable_cores
from scale_stages import EVALUATED_USERS, SEARCHES, WIDTH, Job, vectors_of

_SIDE = 2048
_RATING_BYTES = 28
# Below it, starting up is most of what a stage takes.
SLOPE_FROM = 900_000

Row = dict


def fastest(run: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of some runs, after one that warms up."""
    run()
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    return min(seconds)


def product_gflops(dtype: type) -> float:
    """A processor's rate in NumPy's bare product of two squares."""
    left, right = np.random.default_rng(0).standard_normal((2, _SIDE, _SIDE)).astype(dtype)
    out = np.empty_like(left)
    return 2 * _SIDE**3 / fastest(lambda: np.matmul(left, right, out=out), 5) / 1e9


def copy_gb_s(mib: int = 512) -> float:
    """GB that a processor reads a second, plus those that it writes, while all of them do."""
    source, target = np.ones((2, mib << 18), np.float32)
    cores = usable_cores()
    parts = list(zip(np.array_split(source, cores), np.array_split(target, cores), strict=True))
    with ThreadPoolExecutor(cores) as pool:
        seconds = fastest(lambda: list(pool.map(lambda p: np.copyto(p[1], p[0]), parts)), 5)
    return 2 * source.nbytes / seconds / 1e9


def bare_search_s(job: Job) -> float:
    """Processor seconds of the scores that the searches of `index` are about."""
    vectors = vectors_of(job)
    columns, out = np.ascontiguousarray(vectors.T), np.empty((1, job.films), np.float32)

    def run() -> None:
        for row in range(SEARCHES):
            np.matmul(vectors[row % len(vectors)][None], columns, out=out)

    return fastest(run, 3)


def probe(job: Job) -> dict[str, float]:
    return {
        "gflops": product_gflops(np.float32),
        "gflops64": product_gflops(np.float64),
        "copy_gb_s": copy_gb_s(),
        "bare_search_s": bare_search_s(job),
    }


def best(rows: list[Row]) -> dict[str, float]:
    """The highest rates that any probe of the run reached."""
    rates = ("gflops", "gflops64", "copy_gb_s")
    return {name: max(row["probe"][name] for row in rows) for name in rates}


def work(stage: str, row: Row) -> float:
    """What the stage's time should be in proportion to."""
    users, films = row["users"], row["films"]
    tested = row["evaluate"].get("tested", min(users, EVALUATED_USERS))
    own = {
        "ease": films**3,
        "evaluate": tested * films,
        "index": films,
        "batch": users * films,
    }
    return float(own.get(stage, row["ratings"]))


WORK = {"ease": "films³", "evaluate": "users tested × films", "index": "films"} | {
    "batch": "users × films"
}


def limit(stage: str, row: Row, rates: dict[str, float]) -> float | None:
    """Processor seconds of the stage's work at the least, where one can say."""
    users, films, found = row["users"], row["films"], row[stage]
    product = rates["gflops"] * 1e9
    if stage == "prepare":
        return 2 * _RATING_BYTES * row["ratings"] / (rates["copy_gb_s"] * 1e9)
    if stage == "ials":
        half = 10 * found["trained"] * WIDTH + 4 * (users + films) * WIDTH**2
        return 2 * half / product
    if stage == "ease":
        return films**3 / (rates["gflops64"] * 1e9)
    if stage == "towers":
        return found["steps"] * 6 * found["logits"] * WIDTH / product
    if stage == "index":
        return row["probe"]["bare_search_s"]
    if stage in ("evaluate", "batch"):
        return 2 * work(stage, row) * WIDTH / product
    return None


def measured(name: str, rows: list[Row]) -> list[Row]:
    """The sizes at which a stage or a peer was not stopped."""
    return [row for row in rows if "s" in row.get(name, {})]


def slope(name: str, rows: list[Row]) -> float | None:
    """Of the line through the logarithms of processor seconds and of work; 1 is linear."""
    held = [row for row in measured(name, rows) if row["ratings"] >= SLOPE_FROM]
    works = [work(name.split("/")[0], row) for row in held]
    if len(set(works)) < 2:
        return None
    seconds = [row[name]["processor_s"] for row in held]
    return float(np.polyfit(np.log(works), np.log(seconds), 1)[0])
