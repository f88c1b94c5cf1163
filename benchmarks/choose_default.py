"""How the settings of the recipe `default` were chosen: by validation ratings, never by the test's.

    python benchmarks/choose_default.py [--seed 42] [--json]

A tenth of the training part of a random 80/20 split of MovieLens 100K is held back; each row below
changes one setting of the recipe, trains on the rest and is measured on what was held back.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from rich.console import Console
from rich.table import Table

import matinee as mt

RETRIEVAL = (
    {},
    {"epochs": 6},
    {"epochs": 14},
    {"l2": 0.01},
    {"l2": 0.1},
    {"embedding_size": 32},
    {"embedding_size": 128},
    {"learning_rate": 0.005},
    {"learning_rate": 0.02},
    {"film_bias": False},
    {"loss": "in-batch"},
    {"loss": "in-batch", "mask_accidental_hits": False, "correct_popularity": False},
)
RANKING = (
    {},
    {"epochs": 8},
    {"epochs": 16},
    {"dropout": 0.0},
    {"l2": 0.01, "bias_l2": 0.01},
    {"hidden": (256, 64)},
    {"biases": False},
)


def named(change: dict[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in change.items()) or "as in the recipe"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=42, help="of the split and the training (42)")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    ratings, catalog = mt.load_movielens("100k")
    split = mt.make_split(ratings, "seed", options.seed, validation=0.1)
    towers, ranking_towers = (mt.load_recipe(n) for n in ("two-tower", "two-tower-ranking"))
    retrieval = []
    for change in RETRIEVAL:
        config = replace(towers.retrieval, **change)
        retriever = mt.fit_retrieval(split.train, catalog, config, seed=options.seed)
        found = mt.evaluate_retriever(retriever, split.train, split.validation)
        retrieval.append({"setting": named(change), **found})
    ranking = []
    for change in RANKING:
        config = replace(ranking_towers.ranking, **change)
        ranker = mt.fit_ranking(split.train, catalog, config, seed=options.seed)
        ranking.append({"setting": named(change), **mt.evaluate_ranker(ranker, split.validation)})
    if options.json:
        print(json.dumps({"retrieval": retrieval, "ranking": ranking}, indent=2))
        return
    for title, rows, names in (
        ("Retrieval", retrieval, ("ndcg@10", "recall@20", "recall@100")),
        ("Ranking", ranking, ("rmse", "mae")),
    ):
        table = Table(title=f"{title}, {len(split.validation):,} validation ratings")
        table.add_column("")
        for name in names:
            table.add_column(name, justify="right")
        for row in rows:
            table.add_row(str(row["setting"]), *[f"{row[name]:.4f}" for name in names])
        Console(width=110).print(table)


if __name__ == "__main__":
    main()
