"""Retrieval alone, and its candidates put in order by Matinee's list ranker and by LightGBM.

    python benchmarks/two_stage.py --data 100k --data ml-1m.zip
    python benchmarks/two_stage.py --data 100k --protocol seed
    python benchmarks/two_stage.py --data 100k --validation --ablation

The first stage of a recipe finds 200 films, or the most rated ones for a user without a training
rating; a second stage orders them. Both second stages learn from the very same candidates and
features: those of a first stage that was fitted on all but the newest tenth of the training part,
with what was rated in that tenth as relevant. LightGBM is asked for `lambdarank`, with few leaves
and few trees, as suits so little data. With `--validation` the protocol's validation part is
measured instead of its test part, which is how the settings were chosen; `--ablation` leaves out
each group of features in turn. Intervals of differences are paired over users, 95 %.

Needs lightgbm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import matinee as mt
from matinee.console import unwatched
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split
from matinee.evaluation.tallies import Measured
from matinee.fitting import fit_recipe
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.features import FEATURES, WIDTH, Features
from matinee.ranking.lists.films import years_of
from matinee.ranking.lists.fit import Examples, window_examples
from matinee.ranking.lists.network import fit_network
from matinee.ranking.lists.ranker import LambdaListRanker
from matinee.ranking.lists.vectors import sitting_vectors
from matinee.ranking.order import in_order
from matinee.retrieval.popularity import PopularityConfig, fit_popularity
from matinee.types import IntArray, Query, Retriever, TopK, known_users

METRICS = ("ndcg@10", "hr@10", "recall@10", "ndcg@100")
LIGHTGBM = {
    "objective": "lambdarank",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "lambdarank_truncation_level": 30,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "verbosity": -1,
}
TREES = 100
Rank = Callable[[Sequence[Query], TopK], TopK]


class FirstStage:
    """A retriever, and the most rated films for whoever it knows nothing of."""

    def __init__(self, retriever: Retriever, train: Ratings) -> None:
        self._retriever = retriever
        self._popular = fit_popularity(train, PopularityConfig())
        # The last one is a stranger's.
        self._known = [*train.items_by_user(), np.empty(0, np.int32)]

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        found = self._retriever.retrieve(queries, k, exclude, allow)
        popular = self._popular.retrieve(queries, k, exclude, allow)
        users = known_users(queries, len(self._known) - 1)
        new = np.array([not len(self._known[user]) for user in users])[:, None]
        return TopK(
            np.where(new, popular.items, found.items), np.where(new, popular.scores, found.scores)
        )


class TwoStage:
    """The first films of a retriever in another order, and the rest after them."""

    def __init__(self, first: Retriever, rank: Rank, candidates: int) -> None:
        self._first, self._rank, self._candidates = first, rank, candidates

    def retrieve(
        self,
        queries: Sequence[Query],
        k: int,
        exclude: Sequence[IntArray] | None = None,
        allow: NDArray[np.bool_] | None = None,
    ) -> TopK:
        cut = self._candidates
        found = self._first.retrieve(queries, max(k, cut), exclude, allow)
        ranked = self._rank(queries, TopK(found.items[:, :cut], found.scores[:, :cut])).items
        items = np.concatenate([ranked, found.items[:, cut:]], axis=1)[:, :k]
        places = -np.arange(items.shape[1], dtype=np.float32)
        return TopK(items, np.where(items >= 0, places, -np.inf).astype(np.float32))


def ours(
    examples: Examples, train: Ratings, catalog: Catalog, seed: int, left_out: Sequence[str] = ()
) -> Rank:
    """What `fit_list_ranker` makes of the examples; some features can be told nothing."""
    config = ListConfig()
    names = [name for group in FEATURES.values() for name in group]
    kept = np.array([name not in left_out for name in names], np.float32)
    weights, _ = fit_network(
        examples.features * kept,
        examples.relevant,
        examples.filled,
        config,
        seed,
        unwatched,
    )
    # A feature that was told nothing must say nothing later either.
    weights["hidden"] = weights["hidden"] * kept[:, None]
    weights["linear"] = weights["linear"] * kept
    vectors = sitting_vectors(train, config.vector_size, seed)
    return LambdaListRanker({"years": years_of(catalog), "vectors": vectors} | weights, train).rank


def peer(examples: Examples, train: Ratings, catalog: Catalog, seed: int) -> Rank:
    """LightGBM on the same candidates and features."""
    lists, size = examples.relevant.shape
    data = lightgbm.Dataset(
        examples.features.reshape(-1, WIDTH), examples.relevant.ravel(), group=[size] * lists
    )
    model = lightgbm.train({**LIGHTGBM, "seed": seed}, data, TREES)
    vectors = sitting_vectors(train, ListConfig().vector_size, seed)
    features = Features(train, years_of(catalog), vectors)

    def rank(queries: Sequence[Query], candidates: TopK) -> TopK:
        table = features.of(queries, candidates).reshape(-1, WIDTH)
        scores = np.asarray(model.predict(table), np.float32).reshape(candidates.items.shape)
        return in_order(candidates.items, np.where(candidates.items >= 0, scores, np.nan))

    return rank


def models_of(
    split: Split, catalog: Catalog, recipe: mt.Recipe, seed: int, ablation: bool
) -> dict[str, Retriever]:
    train, config = split.train, ListConfig()

    def fit(part: Ratings) -> FirstStage:
        model: Any = fit_recipe(recipe, part, catalog, seed)[0]
        return FirstStage(model, part)

    first = fit(train)
    examples = window_examples(train, catalog, fit, config, seed)
    started = time.perf_counter()
    ranks = {"two-stage": ours(examples, train, catalog, seed)}
    print(f"seed {seed}: list ranker trained in {time.perf_counter() - started:.1f} s", flush=True)
    ranks["lightgbm"] = peer(examples, train, catalog, seed)
    if ablation:
        for group, names in FEATURES.items():
            ranks[f"without {group}"] = ours(examples, train, catalog, seed, names)
    two = {name: TwoStage(first, rank, config.candidates) for name, rank in ranks.items()}
    return {"retrieval": first, **two}


def print_table(title: str, found: mt.Evaluation) -> None:
    table = Table("model", *METRICS, "ndcg@10 against retrieval", title=title)
    for name, measured in found.measured.items():
        values = measured.values()
        gain = ""
        if name != "retrieval":
            difference = found.difference("ndcg@10", name, "retrieval")
            low, high = difference.low, difference.high
            share = difference.value / found.measured["retrieval"].values()["ndcg@10"]
            gain = f"{share:+.1%}  [{low:+.4f}, {high:+.4f}]"
        table.add_row(name, *(f"{values[metric]:.4f}" for metric in METRICS), gain)
    Console(width=120).print(table)
    gap = found.difference("ndcg@10", "two-stage", "lightgbm")
    print(f"ndcg@10, two-stage - lightgbm: {gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", action="append", help="a MovieLens set or a file (100k)")
    parser.add_argument("--protocol", default="time")
    parser.add_argument("--recipe", default="blend", help="whose retrieval comes first")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--validation", action="store_true", help="measure on that part instead")
    parser.add_argument("--ablation", action="store_true")
    options = parser.parse_args()
    recipe = replace(mt.load_recipe(options.recipe), ranking=None)
    for data in options.data or ["100k"]:
        ratings, catalog = mt.load_data(data)
        seeds = tuple(range(42, 42 + options.seeds))
        runs: list[dict[str, Measured]] = []
        for seed in seeds:
            share = 0.1 if options.validation else 0.0
            split = mt.make_split(ratings, options.protocol, seed, validation=share)
            if options.validation:
                empty = split.validation.take(split.validation.user_index < 0)
                split = replace(split, test=split.validation, validation=empty)
            models = models_of(split, catalog, recipe, seed, options.ablation)
            runs.append(dict(mt.evaluate(models, split).measured))
        measured = {name: Measured.of([run[name] for run in runs]) for name in runs[0]}
        title = f"{data}, {options.protocol}, seeds {', '.join(map(str, seeds))}"
        print_table(title, mt.Evaluation(options.protocol, seeds, measured, {}))


if __name__ == "__main__":
    main()
