"""The seed's program under Matinee's names: Matinee's side of `against_tfrs.py`.

Run by the Python of the benchmark's own Matinee environment, with `src` on its path. It mirrors
`tfrs_program.py` line for line: same sizes, same epochs, same figures, same keys in the answer.

Prints one line of JSON on the standard output; whatever else is said goes to the standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import matinee as mt

BATCH = 4096
EPOCHS = 3
USER = "42"
TOP = (1, 5, 10, 50, 100)
STEP_EPOCHS = 5
REQUESTS = 20


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# The models' configurations default to the seed's, as the recipe `seed` has them.
def compiled(model: mt.MovieLensRetrieval | mt.MovieLensRanking) -> object:
    import keras  # after matinee, which chooses the backend

    model.compile(optimizer=keras.optimizers.Adagrad(learning_rate=0.1))
    return model


def new_retrieval(split: mt.Split, catalog: mt.Catalog, seed: int) -> mt.MovieLensRetrieval:
    return compiled(mt.MovieLensRetrieval(split.train.users, catalog.items, seed=seed))


def new_ranking(split: mt.Split, catalog: mt.Catalog, seed: int) -> mt.MovieLensRanking:
    return compiled(mt.MovieLensRanking(split.train.users, catalog.items, seed=seed))


def recommender(
    retrieval: mt.MovieLensRetrieval, ranking: mt.MovieLensRanking, train: mt.Ratings
) -> Callable[[], dict[str, float]]:
    """What answers a request: ten films retrieved, then ranked; film id -> predicted stars."""
    catalog = mt.Catalog.of_ids(train.items)
    tables = mt.retriever_of(retrieval, train.scale), mt.ranker_of(ranking, train.scale)
    # Seen films stay in, as in the seed.
    both = mt.Recommender(catalog, *tables, train, exclude_seen=False)
    return lambda: mt.rank_movies(mt.retrieve_movies(both, USER, 10), USER, both)


def run_job(seed: int) -> dict[str, object]:
    """The whole program: train and test both models, recommend to one user."""
    found: dict[str, object] = {}
    ratings, catalog = mt.load_movielens("100k")
    split = mt.make_split(ratings, "seed", seed=seed)
    retrieval = new_retrieval(split, catalog, seed)
    found["retrieval_fit_s"] = seconds(
        lambda: retrieval.fit(split.train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    )
    started = time.perf_counter()
    accuracy = retrieval.evaluate(split.test, return_dict=True, verbose=2)
    found["evaluation_first_s"] = time.perf_counter() - started
    for k in TOP:
        found[f"top_{k}"] = accuracy[f"factorized_top_k/top_{k}_categorical_accuracy"]

    ranking = new_ranking(split, catalog, seed)
    found["ranking_fit_s"] = seconds(
        lambda: ranking.fit(split.train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    )
    error = ranking.evaluate(split.test, return_dict=True, verbose=2)
    found["rmse"] = error["root_mean_squared_error"]

    # Titles go to what is the standard error by now; see main.
    mt.print_ratings(recommender(retrieval, ranking, split.train)(), catalog)
    return found


def epoch_seconds(retrieval: mt.MovieLensRetrieval, train: mt.Ratings) -> list[float]:
    """How long each of some epochs takes, loss only."""
    import keras

    class Watch(keras.callbacks.Callback):
        """Notes how long each epoch took; Keras has read the epoch's loss by then."""

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            """Start the watch."""
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            """Stop it."""
            found.append(time.perf_counter() - self.started)

    found: list[float] = []
    retrieval.fit(train, batch_size=BATCH, epochs=STEP_EPOCHS, callbacks=[Watch()], verbose=0)
    return found


def run_parts(seed: int) -> dict[str, object]:
    """Warm times of one step, one evaluation and one request."""
    ratings, catalog = mt.load_movielens("100k")
    split = mt.make_split(ratings, "seed", seed=seed)
    steps = len(split.train) // BATCH
    full_batches = split.train.take(np.arange(steps * BATCH))
    retrieval = new_retrieval(split, catalog, seed)
    step_ms = 1000 * statistics.median(epoch_seconds(retrieval, full_batches)[1:]) / steps

    def evaluate() -> None:
        retrieval.evaluate(split.test, return_dict=True, verbose=0)

    evaluate()
    warm_evaluation = seconds(evaluate)
    ranking = new_ranking(split, catalog, seed)
    ranking.fit(split.train, batch_size=BATCH, epochs=1, verbose=0)
    request = recommender(retrieval, ranking, split.train)
    for _ in range(3):
        request()
    return {
        "step_ms": step_ms,
        "evaluation_warm_s": warm_evaluation,
        "request_ms": 1000 * statistics.median(seconds(request) for _ in range(REQUESTS)),
    }


def export(folder: Path) -> dict[str, object]:
    """Write the ratings and the films as GroupLens's `u.data` and `u.item`, for the other side."""
    ratings, catalog = mt.load_movielens("100k")
    if ratings.timestamp is None:
        raise SystemExit("MovieLens 100K without timestamps; expected them in u.data")
    order = np.argsort(ratings.position)
    columns = (
        ratings.users.ids(ratings.user_index[order]),
        ratings.items.ids(ratings.item_index[order]),
        ratings.rating[order].astype(int),
        ratings.timestamp[order],
    )
    lines = ("\t".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))
    (folder / "u.data").write_text("".join(lines), "ascii")
    films = [
        f"{catalog.items.id(number)}|{catalog.title(number)}" for number in range(len(catalog))
    ]
    (folder / "u.item").write_text("".join(f"{film}|||\n" for film in films), "latin-1")
    return {"ratings": len(ratings), "films": len(films)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=("job", "parts", "export"), required=True)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--files", type=Path, help="the folder that export writes into")
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Keras reports its epochs on the standard output, which is kept for the answer.

    if options.mode == "export":
        if options.files is None:
            parser.error("--mode export needs --files DIR")
        found = export(options.files)
    else:
        found = run_job(options.seed) if options.mode == "job" else run_parts(options.seed)
        import jax
        import keras

        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found["versions"] = {
            "Python": platform.python_version(),
            "Keras": keras.__version__,
            "JAX": jax.__version__,
            "Matinee": mt.__version__,
        }
    print(json.dumps(found, default=float), file=answers, flush=True)


if __name__ == "__main__":
    main()
