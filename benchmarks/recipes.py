"""Quality of the seed program's recipe on MovieLens 100K over several random 80/20 splits.

    python benchmarks/recipes.py [--seeds 5] [--data 100k] [--json]

For each seed the split and the training are drawn anew. `top-k` leaves films already seen in the
list, as the seed program does; the other retrieval figures leave them out. Popularity (the same
list for everybody, less what they have seen) and user + film biases stand beside the models: what
does not beat them is not worth its training.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from rich.console import Console
from rich.table import Table

import matinee as mt

SHOWN = (
    "top_10",
    "top_100",
    "ndcg@10",
    "recall@20",
    "recall@100",
    "two_stage_ndcg@10",
    "rmse",
    "seconds",
)


class Popularity:
    """Everybody's list: the films rated most often."""

    def __init__(self, train: mt.Ratings) -> None:
        self.index = mt.ExactIndex(train.item_counts()[:, None].astype(np.float32))

    def retrieve(self, queries, k, exclude=None, allow=None):
        """See `Retriever.retrieve`."""
        return self.index.search(np.ones((len(queries), 1), np.float32), k, exclude, allow)


def bias_rmse(split: mt.Split, shrinkage: float = 5.0, sweeps: int = 10) -> float:
    """RMSE of mean + film's deviation + user's deviation, each shrunk toward 0."""
    train, test = split.train, split.test
    mean = float(train.rating.mean())
    film, user = np.zeros(len(train.items)), np.zeros(len(train.users))
    for _ in range(sweeps):
        for own, other, index, others in (
            (film, user, train.item_index, train.user_index),
            (user, film, train.user_index, train.item_index),
        ):
            residual = train.rating - mean - other[others]
            sums = np.bincount(index, residual, len(own))
            own[:] = sums / (np.bincount(index, minlength=len(own)) + shrinkage)
    guess = np.clip(mean + film[test.item_index] + user[test.user_index], *train.scale)
    return float(np.sqrt(np.mean((guess - test.rating) ** 2)))


def run_recipe(name: str, split: mt.Split, catalog: mt.Catalog, seed: int) -> dict[str, float]:
    """Train both stages by a recipe and measure them on the split's test part."""
    recipe = mt.load_recipe(name)
    started = time.perf_counter()
    retrieval = mt.train_retrieval(split.train, catalog, recipe.retrieval, seed=seed)
    ranking = mt.train_ranking(split.train, catalog, recipe.ranking, seed=seed)
    seconds = time.perf_counter() - started
    accuracy = retrieval.evaluate(split.test, return_dict=True, verbose=0)
    recommender = mt.Recommender(
        catalog,
        mt.retriever_of(retrieval, split.train.scale),
        mt.ranker_of(ranking, split.train.scale),
        split.train,
        candidates=recipe.candidates,
    )
    found = mt.measure(recommender, split)
    for k in (10, 100):
        found[f"top_{k}"] = accuracy[f"factorized_top_k/top_{k}_categorical_accuracy"]
    return found | {"seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many splits (5)")
    parser.add_argument("--data", default="100k", help="a MovieLens name or a file (100k)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    ratings, catalog = mt.load_data(options.data)
    measured: dict[str, list[dict[str, float]]] = {}
    for seed in range(options.seeds):
        split = mt.make_split(ratings, "seed", seed)
        plain = mt.evaluate_retriever(Popularity(split.train), split.train, split.test)
        measured.setdefault("popularity, biases", []).append(plain | {"rmse": bias_rmse(split)})
        for recipe in ("seed",):
            found = run_recipe(recipe, split, catalog, seed)
            measured.setdefault(recipe, []).append(found)
    if options.json:
        print(json.dumps(measured, indent=2))
        return
    table = Table(title=f"{ratings}, random 80/20: mean ± standard deviation of {options.seeds}")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    for figure in SHOWN:
        cells = []
        for runs in measured.values():
            values = [run[figure] for run in runs if figure in run]
            cells.append(f"{np.mean(values):.4f} ± {np.std(values):.4f}" if values else "")
        table.add_row(figure, *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
