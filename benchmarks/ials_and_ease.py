"""Matinee's iALS beside the library `implicit`, and its EASE beside a plain NumPy solve.

    pip install implicit
    python benchmarks/ials_and_ease.py [--data 1m] [--sweeps 15] [--repeats 5] [--json]

All train on who rated what in the training part of a random 80/20 split, in one process, from
ratings in memory to vectors or weights; the sides of a row take turns, and the one that goes first
alternates. Figures are medians of seconds by the clock and of the processors, with the fastest and
the slowest by the clock; a ratio is the median over the rounds of the peer's seconds by Matinee's.

- iALS, for the same factors and sweeps. `implicit` runs as it comes: three steps of conjugate
  gradients a row in compiled code, a thread on each core. Matinee takes two, preconditioned, in
  NumPy, with as many threads. Their objectives differ in the weights alone, which cost nothing, so
  quality is not compared here: `matinee evaluate` does that.
- EASE, with the same l2. The plain solve is the formula as it stands: XᵀX by SciPy,
  `numpy.linalg.inv` and a division, in double precision; Matinee's is Cholesky's, in place, one
  half of the table. The largest difference of any weight is printed.

`--data` may be made-up ratings: `matinee data synthesize`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

import matinee as mt
from environments import hardware
from matinee.data.ratings import Ratings
from peers import EASE_L2, implicit_als, numpy_ease

FACTORS = (64, 128)
OURS = "Matinee"

# Seconds by the clock and of the processors, of each round of each side.
Times = dict[str, list[tuple[float, float]]]
Sides = dict[str, Callable[[], object]]


def ials_sides(train: Ratings, factors: int, sweeps: int) -> Sides:
    config = mt.IalsConfig(embedding_size=factors, sweeps=sweeps)
    return {
        OURS: lambda: mt.fit_ials(train, config, seed=1),
        "implicit": lambda: implicit_als(train, factors, sweeps),
    }


def ease_sides(train: Ratings) -> Sides:
    config = mt.EaseConfig(l2=EASE_L2)
    return {OURS: lambda: mt.fit_ease(train, config), "NumPy": lambda: numpy_ease(train)}


def measure(sides: Sides, repeats: int) -> Times:
    times: Times = {name: [] for name in sides}
    for number in range(repeats):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            started = time.perf_counter(), time.process_time()
            sides[name]()
            ended = time.perf_counter(), time.process_time()
            times[name].append((ended[0] - started[0], ended[1] - started[1]))
    return times


def summary(times: Times) -> dict[str, dict[str, float]]:
    found = {}
    for name, rounds in times.items():
        seconds = [wall for wall, _ in rounds]
        pairs = list(zip(rounds, times[OURS], strict=True))
        found[name] = {
            "s": statistics.median(seconds),
            "fastest": min(seconds),
            "slowest": max(seconds),
            "processor_s": statistics.median(processor for _, processor in rounds),
            "ratio": statistics.median(own[0] / ours[0] for own, ours in pairs),
            "ratio_processor": statistics.median(own[1] / ours[1] for own, ours in pairs),
        }
    return found


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    heads = ("seconds", "fastest", "slowest", "processor", "ratio", "by CPU")
    print(f"\n{title:24}" + "".join(f"{head:>10}" for head in heads))
    for name, row in rows.items():
        print(f"{name:24}" + "".join(f"{value:10.2f}" for value in row.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", default="1m", help="a MovieLens set or a file of ratings (1m)")
    parser.add_argument("--sweeps", type=int, default=15, help="of iALS (15)")
    parser.add_argument("--repeats", type=int, default=5, help="fits of each side (5)")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    ratings, _ = mt.load_data(options.data)
    train = mt.make_split(ratings, "seed", 42).train
    runs = {f"iALS, {f} factors": ials_sides(train, f, options.sweeps) for f in FACTORS}
    runs["EASE"] = ease_sides(train)
    # These load libraries.
    for side in ials_sides(train, 8, 1).values():
        side()
    weights = mt.fit_ease(train, mt.EaseConfig(l2=EASE_L2)).weights
    difference = float(np.abs(numpy_ease(train) - weights).max())
    found = {title: summary(measure(sides, options.repeats)) for title, sides in runs.items()}
    sizes = {"ratings": len(train), "users": len(train.users), "films": len(train.items)}
    if options.json:
        facts = {**sizes, "sweeps": options.sweeps, "machine": hardware()}
        print(json.dumps({**facts, "seconds": found, "largest_difference_of_ease": difference}))
        return
    print(", ".join(f"{value:,} {name}" for name, value in sizes.items()), end="; ")
    print(f"{options.sweeps} sweeps, medians of {options.repeats}")
    for title, rows in found.items():
        show(title, rows)
    print(f"\nThe largest difference of any weight of EASE: {difference:.1e}")
    print(", ".join(f"{name} {value}" for name, value in hardware().items()))


if __name__ == "__main__":
    main()
