"""The seed's program on TensorFlow Recommenders: the other side of `against_tfrs.py`.

Run by the Python of the benchmark's own TFRS environment, never by Matinee's. It is the program a
reader of the TFRS tutorials ends up with: two towers of embeddings trained by the in-batch softmax
with `FactorizedTopK` over the catalogue, a ranking network on top of two more embeddings, Adagrad
0.1, batches of 4,096, three epochs, films keyed by title. Three things differ from the seed, and
none of them costs TFRS time: ratings come from GroupLens's two files instead of TensorFlow
Datasets, titles are decoded as UTF-8 (the seed's `astype(str)` dies on the first "é"), and a flag
leaves the metrics out of the training step where only the step is to be timed.

Prints one line of JSON on the standard output; whatever else is said goes to the standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # TFRS raises ImportError under Keras 3.

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

DIMENSION = 32
BATCH = 4096
EPOCHS = 3
USER = "42"
TOP = (1, 5, 10, 50, 100)
STEP_EPOCHS = 5
REQUESTS = 20

Features = dict[str, tf.Tensor]


def tower(vocabulary: np.ndarray, dimension: int = DIMENSION) -> tf.keras.Model:
    """Text ids -> embeddings, with one row for ids that the vocabulary lacks."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None),
            tf.keras.layers.Embedding(len(vocabulary) + 1, dimension),
        ]
    )


class Retrieval(tfrs.Model):
    """Users and films in one space, learned by telling each rating's film from its batch's."""

    def __init__(
        self,
        user_ids: np.ndarray,
        titles: np.ndarray,
        movies: tf.data.Dataset,
        metrics_while_training: bool = True,
        dimension: int = DIMENSION,
    ) -> None:
        super().__init__()
        self.user_model = tower(user_ids, dimension)
        self.movie_model = tower(titles, dimension)
        self.metrics_while_training = metrics_while_training
        candidates = movies.batch(128).map(self.movie_model)
        self.task = tfrs.tasks.Retrieval(metrics=tfrs.metrics.FactorizedTopK(candidates=candidates))

    def compute_loss(self, features: Features, training: bool = False) -> tf.Tensor:
        """In-batch softmax, and top-k accuracies unless they were switched off."""
        return self.task(
            self.user_model(features["user_id"]),
            self.movie_model(features["movie_title"]),
            compute_metrics=self.metrics_while_training or not training,
        )


class Ranking(tfrs.Model):
    """A user's and a film's embedding -> the rating, through 256 and 64 units."""

    def __init__(self, user_ids: np.ndarray, titles: np.ndarray) -> None:
        super().__init__()
        self.user_model = tower(user_ids)
        self.movie_model = tower(titles)
        self.ratings = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(256, activation="relu"),
                tf.keras.layers.Dense(64, activation="relu"),
                tf.keras.layers.Dense(1),
            ]
        )
        self.task = tfrs.tasks.Ranking(
            loss=tf.keras.losses.MeanSquaredError(),
            metrics=[tf.keras.metrics.RootMeanSquaredError()],
        )

    def call(self, features: Features) -> tf.Tensor:
        """Predicted ratings: float32 [n, 1]."""
        pair = [self.user_model(features["user_id"]), self.movie_model(features["movie_title"])]
        return self.ratings(tf.concat(pair, axis=1))

    def compute_loss(self, features: Features, training: bool = False) -> tf.Tensor:
        """Mean squared error."""
        labels = features.pop("user_rating")
        return self.task(labels=labels, predictions=self(features))


class Data:
    """The seed's data sets, from GroupLens's two files.

    Attributes:
        train: 80,000 ratings, in cached batches.
        test: 20,000 ratings, in cached batches.
        full_batches: the train ratings that fill whole batches.
        movies: every film's title, in file order.
        user_ids: unique, ascending.
        titles: unique, ascending; films that share a title become one.
    """

    def __init__(self, ratings_file: Path, films_file: Path, seed: int) -> None:
        # Not splitlines: Latin-1 has a character that it takes for a line's end.
        films = [line.split("|") for line in films_file.read_text("latin-1").split("\n") if line]
        title_of = {fields[0]: fields[1].encode() for fields in films}
        rows = [line.split("\t") for line in ratings_file.read_text("ascii").split("\n") if line]
        ratings = tf.data.Dataset.from_tensor_slices(
            {
                "movie_title": np.array([title_of[row[1]] for row in rows]),
                "user_id": np.array([row[0].encode() for row in rows]),
                "user_rating": np.array([row[2] for row in rows], np.float32),
            }
        )
        tf.random.set_seed(seed)
        shuffled = ratings.shuffle(100_000, seed=seed, reshuffle_each_iteration=False)
        train = shuffled.take(80_000)
        self.train = train.shuffle(100_000).batch(BATCH).cache()
        self.test = shuffled.skip(80_000).take(20_000).batch(BATCH).cache()
        self.full_batches = train.batch(BATCH, drop_remainder=True).cache()
        self.movies = tf.data.Dataset.from_tensor_slices(np.array(list(title_of.values())))
        self.user_ids = unique_values(ratings, "user_id")
        self.titles = unique_values(ratings, "movie_title")


