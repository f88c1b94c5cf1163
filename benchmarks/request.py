"""One request, part by part: retrieve 200, rank 200, explain 10; prints milliseconds.

    python benchmarks/request.py [--requests 300] [--films 87585]

First on MovieLens 100K with the default recipe, trained on everything; then on as many films as
MovieLens 32M has, with vectors and ratings made up (long-tailed, as real ones are): what they say
does not matter to the time. The last column is the median of what the thread itself computed, which
a busy machine disturbs least; for it, hold BLAS to that thread by OMP_NUM_THREADS=1. Targets: a
known user's request at most 3 ms and 6 ms at the median, a visitor's first list at most 2 ms on
MovieLens 100K.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import matinee as mt
from matinee.ranking.fm.ordinal import Output
from matinee.ranking.fm.ranker import FactorizationMachineRanker
from matinee.retrieval.blend import BlendRetriever

CANDIDATES, SHOWN, HISTORY = 200, 10, 10
USERS, RATED = 5000, 150


def movielens() -> mt.Recommender:
    ratings, catalog = mt.load_movielens("100k")
    recipe = mt.load_recipe("default")
    return mt.train_model(ratings, catalog, recipe, protocol="all").recommender


def made_up(n_films: int) -> mt.Recommender:
    rng = np.random.default_rng(0)
    vocabulary = mt.Vocabulary.of(range(n_films), "movie")
    genres = [[f"genre {film % 18}"] for film in range(n_films)]
    titles = [f"Film {film} ({1950 + film % 70})" for film in range(n_films)]
    catalog = mt.Catalog.of_titles(range(n_films), titles, genres)
    fame = 1 / np.arange(1, n_films + 1) ** 1.1
    pairs = np.unique(
        np.column_stack(
            [
                np.repeat(np.arange(USERS), RATED),
                rng.choice(n_films, USERS * RATED, p=fame / fame.sum()),
            ]
        ),
        axis=0,
    )
    train = mt.Ratings.of(
        mt.Vocabulary.of(range(USERS), "user"),
        vocabulary,
        pairs[:, 0].astype(np.int32),
        pairs[:, 1].astype(np.int32),
        rng.integers(1, 6, len(pairs)).astype(np.float32),
        scale=(1.0, 5.0),
    )
    offset = np.log(fame / fame.sum()).astype(np.float32)
    blend = BlendRetriever(
        {
            "user_vectors": normal(rng, USERS + 1, 64),
            "movie_vectors": 0.5 * normal(rng, n_films, 64),
            "movie_bias": offset,
            # Past 20,000 films the blend has no item-item model.
            "side_vectors": np.zeros((USERS + 1, 0), np.float32),
            "history_vectors": np.zeros((n_films, 0), np.float32),
            "item_vectors": np.zeros((n_films, 0), np.float32),
            "weights": np.array([1.0, 0.0], np.float32),
        },
        train,
    )
    return mt.Recommender(catalog, blend, made_up_stars(rng, train), train)


def made_up_stars(rng: np.random.Generator, train: mt.Ratings) -> FactorizationMachineRanker:
    """A ranker of the default sizes, its tables small numbers around 0, its scale's cuts real."""
    config = mt.FactorizationMachineConfig()
    shapes = FactorizationMachineRanker.shapes(config, len(train.users), len(train.items))
    tensors = {name: 0.1 * normal(rng, *shape) for name, shape in shapes.items()}
    for name in tensors:
        if "variance" in name or "precision" in name:
            tensors[name] = 1 + np.abs(tensors[name])
    levels, cuts = np.arange(1, 6, dtype=np.float64), np.array([-2.0, -1.0, 0.0, 1.0])
    tensors |= {
        name: value.astype(np.float32) for name, value in Output.padded(levels, cuts).items()
    }
    return FactorizationMachineRanker(tensors, train)


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def parts(recommender: mt.Recommender) -> dict[str, Callable[[str, dict[str, float]], object]]:
    """What is timed, by name: each is called with a user's id and a visitor's history."""

    def retrieve(user: str, history: dict[str, float]) -> mt.TopK:
        query = recommender.query(user)
        return recommender.first_stage([query], CANDIDATES, [recommender.left_out(query)])

    def whole(user: str, history: dict[str, float]) -> object:
        return recommender.recommend(user, k=SHOWN, order="stars", explain=True)

    def visitor(user: str, history: dict[str, float]) -> object:
        return recommender.recommend(history=history, k=SHOWN)

    def visitor_whole(user: str, history: dict[str, float]) -> object:
        return recommender.recommend(history=history, k=SHOWN, order="stars", explain=True)

    def at_once(user: str, history: dict[str, float]) -> object:
        return recommender.recommend(user, history, k=SHOWN, explain=True)

    kept: dict[str, mt.TopK] = {}

    def rank(user: str, history: dict[str, float]) -> mt.TopK:
        if user not in kept:
            kept[user] = retrieve(user, history)
        return recommender.rank([recommender.query(user)], kept[user])

    return {
        "known user: retrieve 200": retrieve,
        "known user: rank 200": rank,
        "known user: all, explain 10": whole,
        "known user with 10 newer ratings: list, explain 10": at_once,
        "visitor with 10 ratings: first list": visitor,
        "visitor with 10 ratings: all, explain 10": visitor_whole,
    }


def measure(title: str, recommender: mt.Recommender, requests: int) -> None:
    rng = np.random.default_rng(1)
    train = recommender.train
    users = train.users.ids(rng.permutation(len(train.users))[:requests])
    print(f"\n{title}\n\n| | p50 | p99 | p50, computing |\n|---|---|---|---|")
    for name, ask in parts(recommender).items():
        spent, computed = [], []
        for user in np.resize(users, requests + 20).tolist():
            films = np.unique(train.item_index[rng.integers(len(train), size=HISTORY)])
            history = dict.fromkeys(train.items.ids(films), 5.0)
            if name.endswith("rank 200"):
                ask(user, history)
            start, began = time.perf_counter(), time.thread_time()
            ask(user, history)
            spent.append(1000 * (time.perf_counter() - start))
            computed.append(1000 * (time.thread_time() - began))
        # The first ones fill caches.
        p50, p99 = np.percentile(spent[20:], [50, 99])
        print(f"| {name} | {p50:.2f} | {p99:.2f} | {np.median(computed[20:]):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=300, help="of each kind (300)")
    parser.add_argument("--films", type=int, default=87_585, help="of the made-up catalogue")
    parser.add_argument("--model", help="a saved model, instead of MovieLens 100K trained anew")
    options = parser.parse_args()
    own = mt.load_model(options.model).recommender if options.model else movielens()
    measure(f"{len(own.catalog):,} films, {len(own.train):,} ratings", own, options.requests)
    other = made_up(options.films)
    measure(f"{options.films:,} films, made up", other, options.requests)


if __name__ == "__main__":
    main()
