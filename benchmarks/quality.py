"""The quality of every model by the protocols of published tables; prints them as Markdown.

    python benchmarks/quality.py [random stratified stars next time chance] [--seeds 5]
        [--data-1m ZIP]

`next` and `time` need MovieLens 1M, `next` the file of its exact order beside it; see
docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import matinee as mt
from matinee.data.sources import load_data
from matinee.evaluation.bootstrap import Estimate

LISTS = (
    "popularity",
    "popularity-recent",
    "item-knn",
    "ease",
    "ials",
    "two-tower",
    "blend",
    "default",
)
STARS = ("bias", "two-tower-ranking", "mf", "fm")
# The best of Microsoft's table (ML-100K, k = 10), as published.
PUBLISHED = {"BiVAE": 0.4751, "BPR": 0.4420, "LightGCN": 0.4198, "NCF": 0.3961, "SAR": 0.3825}
FOLDS = ("u1", "u2", "u3", "u4", "u5")


def cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{estimate.value:.4f} ({estimate.low:.4f}–{estimate.high:.4f})"


def show(title: str, found: mt.Evaluation, metrics: Sequence[str]) -> None:
    print(f"\n### {title}\n")
    print("| model |", " | ".join(metrics), "| trials | training, s |")
    print("|---|" + "---|" * (len(metrics) + 2))
    for model, own in found.estimates.items():
        facts = found.facts[model]
        seconds = "" if facts.fit_s is None else f"{facts.fit_s:.1f}"
        cells = [cell(own.get(metric)) for metric in metrics]
        print("|", " | ".join([model, *cells, str(facts.trials), seconds]), "|")
    print()
    for line in found.remarks():
        print(f"- {line}")


def random_split(seeds: int) -> None:
    ratings, catalog = mt.load_movielens("100k")
    names = tuple(dict.fromkeys((*LISTS, *STARS)))
    found = mt.compare(names, ratings, catalog, protocol="seed", seeds=range(42, 42 + seeds))
    metrics = ("ndcg@10", "recall@20", "recall@100", "hr@10", "coverage@10", "rmse")
    show(f"MovieLens 100K, random 80/20, {seeds} seeds", found.evaluation, metrics)


def stratified(seeds: int) -> None:
    ratings, catalog = mt.load_movielens("100k")
    chosen = range(42, 42 + seeds)
    found = mt.compare(LISTS, ratings, catalog, protocol="stratified-75-25", seeds=chosen)
    metrics = ("ndcg@10", "precision@10", "recall@10", "map@10")
    show(f"MovieLens 100K, stratified 75/25, {seeds} seeds", found.evaluation, metrics)
    print("- published NDCG@10:", ", ".join(f"{k} {v}" for k, v in PUBLISHED.items()))


def stars() -> None:
    ratings, catalog = mt.load_movielens("100k")
    folds = [mt.compare(STARS, ratings, catalog, protocol=fold).evaluation for fold in FOLDS]
    print("\n### MovieLens 100K, u1 … u5: RMSE / MAE\n")
    print("| model |", " | ".join(FOLDS), "| mean |\n|---|" + "---|" * (len(FOLDS) + 1))
    for model in STARS:
        pairs = [
            [found.estimates[model][metric].value for metric in ("rmse", "mae")] for found in folds
        ]
        cells = [f"{rmse:.4f} / {mae:.4f}" for rmse, mae in [*pairs, np.mean(pairs, axis=0)]]
        print("|", " | ".join([model, *cells]), "|")


def next_film(data: Path) -> None:
    ratings, catalog = load_data(str(data))
    order = data.parent / "ml-1m-order.npz"
    found = mt.compare(LISTS[:-1], ratings, catalog, protocol="sasrec", order=order)
    metrics = ("hr@10", "ndcg@10", "recall@100", "coverage@10")
    show("MovieLens 1M, the last film of each user (sasrec)", found.evaluation, metrics)


def by_time(data: Path, seeds: int) -> None:
    ratings, catalog = load_data(str(data))
    with tempfile.TemporaryDirectory() as folder:
        lists = Path(folder) / "lists.toml"
        # The model of stars has no say in lists, so the quickest will do.
        recipe = replace(mt.load_recipe("lists"), ranking=mt.load_recipe("bias").ranking)
        mt.save_recipe(recipe, lists)
        models = ("popularity", "popularity-recent", "item-knn", "ease", "ials", "blend", lists)
        chosen = range(42, 42 + seeds)
        found = mt.compare(models, ratings, catalog, protocol="time", seeds=chosen).evaluation
    metrics = ("ndcg@10", "recall@100", "hr@10")
    show(f"MovieLens 1M, the last tenth of all ratings (time), {seeds} seeds", found, metrics)
    for model in (str(lists), "blend"):
        for other in models[:-2]:
            gaps = [found.difference(metric, model, other) for metric in metrics[:2]]
            told = ", ".join(f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]" for gap in gaps)
            print(f"- {Path(model).stem} against {other}: {told}")


class Table:
    """Retrieves by a table of scores [users, films]."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores.astype(np.float32)

    def retrieve(self, queries, k, exclude=None, allow=None) -> mt.TopK:
        rows = self.scores[[query.user_index for query in queries]]
        return mt.ExactIndex(np.eye(rows.shape[1], dtype=np.float32)).search(
            rows, k, exclude, allow
        )


def chance() -> None:
    ratings, catalog = mt.load_movielens("100k")
    split = mt.make_split(ratings, "seed", 42)
    size = (len(ratings.users), len(ratings.items))
    oracle = np.zeros(size)
    oracle[split.test.user_index, split.test.item_index] = 1
    models = {
        "constant": Table(np.zeros(size)),
        "random": Table(np.random.default_rng(0).random(size)),
        "oracle": Table(oracle),
    }
    metrics = ("ndcg@10", "hr@10", "recall@100", "mrr@10", "map@10", "auc")
    show("Scores that know nothing, and everything", mt.evaluate(models, split, catalog), metrics)
    seen = np.bincount(split.train.user_index, minlength=size[0])
    tested = np.unique(split.test.user_index)
    left = size[1] - seen[tested]
    print(f"- chance of recall@100, by the films that are left: {(100 / left).mean():.4f}")


def main() -> None:
    suites = ("random", "stratified", "stars", "next", "time", "chance")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=suites, choices=[*suites, []])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-1m", type=Path, default=Path("ml-1m.zip"))
    given = parser.parse_args()
    for suite in given.suites:
        if suite == "random":
            random_split(given.seeds)
        elif suite == "stratified":
            stratified(given.seeds)
        elif suite == "stars":
            stars()
        elif suite == "next":
            next_film(given.data_1m)
        elif suite == "time":
            by_time(given.data_1m, given.seeds)
        else:
            chance()


if __name__ == "__main__":
    main()
