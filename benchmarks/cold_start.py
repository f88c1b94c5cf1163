"""People and films that training has not seen, on MovieLens 100K.

    python benchmarks/cold_start.py [--data 100k] [--recipe blend] [--seeds 3]

*New users*: a fifth of the users is kept out of training; the last five ratings of each are to be
found from their first 1, 3, 10 and from all of the others, beside popularity, and beside users of
the same split whom training knows, with the same ratings to find. *Cold films*: a tenth of the
films is kept out of training; each user's ratings of them are looked for among these films alone,
by what their genres, years and titles say. *People without ratings*: a fifth of the users is known
by their age, gender and occupation alone; all their ratings are looked for, beside the same people
with no features. *Latency*: a visitor's first ten films, history to list.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

import matinee as mt
from matinee.types import Retriever

Fit = Callable[[mt.Ratings, int], Retriever]
_SHARE, _ASKED, _LAST = 0.2, (1, 3, 10, None), 5
_COLD, _K = 0.1, 20


def ndcg(items: np.ndarray, wanted: list[np.ndarray]) -> float:
    """Mean NDCG@10 of lists int32 [b, 10]."""
    gains = 1 / np.log2(np.arange(2, 12))
    hits = np.stack([np.isin(row, own) for row, own in zip(items, wanted, strict=True)])
    best = [gains[: len(own)].sum() for own in wanted]
    return float(((hits * gains).sum(axis=1) / best).mean())


def new_users(ratings: mt.Ratings, fit: Fit, seed: int) -> dict[str, list[float]]:
    """NDCG@10 at each length of history: of newcomers, of popularity, of the users trained on."""
    rng = np.random.default_rng(seed)
    counts = np.bincount(ratings.user_index, minlength=len(ratings.users))
    # Long enough a history for every length that is asked with.
    able = np.flatnonzero(counts >= 10 + _LAST)
    new = rng.permutation(able)[: int(_SHARE * len(able))]
    known = np.setdiff1d(able, new)
    rows, offsets = ratings.by_user()
    last = np.concatenate([rows[offsets[user + 1] - _LAST : offsets[user + 1]] for user in able])
    kept = ~np.isin(ratings.user_index, new)
    kept[last] = False
    train = ratings.take(kept)
    model = fit(train, seed)
    popularity = mt.fit_popularity(train)
    found: dict[str, list[float]] = {"new users": [], "popularity": []}
    wanted = [ratings.item_index[rows[offsets[u + 1] - _LAST : offsets[u + 1]]] for u in new]
    for length in _ASKED:
        queries, seen = [], []
        for user in new:
            own = rows[offsets[user] : offsets[user + 1] - _LAST][:length]
            queries.append(mt.Query(None, ratings.item_index[own], ratings.rating[own]))
            seen.append(ratings.item_index[own])
        for name, asked in (("new users", model), ("popularity", popularity)):
            found[name].append(ndcg(asked.retrieve(queries, 10, seen).items, wanted))
    of_known = [ratings.item_index[rows[offsets[u + 1] - _LAST : offsets[u + 1]]] for u in known]
    films = train.items_by_user()
    listed = model.retrieve([mt.Query(int(u)) for u in known], 10, [films[u] for u in known])
    found["users trained on, all"] = [ndcg(listed.items, of_known)]
    return found


def cold_films(ratings: mt.Ratings, fit: Fit, seed: int) -> tuple[float, float]:
    """Recall@20 among films that training has not seen, and that of chance."""
    rng = np.random.default_rng(seed)
    cold = rng.random(len(ratings.items)) < _COLD
    of_cold = cold[ratings.item_index]
    model = fit(ratings.take(~of_cold), seed)
    wanted = ratings.take(of_cold).items_by_user()
    users = [user for user, own in enumerate(wanted) if len(own)]
    listed = model.retrieve([mt.Query(user) for user in users], _K, allow=cold).items
    recall = [np.isin(wanted[u], row).mean() for u, row in zip(users, listed, strict=True)]
    return float(np.mean(recall)), _K / int(cold.sum())


def unrated_users(ratings: mt.Ratings, fit: Fit, seed: int) -> tuple[float, float]:
    """NDCG@10 of people without a rating, by their features and without these."""
    rng = np.random.default_rng(seed)
    new = rng.permutation(len(ratings.users))[: int(_SHARE * len(ratings.users))]
    of_new = np.isin(ratings.user_index, new)
    films = ratings.take(of_new).items_by_user()
    found = []
    for features in (ratings.user_features, None):
        train = replace(ratings.take(~of_new), user_features=features)
        model = fit(train, seed)
        listed = model.retrieve([mt.Query(int(user)) for user in new], 10)
        found.append(ndcg(listed.items, [films[user] for user in new]))
    return found[0], found[1]


def latency_ms(ratings: mt.Ratings, fit: Fit) -> np.ndarray:
    """Milliseconds of a visitor's first list, p50 and p99, with ten films rated."""
    model = fit(ratings, 42)
    rng = np.random.default_rng(0)
    spent = []
    for _ in range(500):
        films = rng.choice(len(ratings.items), 10, replace=False).astype(np.int32)
        query = mt.Query(None, films, np.full(10, 5, np.float32))
        start = time.perf_counter()
        model.retrieve([query], 10, [films])
        spent.append(1e3 * (time.perf_counter() - start))
    return np.percentile(spent[50:], [50, 99])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="100k")
    parser.add_argument("--recipe", default="blend", help="whose retriever (blend)")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    ratings, catalog = mt.load_data(options.data)
    recipe = mt.Recipe(retrieval=mt.load_recipe(options.recipe).retrieval)

    def fit(train: mt.Ratings, seed: int) -> Retriever:
        return mt.fit_recipe(recipe, train, catalog, seed)[0]

    seeds = range(42, 42 + options.seeds)
    users = [new_users(ratings, fit, seed) for seed in seeds]
    table = Table(title=f"NDCG@10 of the last {_LAST} ratings, mean of {options.seeds} seeds")
    for name in ("", *[f"{length or 'all'} rated" for length in _ASKED]):
        table.add_column(name)
    for name in users[0]:
        values = np.mean([own[name] for own in users], axis=0)
        blank = [""] * (len(_ASKED) - len(values))
        table.add_row(name, *blank, *[f"{value:.4f}" for value in values])
    console = Console(width=110)
    console.print(table)
    cold = np.mean([cold_films(ratings, fit, seed) for seed in seeds], axis=0)
    console.print(f"cold films, recall@{_K} among themselves: {cold[0]:.3f}; chance {cold[1]:.3f}")
    known, nothing = np.mean([unrated_users(ratings, fit, seed) for seed in seeds], axis=0)
    console.print(f"people without ratings, NDCG@10: {known:.3f}; without features {nothing:.3f}")
    middle, slow = latency_ms(ratings, fit)
    console.print(f"a visitor's first list: p50 {middle:.2f} ms, p99 {slow:.2f} ms")


if __name__ == "__main__":
    main()
