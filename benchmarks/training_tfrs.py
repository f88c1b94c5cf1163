"""TFRS's side of `training.py`: seconds of a training step of its tutorials' two towers.

Run by the Python of the benchmark's own TFRS environment. Says what `training_matinee.py` says.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrs_program import Retrieval, compiled

EPOCHS = 4
BATCH = 4096
WIDTH = 64


class Watch(tf.keras.callbacks.Callback):
    """Notes the seconds of each epoch: by the clock, and of the processors."""

    def __init__(self) -> None:
        super().__init__()
        self.wall: list[float] = []
        self.processor: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start both watches."""
        self._started = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop them."""
        self.wall.append(time.perf_counter() - self._started[0])
        self.processor.append(time.process_time() - self._started[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, required=True, help="where the ratings are")
    parser.add_argument("--model", choices=("towers",), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    held = np.load(options.files / "ratings.npz")
    rows = np.random.default_rng(options.seed).permutation(len(held["user"]))
    rows = rows[: options.steps * BATCH]
    users, films = (np.unique(held[name]).astype(bytes) for name in ("user", "film"))
    columns = {"user_id": held["user"][rows], "movie_title": held["film"][rows]}
    batches = tf.data.Dataset.from_tensor_slices(
        {name: column.astype(bytes) for name, column in columns.items()}
    )
    tf.random.set_seed(options.seed)
    movies = tf.data.Dataset.from_tensor_slices(films)
    model = compiled(Retrieval(users, films, movies, metrics_while_training=False, dimension=WIDTH))
    watch = Watch()
    model.fit(batches.batch(BATCH).cache(), epochs=EPOCHS, callbacks=[watch], verbose=0)
    found = {
        "step_s": statistics.median(watch.wall[1:]) / options.steps,
        "processor_s": statistics.median(watch.processor[1:]) / options.steps,
        "rows": BATCH,
        "predicted": BATCH,
        "width": WIDTH,
        "parameters": sum(int(np.prod(weight.shape)) for weight in model.trainable_variables),
    }
    print(json.dumps({"TFRS, 4096": found}, default=float), file=answers, flush=True)


if __name__ == "__main__":
    main()
