"""People and films that training has not seen, on MovieLens 100K.

    python benchmarks/cold_start.py [--data 100k] [--seeds 3]

*New users*: a fifth of the users is kept out of training; the last five ratings of each are to be
found from their first 1, 3, 10 and from all of the others, beside popularity, and beside users of
the same split whom training knows, with the same ratings to find. *Cold films*: a tenth of the
films is kept out of training; each user's ratings of them are looked for among these films alone,
by what their genres and years say. *Latency*: a visitor's first ten films, history to list.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import matinee as mt

_SHARE, _ASKED, _LAST = 0.2, (1, 3, 10, None), 5
_COLD, _K = 0.1, 20


def ndcg(items: np.ndarray, wanted: list[np.ndarray]) -> float:
    """Mean NDCG@10 of lists int32 [b, 10]."""
    gains = 1 / np.log2(np.arange(2, 12))
    hits = np.stack([np.isin(row, own) for row, own in zip(items, wanted, strict=True)])
    best = [gains[: len(own)].sum() for own in wanted]
    return float(((hits * gains).sum(axis=1) / best).mean())


def new_users(ratings: mt.Ratings, catalog: mt.Catalog, seed: int) -> dict[str, list[float]]:
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
    blend = mt.fit_blend(train, catalog=catalog, seed=seed)
    popularity = mt.fit_popularity(train)
    found: dict[str, list[float]] = {"new users": [], "popularity": []}
    wanted = [ratings.item_index[rows[offsets[u + 1] - _LAST : offsets[u + 1]]] for u in new]
    for length in _ASKED:
        queries, seen = [], []
        for user in new:
            own = rows[offsets[user] : offsets[user + 1] - _LAST][:length]
            queries.append(mt.Query(None, ratings.item_index[own], ratings.rating[own]))
            seen.append(ratings.item_index[own])
        for name, model in (("new users", blend), ("popularity", popularity)):
            found[name].append(ndcg(model.retrieve(queries, 10, seen).items, wanted))
    of_known = [ratings.item_index[rows[offsets[u + 1] - _LAST : offsets[u + 1]]] for u in known]
    films = train.items_by_user()
    listed = blend.retrieve([mt.Query(int(u)) for u in known], 10, [films[u] for u in known])
    found["users trained on, all"] = [ndcg(listed.items, of_known)]
    return found


def cold_films(ratings: mt.Ratings, catalog: mt.Catalog, seed: int) -> tuple[float, float]:
    """Recall@20 among films that training has not seen, and that of chance."""
    rng = np.random.default_rng(seed)
    cold = rng.random(len(ratings.items)) < _COLD
    of_cold = cold[ratings.item_index]
    blend = mt.fit_blend(ratings.take(~of_cold), catalog=catalog, seed=seed)
    wanted = ratings.take(of_cold).items_by_user()
    users = [user for user, own in enumerate(wanted) if len(own)]
    listed = blend.retrieve([mt.Query(user) for user in users], _K, allow=cold).items
    recall = [np.isin(wanted[u], row).mean() for u, row in zip(users, listed, strict=True)]
    return float(np.mean(recall)), _K / int(cold.sum())


def latency_ms(ratings: mt.Ratings, catalog: mt.Catalog) -> np.ndarray:
    """Milliseconds of a visitor's first list, p50 and p99, with ten films rated."""
    blend = mt.fit_blend(ratings, catalog=catalog, seed=42)
    rng = np.random.default_rng(0)
    spent = []
    for _ in range(500):
        films = rng.choice(len(ratings.items), 10, replace=False).astype(np.int32)
        query = mt.Query(None, films, np.full(10, 5, np.float32))
        start = time.perf_counter()
        blend.retrieve([query], 10, [films])
        spent.append(1e3 * (time.perf_counter() - start))
    return np.percentile(spent[50:], [50, 99])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="100k")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    ratings, catalog = mt.load_data(options.data)
    seeds = range(42, 42 + options.seeds)
    users = [new_users(ratings, catalog, seed) for seed in seeds]
    table = Table(title=f"NDCG@10 of the last {_LAST} ratings, mean of {options.seeds} seeds")
    for name in ("", *[f"{length or 'all'} rated" for length in _ASKED]):
        table.add_column(name)
    for name in users[0]:
        values = np.mean([own[name] for own in users], axis=0)
        blank = [""] * (len(_ASKED) - len(values))
        table.add_row(name, *blank, *[f"{value:.4f}" for value in values])
    console = Console(width=110)
    console.print(table)
    cold = np.mean([cold_films(ratings, catalog, seed) for seed in seeds], axis=0)
    console.print(f"cold films, recall@{_K} among themselves: {cold[0]:.3f}; chance {cold[1]:.3f}")
    middle, slow = latency_ms(ratings, catalog)
    console.print(f"a visitor's first list: p50 {middle:.2f} ms, p99 {slow:.2f} ms")


if __name__ == "__main__":
    main()
