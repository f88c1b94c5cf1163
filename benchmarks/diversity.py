"""What the dials of a list buy and cost: diversity, and the weight of the stars.

    python benchmarks/diversity.py [--seeds 3 | --model DIR] [--plot dial.png]

The default recipe on MovieLens 100K, random 80/20; lists of ten out of 200 candidates, films that
the user has seen left out; means over users and splits. Diversity within a list is 1 - the mean
cosine of its pairs of films, by the vectors of the model and by their genres; coverage is the share
of films that stand in anybody's list; stars given are the test ratings of films shown, where there
are any.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import matinee as mt
from matinee.evaluation.lists import intra_list_diversity

K = 10
DIALS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
COLUMNS = ("NDCG@10", "by vectors", "by genres", "coverage@10", "stars predicted", "stars given")


def measured(model: mt.Recommender, split: mt.Split, name: str) -> mt.Evaluation:
    return mt.evaluate({name: model}, split, model.catalog)


def row(model: mt.Recommender, split: mt.Split) -> list[float]:
    """The figures of one setting on one split."""
    found = measured(model, split, "list").estimates["list"]
    users = np.unique(split.test.user_index)
    queries = [mt.Query(int(user)) for user in users]
    items = model.retrieve(queries, K, [model.left_out(query) for query in queries]).items
    given = dict(
        zip(
            zip(split.test.user_index.tolist(), split.test.item_index.tolist(), strict=True),
            split.test.rating.tolist(),
            strict=True,
        )
    )
    hits = [given.get((int(u), int(i))) for u, own in zip(users, items, strict=True) for i in own]
    return [
        found["ndcg@10"].value,
        float(np.nanmean(intra_list_diversity(items, model.retriever.directions))),
        found["diversity@10"].value,
        found["coverage@10"].value,
        float(model.predict(queries, items).mean()),
        float(np.mean([stars for stars in hits if stars is not None])),
    ]


def table(title: str, values: tuple[float, ...], rows: np.ndarray) -> None:
    print(f"\n| {title} |", " | ".join(COLUMNS), "|\n|---|" + "---|" * len(COLUMNS))
    for value, figures in zip(values, rows, strict=True):
        print(f"| {value:g} |", " | ".join(f"{figure:.3f}" for figure in figures), "|")


def plot(rows: np.ndarray, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    other = axis.twinx()
    axis.plot(DIALS, rows[:, 0], "o-", color="black", label="NDCG@10")
    for column, style in ((1, "s--"), (2, "^--"), (3, "d--")):
        other.plot(DIALS, rows[:, column], style, label=COLUMNS[column])
    axis.set(xlabel="diversity", ylabel="NDCG@10", ylim=(0, None))
    other.set_ylabel("diversity within lists, coverage")
    figure.legend(loc="outside upper center", ncols=4)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many splits and trainings (3)")
    parser.add_argument("--model", help="a saved model of the default recipe and protocol seed")
    parser.add_argument("--plot", type=Path, help="also draw the first table")
    options = parser.parse_args()
    ratings, catalog = mt.load_movielens("100k")
    recipe = mt.load_recipe("default")
    saved = mt.load_model(options.model) if options.model else None
    dials, weights = [], []
    for seed in [saved.seed] if saved else range(42, 42 + options.seeds):
        split = mt.make_split(ratings, "seed", seed)
        if saved:
            retriever, ranker = saved.recommender.retriever, saved.recommender.ranker
        else:
            model = mt.fit_recipe(recipe, split.train, catalog, seed)[0]
            retriever, ranker = model.retriever, model.ranker

        def build(retriever=retriever, ranker=ranker, split=split, **setting: float):
            return mt.Recommender(catalog, retriever, ranker, split.train, **setting)

        dials.append([row(build(diversity=dial), split) for dial in DIALS])
        weights.append([row(build(order=weight), split) for weight in WEIGHTS])
    table("diversity", DIALS, np.mean(dials, axis=0))
    table("weight of the stars", WEIGHTS, np.mean(weights, axis=0))
    if options.plot:
        plot(np.mean(dials, axis=0), options.plot)


if __name__ == "__main__":
    main()
