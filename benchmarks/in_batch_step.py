"""One training step of the in-batch softmax against the same arithmetic in a bare `jax.lax.scan`.

    python benchmarks/in_batch_step.py [--repeats 7] [--json]

MovieLens 100K's sizes, batch 4096, embedding 32, Adagrad. Both sides run whole epochs of 19 full
batches on the same numbers, in turn, in one process; figures are medians of the time a step.

- `bare scan, textbook`: one `lax.scan` over the batches; logits 4096 × 4096, logsumexp less the
  positive, gradients by JAX, Adagrad written out. No framework, no input pipeline.
- `Matinee, no id twice in a batch`: every one of the logits, in blocks, trained by Keras.
- `Matinee`: `MovieLensRetrieval.fit` as MovieLens 100K gets it: equal rows and columns of the same
  logits computed once (`grouped_softmax`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import matinee as mt

USERS, FILMS, BATCH, STEPS, WIDTH = 943, 1682, 4096, 19, 32


def bare_scan(users: np.ndarray, films: np.ndarray) -> Callable[[], None]:
    """An epoch in one `lax.scan`."""
    import jax
    import jax.numpy as jnp

    def loss(user_table: Any, film_table: Any, user: Any, film: Any) -> Any:
        queries, candidates = user_table[user], film_table[film]
        positives = jnp.sum(queries * candidates, axis=1)
        return jnp.sum(jax.nn.logsumexp(queries @ candidates.T, axis=1) - positives)

    def step(state: Any, batch: Any) -> Any:
        tables, sums = state
        value, gradients = jax.value_and_grad(loss, (0, 1))(*tables, *batch)
        sums = tuple(s + g * g for s, g in zip(sums, gradients, strict=True))
        tables = tuple(
            t - 0.1 * g / jnp.sqrt(s + 1e-7)
            for t, g, s in zip(tables, gradients, sums, strict=True)
        )
        return (tables, sums), value

    generator = np.random.default_rng(0)
    tables = tuple(
        jnp.asarray(generator.uniform(-0.05, 0.05, (size, WIDTH)).astype(np.float32))
        for size in (USERS + 1, FILMS + 1)
    )
    start = (tables, tuple(jnp.full_like(table, 0.1) for table in tables))
    batches = (jnp.asarray(users.reshape(STEPS, BATCH)), jnp.asarray(films.reshape(STEPS, BATCH)))
    epoch = jax.jit(lambda state: jax.lax.scan(step, state, batches))
    return lambda: jax.block_until_ready(epoch(start))


def matinee_epoch(users: np.ndarray, films: np.ndarray) -> Callable[[], None]:
    """An epoch of `MovieLensRetrieval`, its batches as they are."""
    import keras

    from matinee.towers.inputs import Batches

    model = mt.MovieLensRetrieval(range(int(users.max()) + 1), range(int(films.max()) + 1))
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    features = {"user_index": users, "movie_index": films}

    def epoch() -> None:
        batches = Batches(features, BATCH, distinct=model.distinct)
        keras.Model.fit(model, batches, shuffle=False, epochs=1, verbose=0)

    return epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="epochs of each side (7)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    generator = np.random.default_rng(1)
    users = generator.integers(0, USERS, BATCH * STEPS).astype(np.int32)
    # Popular films repeat in a batch, as they do in MovieLens.
    films = (FILMS * generator.random(BATCH * STEPS) ** 2).astype(np.int32)
    orders = np.array([generator.permutation(BATCH) for _ in range(2 * STEPS)], np.int32)
    apart = orders.reshape(2, BATCH * STEPS)
    sides = {
        "bare scan, textbook": bare_scan(users, films),
        "Matinee, no id twice in a batch": matinee_epoch(*apart),
        "Matinee": matinee_epoch(users, films),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(options.repeats + 1):
        for name, epoch in sides.items():
            started = time.perf_counter()
            epoch()
            if repeat:  # the first one compiles
                times[name].append(1000 * (time.perf_counter() - started) / STEPS)
    medians = {name: statistics.median(values) for name, values in times.items()}
    bare = medians["bare scan, textbook"]
    if options.json:
        print(
            json.dumps({"step_ms": medians, "to_bare": {n: m / bare for n, m in medians.items()}})
        )
        return
    print(f"{'a step, median':42} {'ms':>8} {'min':>8} {'to bare':>8}")
    for name, median in medians.items():
        print(f"{name:42} {median:8.1f} {min(times[name]):8.1f} {median / bare:8.2f}")


if __name__ == "__main__":
    main()
