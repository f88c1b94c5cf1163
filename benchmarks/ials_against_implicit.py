"""Matinee's iALS against the library `implicit`, for the same factors and sweeps.

    pip install implicit
    python benchmarks/ials_against_implicit.py [--data 1m] [--sweeps 15] [--repeats 3] [--json]

Both factorize who rated what in the training part of a random 80/20 split, in turn, in one
process, from ratings in memory to vectors; figures are medians of seconds. `implicit` runs as it
comes: three steps of conjugate gradients a row in compiled code, a thread on each core. Matinee
takes two, preconditioned, in NumPy, with as many threads. Their objectives differ in the weights
alone, which cost nothing, so quality is not compared here: `matinee evaluate` does that.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

import matinee as mt
from matinee.data.ratings import Ratings
from matinee.retrieval.ials import IalsConfig, fit_ials

FACTORS = (64, 128)


def by_matinee(train: Ratings, factors: int, sweeps: int) -> None:
    fit_ials(train, IalsConfig(embedding_size=factors, sweeps=sweeps), seed=1)


def by_implicit(train: Ratings, factors: int, sweeps: int) -> None:
    from implicit.als import AlternatingLeastSquares

    shape = (len(train.users), len(train.items))
    ones = np.ones(len(train), np.float32)
    matrix = sparse.csr_matrix((ones, (train.user_index, train.item_index)), shape=shape)
    with threadpool_limits(1, "blas"):  # as it asks for: it has threads of its own
        model = AlternatingLeastSquares(
            factors=factors, iterations=sweeps, random_state=1, use_gpu=False
        )
        model.fit(matrix, show_progress=False)


def measure(train: Ratings, factors: int, sweeps: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each fit, the sides in turn."""
    sides = {"Matinee": by_matinee, "implicit": by_implicit}
    for side in sides.values():
        side(train, 8, 1)  # the first call loads libraries
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            started = time.perf_counter()
            side(train, factors, sweeps)
            times[name].append(time.perf_counter() - started)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="1m", help="a MovieLens set or a file of ratings (1m)")
    parser.add_argument("--sweeps", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=3, help="fits of each side (3)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    ratings, _ = mt.load_data(options.data)
    train = mt.make_split(ratings, "seed", 42).train
    times = {f: measure(train, f, options.sweeps, options.repeats) for f in FACTORS}
    if options.json:
        print(json.dumps({"ratings": len(train), "sweeps": options.sweeps, "seconds": times}))
        return
    print(f"{len(train):,} ratings, {options.sweeps} sweeps, median seconds of {options.repeats}")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(f"{'factors':>7} {'Matinee':>9} {'implicit':>9} {'ratio':>7}")
    for factors, sides in times.items():
        ours, theirs = (statistics.median(sides[name]) for name in ("Matinee", "implicit"))
        print(f"{factors:7} {ours:9.2f} {theirs:9.2f} {ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
