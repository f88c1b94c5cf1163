"""How time and memory grow with the ratings, stage by stage, up to what one machine takes.

    python benchmarks/scale.py --most 32000000 [--least 100000] [--folder DIR] [--towers-most N]
        [--plot curves.png] [--limit-gib 6] [--json]

From the least number of ratings on, each size is √10 times the one before. Users and films grow as
from MovieLens 100K to 32M: one user for about 160 ratings, films as the ratings to the power 0.685.
Every stage runs in a process of its own, which reports its seconds by the clock and of the
processors (those of the stage, not of loading what it needs) and its peak memory (all of it):

- `make`: `matinee data synthesize`: ratings and films to Parquet.
- `prepare`: what `matinee data prepare` does: parse, look for repeated pairs, number, sort, write.
  The stages after it map the columns, and split them by time, which is not in their seconds.
- `train`: a sweep of iALS, 64 long, and biases for stars; then the model is saved.
- `towers`: an epoch of the two-tower model, 64 long, batches of 4,096; Keras on JAX. Up to
  `--towers-most` ratings.
- `evaluate`: the iALS model on the test ratings of at most 2,000 users; its work is users x films.
- `index`: `ExactIndex` of the films, and 1,000 searches of 10 films, one at a time.
- `batch`: lists of 100 films for everybody; its work is users x films.

The slope is that of a line through the logarithms of processor seconds, which other programs on the
machine disturb less, and of work, from 900,000 ratings on,
below which starting up is most of it: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

STAGES = ("make", "prepare", "train", "towers", "evaluate", "index", "batch")
EVALUATED_USERS = 2_000
SIZE = 64
SEARCHES = 1_000
# By the clock and of the processors.
Times = tuple[float, float]


def now() -> Times:
    return time.perf_counter(), time.process_time()


def passed(started: Times) -> Times:
    wall, processor = now()
    return wall - started[0], processor - started[1]


def shape(ratings: int) -> tuple[int, int]:
    """Users and films that go with so many ratings."""
    return max(ratings // 160, 100), round(1_682 * (ratings / 100_000) ** 0.685)


def loaded(folder: Path):
    import matinee as mt

    return mt.load_data(folder / "ratings.parquet", films=folder / "films.parquet")


def split_of(folder: Path):
    import matinee as mt

    ratings, catalog = mt.load_data(folder / "prepared")
    return mt.make_split(ratings, "time", validation=0.0), catalog


def make(folder: Path, ratings: int) -> Times:
    from matinee.data.synthetic import SyntheticConfig, synthesize

    started = now()
    users, items = shape(ratings)
    config = SyntheticConfig(users, items, ratings)
    synthesize(config, folder / "ratings.parquet", folder / "films.parquet")
    return passed(started)


def prepare(folder: Path, _: int) -> Times:
    from matinee.data.prepared import save_prepared

    started = now()
    save_prepared(*loaded(folder), folder / "prepared")
    return passed(started)


def train(folder: Path, _: int) -> Times:
    import matinee as mt
    from matinee.artifacts import SavedModel, save_model

    split, catalog = split_of(folder)
    config = mt.IalsConfig(embedding_size=SIZE, sweeps=1)
    biases = mt.BiasConfig()
    started = now()
    retriever = mt.fit_ials(split.train, config)
    ranker = mt.fit_bias(split.train, biases)
    seconds = passed(started)
    recommender = mt.Recommender(catalog, retriever, ranker, split.train)
    recipe = mt.Recipe(retrieval=config, ranking=biases)
    data = {"protocol": "time"}
    save_model(SavedModel(recommender, recipe, 42, data, {}), folder / "model")
    return seconds


def towers(folder: Path, _: int) -> Times:
    import matinee as mt

    split, catalog = split_of(folder)
    config = mt.RetrievalConfig(
        embedding_size=SIZE, epochs=1, optimizer="adam", learning_rate=0.01, reduction="mean"
    )
    started = now()
    mt.fit_retrieval(split.train, catalog, config, seed=42)
    return passed(started)


def evaluate(folder: Path, _: int) -> Times:
    import matinee as mt

    split, _ = split_of(folder)
    model = mt.load_model(folder / "model").recommender.retriever
    tested = np.unique(split.test.user_index)[:EVALUATED_USERS]
    test = split.test.take(np.isin(split.test.user_index, tested))
    started = now()
    mt.evaluate_retriever(model, split.train, test)
    return passed(started)


def index(folder: Path, ratings: int) -> Times:
    import matinee as mt

    vectors = np.random.default_rng(0).standard_normal((shape(ratings)[1], SIZE), np.float32)
    started = now()
    found = mt.ExactIndex(vectors)
    for row in range(SEARCHES):
        found.search(vectors[row % len(vectors)][None], 10)
    return passed(started)


def batch(folder: Path, _: int) -> Times:
    import matinee as mt
    from matinee.batch import BatchConfig, make_lists

    recommender = mt.load_model(folder / "model").recommender
    started = now()
    make_lists(recommender, folder / "lists", BatchConfig(k=100), model="benchmark")
    return passed(started)


RUN: dict[str, Callable[[Path, int], Times]] = {
    "make": make,
    "prepare": prepare,
    "train": train,
    "towers": towers,
    "evaluate": evaluate,
    "index": index,
    "batch": batch,
}


def work(stage: str, ratings: int) -> float:
    """What the stage's time should be in proportion to."""
    users, items = shape(ratings)
    by_stage = {"evaluate": min(users, EVALUATED_USERS) * items, "index": items}
    return by_stage.get(stage, users * items if stage == "batch" else ratings)


