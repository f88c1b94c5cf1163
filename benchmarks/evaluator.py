"""The evaluator beside a model's own scoring, and its memory.

    python benchmarks/evaluator.py [--users 162000 --films 60000 --size 64 --share 0.1] [--data ZIP]

Two figures: on MovieLens ratings (`--data`), the seconds that evaluation takes beyond the model's
own scoring of all pairs; and on synthetic vectors, the time beside that of the bare matrix product,
with the peak memory. `--share` measures a part of the synthetic users and says so.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import matinee as mt
from matinee.data.sources import load_data
from matinee.evaluation.measure import measure_retriever

BLOCK = 1024


class Factors:
    """A model of one vector a user."""

    def __init__(self, users: np.ndarray, films: np.ndarray) -> None:
        self.users = users
        self.index = mt.ExactIndex(films)

    def retrieve(self, queries, k, exclude=None, allow=None) -> mt.TopK:
        rows = self.users[[query.user_index for query in queries]]
        return self.index.search(rows, k, exclude, allow)


def product(users: np.ndarray, films: np.ndarray) -> float:
    """Seconds of the bare product, block by block into one buffer."""
    transposed = np.ascontiguousarray(films.T)
    out = np.empty((BLOCK, len(films)), np.float32)
    start = time.perf_counter()
    for first in range(0, len(users), BLOCK):
        block = users[first : first + BLOCK]
        np.matmul(block, transposed, out=out[: len(block)])
    return time.perf_counter() - start


def factors(n_users: int, n_films: int, size: int) -> Factors:
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal((n, size), dtype=np.float32) for n in (n_users, n_films)]
    return Factors(*vectors)


def on_ratings(data: str, size: int, repeats: int) -> None:
    ratings, _ = load_data(data)
    split = mt.make_split(ratings, "seed", 42)
    model = factors(len(ratings.users), len(ratings.items), size)
    seen = split.train.items_by_user()
    rows = []
    for _ in range(repeats):
        bare = product(model.users, model.index.vectors)
        start = time.perf_counter()
        measure_retriever(model, seen, split.train, split.test)
        rows.append((time.perf_counter() - start, bare))
    whole, bare = np.median(rows, axis=0)
    print(
        f"{len(ratings.users):,} users x {len(ratings.items):,} films of {data}: {whole:.2f} s, of "
        f"which {bare:.2f} s are scores; {whole - bare:.2f} s beyond them (AUC and all)"
    )


def synthetic(n_users: int, n_films: int, size: int, share: float, each: int) -> None:
    model = factors(n_users, n_films, size)
    rng = np.random.default_rng(1)
    tested = int(share * n_users)
    users = mt.Vocabulary.of(range(n_users), "user")
    films = mt.Vocabulary.of(range(n_films), "movie")
    user = np.repeat(np.arange(tested, dtype=np.int32), 2 * each)
    # Distinct films a user: an arithmetic progression from a random start.
    start = rng.integers(n_films, size=(tested, 1))
    film = ((start + np.arange(2 * each) * 7919) % n_films).astype(np.int32).ravel()
    stars = np.full(len(user), 4, np.float32)
    ratings = mt.Ratings.of(users, films, user, film, stars)
    train = np.arange(len(user)) % 2 == 0
    seen = ratings.take(train).items_by_user()
    bare = product(model.users[:tested], model.index.vectors)
    start_s = time.perf_counter()
    measure_retriever(model, seen, ratings.take(train), ratings.take(~train))
    took = time.perf_counter() - start_s
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{tested:,} of {n_users:,} users x {n_films:,} films, d {size}: {took:.1f} s; bare "
        f"product {bare:.1f} s, {took / bare:.2f} times; peak memory {peak:,.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=162_000)
    parser.add_argument("--films", type=int, default=60_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--each", type=int, default=20, help="test ratings of each user")
    parser.add_argument("--data", default="100k")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    synthetic(given.users, given.films, given.size, given.share, given.each)
    on_ratings(given.data, given.size, given.repeats)


if __name__ == "__main__":
    main()
