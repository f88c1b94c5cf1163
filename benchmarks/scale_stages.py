"""Matinee's stages as `scale.py` measures them; nothing to run.

A stage is given a folder with what the stages before it made, loads what it needs (Matinee's names
are imported when they are first used, so before the clock is started), and says how long its own
work took and how much memory the process had needed at its end.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EVALUATED_USERS = 2_000
WIDTH = 64
SEARCHES = 1_000
LISTED = 100
# Steps of the two towers before the clock is started, of which the first compiles.
WARM_UP = 20
# Past this many films `fit_ease` refuses, since a table of all pairs grows too large.
EASE_FILMS = 20_000

# What is known of one run: `s`, `processor_s`, `mib`, and what belongs to the stage alone.
Found = dict[str, float]


@dataclass(frozen=True)
class Job:
    """What is to be measured: files, sizes, and steps of the two towers."""

    folder: Path
    ratings: int
    towers_steps: int = 200

    @property
    def users(self) -> int:
        """One for about 160 ratings, as in MovieLens 100K and 32M."""
        return max(self.ratings // 160, 100)

    @property
    def films(self) -> int:
        """As many as MovieLens 100K has, and 32M."""
        return round(1_682 * (self.ratings / 100_000) ** 0.685)


def peak_mib() -> float:
    """Of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # `getrusage` starts from the peak of the process that started this one.
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class Watch:
    """Started when it is made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def stop(self) -> Found:
        wall, processor = time.perf_counter(), time.process_time()
        return {"s": wall - self._wall, "processor_s": processor - self._processor} | {
            "mib": peak_mib()
        }


def split_of(job: Job):
    """The prepared ratings, cut by time."""
    import matinee as mt

    ratings, catalog = mt.load_data(job.folder / "prepared")
    return mt.make_split(ratings, "time", validation=0.0), catalog


def vectors_of(job: Job) -> np.ndarray:
    """Normal ones for the films, so that no index can skip anything."""
    return np.random.default_rng(0).standard_normal((job.films, WIDTH), np.float32)


def make(job: Job) -> Found:
    from matinee.data.synthetic import SyntheticConfig, synthesize

    watch = Watch()
    config = SyntheticConfig(job.users, job.films, job.ratings)
    synthesize(config, job.folder / "ratings.parquet", job.folder / "films.parquet")
    return watch.stop()


def prepare(job: Job) -> Found:
    from matinee import load_data
    from matinee.data.prepared import save_prepared

    watch = Watch()
    films = job.folder / "films.parquet"
    ratings, catalog = load_data(job.folder / "ratings.parquet", films=films)
    save_prepared(ratings, catalog, job.folder / "prepared")
    return watch.stop()


def ials(job: Job) -> Found:
    """Saves the model, with biases to make it whole, when the clock has stopped."""
    import matinee as mt
    from matinee.artifacts import SavedModel, save_model

    split, catalog = split_of(job)
    config = mt.IalsConfig(embedding_size=WIDTH, sweeps=1)
    fit = mt.fit_ials
    watch = Watch()
    retriever = fit(split.train, config)
    found = watch.stop()
    biases = mt.BiasConfig()
    recommender = mt.Recommender(catalog, retriever, mt.fit_bias(split.train, biases), split.train)
    recipe = mt.Recipe(retrieval=config, ranking=biases)
    saved = SavedModel(recommender, recipe, 42, {"protocol": "time"}, {})
    save_model(saved, job.folder / "model")
    return found | {"trained": len(split.train)}


def bias(job: Job) -> Found:
    from matinee import BiasConfig, fit_bias

    split, _ = split_of(job)
    watch = Watch()
    fit_bias(split.train, BiasConfig())
    return watch.stop()


def ease(job: Job) -> Found:
    from matinee import fit_ease

    split, _ = split_of(job)
    watch = Watch()
    fit_ease(split.train)
    return watch.stop()


def towers(job: Job) -> Found:
    """What an epoch starts with, and some of its steps, with all in memory that it has there."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    import matinee as mt
    from matinee.retrieval.fit import new_model, retriever_of
    from matinee.towers.optimizers import make_optimizer

    split, catalog = split_of(job)
    config = mt.load_recipe("two-tower").retrieval
    assert isinstance(config, mt.RetrievalConfig)
    steps = -(-len(split.train) // config.batch_size)
    warm_up = min(WARM_UP, 1 + steps // 4)
    last = min(steps, warm_up + job.towers_steps)
    watch = found = ordered = None

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            nonlocal ordered
            ordered = began.stop()

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            # Keras has waited for the losses of the step by now.
            nonlocal watch, found
            if batch + 1 == warm_up:
                watch = Watch()
            elif batch + 1 == last:
                assert watch is not None
                found = watch.stop()
                self.model.stop_training = True

    model = new_model(split.train, catalog, config, seed=42)
    model.compile(optimizer=make_optimizer(config.optimizer, config.learning_rate))
    began = Watch()
    model.fit(split.train, epochs=1, verbose=0, callbacks=[Clock()])
    retriever_of(model, split.train.scale)
    assert found is not None
    assert ordered is not None
    timed = last - warm_up
    whole = {name: ordered[name] + found[name] * steps / timed for name in ("s", "processor_s")}
    counted = {"steps": steps, "timed_steps": timed, "part": last / steps}
    counted["logits"] = math.prod(model.distinct.values())
    return {**whole, "mib": peak_mib(), **counted}


def evaluate(job: Job) -> Found:
    from matinee import evaluate_retriever, load_model

    split, _ = split_of(job)
    model = load_model(job.folder / "model").recommender.retriever
    tested = np.unique(split.test.user_index)[:EVALUATED_USERS]
    test = split.test.take(np.isin(split.test.user_index, tested))
    watch = Watch()
    evaluate_retriever(model, split.train, test)
    return watch.stop() | {"tested": len(tested)}


def index(job: Job) -> Found:
    from matinee import ExactIndex

    vectors = vectors_of(job)
    watch = Watch()
    found = ExactIndex(vectors)
    for row in range(SEARCHES):
        found.search(vectors[row % len(vectors)][None], 10)
    return watch.stop()


def batch(job: Job) -> Found:
    from matinee import load_model
    from matinee.batch import BatchConfig, make_lists

    recommender = load_model(job.folder / "model").recommender
    out = job.folder / "lists"
    shutil.rmtree(out, ignore_errors=True)
    watch = Watch()
    make_lists(recommender, out, BatchConfig(k=LISTED), model="benchmark")
    return watch.stop()


STAGES: dict[str, Callable[[Job], Found]] = {
    "make": make,
    "prepare": prepare,
    "ials": ials,
    "bias": bias,
    "ease": ease,
    "towers": towers,
    "evaluate": evaluate,
    "index": index,
    "batch": batch,
}