def unique_values(ratings: tf.data.Dataset, column: str) -> np.ndarray:
    batches = ratings.batch(100_000).map(lambda row: row[column])
    return np.unique(np.concatenate(list(batches)))


def compiled(model: tfrs.Model) -> tfrs.Model:
    model.compile(optimizer=tf.keras.optimizers.Adagrad(learning_rate=0.1))
    return model


def indexed(model: Retrieval, movies: tf.data.Dataset) -> tfrs.layers.factorized_top_k.BruteForce:
    index = tfrs.layers.factorized_top_k.BruteForce(model.user_model)
    index.index_from_dataset(movies.batch(100).map(lambda title: (title, model.movie_model(title))))
    return index


def recommend(
    index: tfrs.layers.factorized_top_k.BruteForce, ranking: Ranking, user: str
) -> list[tuple[str, float]]:
    """Ten films retrieved, then ranked one at a time as the seed does; best first."""
    _, titles = index(np.array([user]))
    ratings = {
        title: ranking({"user_id": np.array([user]), "movie_title": np.array([title])})
        for title in [raw.decode() for raw in titles.numpy().flatten()]
    }
    ranked = sorted(ratings.items(), key=lambda pair: pair[1], reverse=True)
    return [(title, float(rating[0, 0])) for title, rating in ranked]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run_job(data: Data) -> dict[str, object]:
    """The whole program: train and test both models, recommend to one user."""
    found: dict[str, object] = {}
    retrieval = compiled(Retrieval(data.user_ids, data.titles, data.movies))
    found["retrieval_fit_s"] = seconds(lambda: retrieval.fit(data.train, epochs=EPOCHS, verbose=2))
    started = time.perf_counter()
    accuracy = retrieval.evaluate(data.test, return_dict=True, verbose=2)
    found["evaluation_first_s"] = time.perf_counter() - started
    for k in TOP:
        found[f"top_{k}"] = accuracy[f"factorized_top_k/top_{k}_categorical_accuracy"]

    ranking = compiled(Ranking(data.user_ids, data.titles))
    found["ranking_fit_s"] = seconds(lambda: ranking.fit(data.train, epochs=EPOCHS, verbose=2))
    error = ranking.evaluate(data.test, return_dict=True, verbose=2)
    found["rmse"] = error["root_mean_squared_error"]

    for title, rating in recommend(indexed(retrieval, data.movies), ranking, USER):
        print(f"{title}: {rating:.2f}", file=sys.stderr)
    return found


class EpochSeconds(tf.keras.callbacks.Callback):
    """Notes how long each epoch took."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start the watch."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop it."""
        self.seconds.append(time.perf_counter() - self._started)


def run_parts(data: Data) -> dict[str, object]:
    """Warm times of one step, one evaluation and one request."""
    retrieval = compiled(
        Retrieval(data.user_ids, data.titles, data.movies, metrics_while_training=False)
    )
    watch = EpochSeconds()
    retrieval.fit(data.full_batches, epochs=STEP_EPOCHS, callbacks=[watch], verbose=0)
    steps = int(data.full_batches.cardinality())

    def evaluate() -> None:
        retrieval.evaluate(data.test, return_dict=True, verbose=0)

    evaluate()
    warm_evaluation = seconds(evaluate)
    ranking = compiled(Ranking(data.user_ids, data.titles))
    ranking.fit(data.train, epochs=1, verbose=0)
    index = indexed(retrieval, data.movies)

    def request() -> None:
        recommend(index, ranking, USER)

    for _ in range(3):
        request()
    return {
        "step_ms": 1000 * statistics.median(watch.seconds[1:]) / steps,
        "evaluation_warm_s": warm_evaluation,
        "request_ms": 1000 * statistics.median(seconds(request) for _ in range(REQUESTS)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=("job", "parts"), required=True)
    parser.add_argument("--ratings", type=Path, required=True, help="as GroupLens's u.data")
    parser.add_argument("--films", type=Path, required=True, help="as GroupLens's u.item")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Keras reports its epochs on the standard output, which is kept for the answer.

    data = Data(options.ratings, options.films, options.seed)
    found = run_job(data) if options.mode == "job" else run_parts(data)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["versions"] = {
        "Python": platform.python_version(),
        "TensorFlow": tf.__version__,
        "TFRS": tfrs.__version__,
    }
    print(json.dumps(found, default=float), file=answers, flush=True)


if __name__ == "__main__":
    main()
