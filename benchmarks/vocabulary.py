"""Ten million ids -> numbers: seconds and peak memory, for each kind of id.

    python benchmarks/vocabulary.py [--ids 10000000]

Each kind in a process of its own: numbers from 1 on without gaps, any 64-bit ones, and text. Ids
are made and shuffled first; then a vocabulary is made of them, and all are looked up in another
order. Seconds are those of the processors; the peak is the process's, with what making the ids had
needed before, which is printed, too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np
import polars as pl

from matinee.data.vocabulary import Vocabulary
from scale_stages import peak_mib

KINDS = ("dense numbers", "64-bit numbers", "text")


def ids_of(kind: str, count: int) -> pl.Series:
    rng = np.random.default_rng(0)
    if kind == "64-bit numbers":
        return pl.Series(rng.integers(0, 1 << 62, count)).unique().shuffle(seed=0)
    numbers = pl.Series(rng.permutation(count) + 1)
    return numbers if kind == "dense numbers" else "user-" + numbers.cast(pl.String)


def measure(kind: str, count: int) -> dict[str, float]:
    ids = ids_of(kind, count)
    before, started = peak_mib(), time.process_time()
    vocabulary = Vocabulary.of(ids, "user")
    made = time.process_time()
    numbers = vocabulary.numbers(ids.reverse())
    ended = time.process_time()
    assert len(np.unique(numbers)) == len(vocabulary) == len(ids)
    seconds = {"made_s": made - started, "looked_up_s": ended - made}
    return seconds | {"before_mib": before, "peak_mib": peak_mib()}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--ids", type=int, default=10_000_000)
    parser.add_argument("--kind", choices=KINDS, help="this one alone, here, as JSON")
    options = parser.parse_args()
    if options.kind:
        print(json.dumps(measure(options.kind, options.ids)))
        return
    print("| ids | made, s | all looked up, s | peak, MiB | before, MiB |\n" + "|---" * 5 + "|")
    for kind in KINDS:
        words = [sys.executable, __file__, "--kind", kind, "--ids", str(options.ids)]
        run = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
        found = json.loads(run.stdout)
        seconds = f"{found['made_s']:.1f} | {found['looked_up_s']:.1f}"
        print(f"| {kind} | {seconds} | {found['peak_mib']:,.0f} | {found['before_mib']:,.0f} |")


if __name__ == "__main__":
    main()