def alone(stage: str, folder: Path, ratings: int) -> dict[str, float]:
    """The stage in a new process."""
    words = [sys.executable, __file__, "--stage", stage, "--folder", str(folder)]
    done = subprocess.run([*words, "--least", str(ratings)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{stage} of {ratings:,} ratings failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def slope(stage: str, rows: list[dict]) -> float | None:
    points = [(row["ratings"], row[stage]["processor_s"]) for row in rows if stage in row]
    points = [point for point in points if point[0] >= 900_000]
    if len(points) < 2:
        return None
    works = [work(stage, ratings) for ratings, _ in points]
    if min(works) == max(works):
        return None
    return float(np.polyfit(np.log(works), np.log([s for _, s in points]), 1)[0])


def sizes(least: int, most: int) -> list[int]:
    found = [least]
    while found[-1] < most:
        step = round(found[-1] * 10**0.5)
        found.append(step if step < 0.9 * most else most)
    return found


def plot(rows: list[dict], limit_gib: float, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5))
    for axis, key, label in ((axes[0], "s", "seconds"), (axes[1], "mib", "peak MiB")):
        for stage in STAGES:
            points = [(row["ratings"], row[stage][key]) for row in rows if stage in row]
            if points:
                axis.loglog(*zip(*points, strict=True), "o-", label=stage)
        axis.set_xlabel("ratings")
        axis.set_ylabel(label)
    axes[1].axhline(limit_gib * 1024, color="black", linestyle=":", label="limit")
    axes[1].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def show(rows: list[dict]) -> None:
    for key, unit in (("s", "seconds"), ("processor_s", "processor seconds"), ("mib", "peak MiB")):
        print(f"\n{unit}\n{'ratings':>11} {'users':>9} {'films':>7}" + heads())
        for row in rows:
            cells = "".join(f"{row[s][key]:10,.1f}" if s in row else f"{'-':>10}" for s in STAGES)
            print(f"{row['ratings']:11,} {row['users']:9,} {row['films']:7,}{cells}")
    slopes = [slope(stage, rows) for stage in STAGES]
    texts = "".join(f"{'-' if own is None else f'{own:.2f}':>10}" for own in slopes)
    print(f"\n{'slope':29}{texts}\n{os.cpu_count()} processors")


def heads() -> str:
    return "".join(f"{stage:>10}" for stage in STAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="ratings (1,000,000)")
    parser.add_argument("--least", type=int, default=100_000, help="ratings (100,000)")
    parser.add_argument("--towers-most", type=int, default=3_200_000, help="ratings (3,200,000)")
    parser.add_argument("--folder", type=Path, help="where files are made; a temporary one")
    parser.add_argument("--plot", type=Path, help="write the curves here")
    parser.add_argument("--limit-gib", type=float, default=6, help="drawn in the plot (6)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        seconds, processor = RUN[options.stage](options.folder, options.least)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"s": seconds, "processor_s": processor, "mib": peak}))
        return
    root = options.folder or Path(tempfile.mkdtemp())
    rows: list[dict] = []
    for ratings in sizes(options.least, options.most):
        users, films = shape(ratings)
        row: dict = {"ratings": ratings, "users": users, "films": films}
        folder = root / str(ratings)
        folder.mkdir(parents=True, exist_ok=True)
        for stage in STAGES:
            if stage != "towers" or ratings <= options.towers_most:
                row[stage] = alone(stage, folder, ratings)
                print(f"{ratings:,} {stage}: {row[stage]}", file=sys.stderr)
        shutil.rmtree(folder)
        rows.append(row)
    if options.plot:
        plot(rows, options.limit_gib, options.plot)
    if options.json:
        print(json.dumps({"rows": rows, "slopes": {s: slope(s, rows) for s in STAGES}}))
    else:
        show(rows)


if __name__ == "__main__":
    main()
