"""Matinee's side of `training.py`: seconds of a training step, and the bare product's rate.

With `--data` it only writes the ratings as the other sides read them. Prints one line of JSON:
for each way of training its name and `step_s`, `processor_s` (of all threads), `rows` of a batch,
`predicted` (ratings or films that count, a step), `parameters`, and the sizes of the model.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import matinee as mt

EPOCHS = 4
BATCH = 4096
WIDTH = 64
# More than a batch has, so that none need be in it twice.
APART = 5_000
SEQUENCE = {"embedding_size": 128, "blocks": 2, "heads": 2, "max_length": 200, "dropout": 0.2}
# Rows of a step, and how much shorter an epoch of them is.
ROWS = {16: 1, 128: 5}


def export(data: Path, files: Path) -> dict[str, float]:
    """Write who rated what and when, as numbers."""
    ratings, _ = mt.load_data(data)
    rows, _ = ratings.by_user()
    assert ratings.timestamp is not None
    np.savez(
        files / "ratings.npz",
        user=ratings.user_index[rows],
        film=ratings.item_index[rows],
        rating=ratings.rating[rows],
        timestamp=ratings.timestamp[rows],
    )
    return {"ratings": len(ratings)}


def timed(epoch: Callable[[], object], steps: int) -> dict[str, float]:
    """Seconds of a step: the median of the epochs after the first, which compiles."""
    wall: list[float] = []
    processor: list[float] = []
    for _ in range(EPOCHS):
        started = time.perf_counter(), time.process_time()
        epoch()
        wall.append((time.perf_counter() - started[0]) / steps)
        processor.append((time.process_time() - started[1]) / steps)
    return {
        "step_s": statistics.median(wall[1:]),
        "processor_s": statistics.median(processor[1:]),
    }


def gemm_gflops(size: int = 2048, repeats: int = 10) -> float:
    """The rate of NumPy's bare matrix product in float32, the best of some."""
    left, right = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
    out = np.empty((size, size), np.float32)
    seconds: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        np.matmul(left, right, out=out)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds) / 1e9


def towers(files: Path, seed: int, steps: int) -> dict[str, dict[str, float]]:
    """Two towers, in-batch softmax: on ratings, alone or four of a user together, and apart."""
    import keras

    from matinee.towers.inputs import Batches

    held, generator = np.load(files / "ratings.npz"), np.random.default_rng(seed)
    sizes = [int(held[name].max()) + 1 for name in ("user", "film")]
    taken = generator.permutation(len(held["user"]))[: steps * BATCH]
    rated = {"user_index": held["user"][taken], "movie_index": held["film"][taken]}
    apart = {
        name: np.concatenate([generator.permutation(APART)[:BATCH] for _ in range(steps)])
        for name in rated
    }
    found: dict[str, dict[str, float]] = {}
    for name, features, films, together in (
        ("Matinee, 4096", rated, sizes[1], 1),
        ("Matinee, 4096, four of a user together", rated, sizes[1], 4),
        ("Matinee, 4096, no id twice", apart, APART, 1),
    ):
        config = mt.RetrievalConfig(embedding_size=WIDTH, batch_size=BATCH, together=together)
        model = mt.MovieLensRetrieval(range(sizes[0]), range(films), config=config, seed=seed)
        model.compile(optimizer=keras.optimizers.Adagrad(0.1))

        def epoch(model: Any = model, features: dict[str, Any] = features) -> None:
            if features is rated:
                model.fit(features, batch_size=BATCH, epochs=1, verbose=0)
                return
            # `fit` of the model would shuffle what keeps ids apart.
            batches = Batches(features, BATCH, distinct=model.distinct)
            keras.Model.fit(model, batches, shuffle=False, epochs=1, verbose=0)

        found[name] = timed(epoch, steps)
        counted = {"rows": BATCH, "predicted": BATCH, "width": WIDTH}
        found[name] |= {**counted, "parameters": model.count_params()}
    return found


def sequence(files: Path, seed: int, steps: int) -> dict[str, dict[str, float]]:
    """The next-film model as `fit_sequence` trains it, on the first rows of an epoch."""
    import keras

    from matinee.retrieval.sequence.batches import Packer
    from matinee.retrieval.sequence.config import SequenceConfig
    from matinee.retrieval.sequence.features import TrainedFilms
    from matinee.retrieval.sequence.model import SequenceModel
    from matinee.retrieval.sequence.sequences import Sequences

    held = np.load(files / "ratings.npz")
    users, items = (range(int(held[name].max()) + 1) for name in ("user", "film"))
    train = mt.Ratings.of(
        mt.Vocabulary.of(np.array(users), "user"),
        mt.Vocabulary.of(np.array(items), "movie"),
        *(held[name] for name in ("user", "film", "rating")),
        timestamp=held["timestamp"],
        scale=(1.0, 5.0),
    )
    films = TrainedFilms(train.item_counts(), np.zeros((len(items), 0), np.float32))
    found: dict[str, dict[str, float]] = {}
    for rows, part in ROWS.items():
        config = SequenceConfig(
            **SEQUENCE,  # type: ignore[arg-type]
            batch_size=rows,
            film_features=False,
            read_stars=False,
            unknown_rate=0.0,
        )
        packer = Packer(Sequences(train), films.place, config)
        own_steps = max(steps // part, 1)
        packed = packer.pack(np.random.default_rng(seed))
        columns = {name: column[: own_steps * rows] for name, column in packed.items()}
        model = SequenceModel(films.trained_features, films.trained_counts, config, seed)
        model.compile(optimizer=keras.optimizers.Adam(1e-3, beta_2=0.98))
        options = {"batch_size": rows, "shuffle": False, "epochs": 1, "verbose": 0}
        spent = timed(
            lambda model=model, columns=columns, o=options: model.fit(columns, **o), own_steps
        )
        found[f"Matinee, {rows}"] = {
            **spent,
            "rows": rows,
            "predicted": float(columns["weight"].sum()) / own_steps,
            "parameters": sum(int(np.prod(w.shape)) for w in model.trainable_variables),
            "width": config.embedding_size,
            "length": config.max_length,
            "blocks": config.blocks,
            "inner": model.inner.shape[2],
            "films": len(films.trained_counts),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=Path, required=True, help="where the ratings are")
    parser.add_argument("--data", type=Path, help="write the ratings of these, and no more")
    parser.add_argument("--model", choices=("towers", "sequence"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if options.data is not None:
        found: dict = export(options.data, options.files)
    else:
        before = gemm_gflops()
        train = towers if options.model == "towers" else sequence
        found = dict(train(options.files, options.seed, options.steps))
        found["gemm"] = {"gemm_gflops": max(before, gemm_gflops())}
    print(json.dumps(found, default=float), file=answers, flush=True)


if __name__ == "__main__":
    main()
