"""What going on from an older model saves, and how alike its lists stay; prints Markdown.

    python benchmarks/warm_start.py [--data 100k] [--recipe blend] [--seeds 3] [--grow 0.1]

The older model learns from the training part of protocol `time` without its newest tenth; then
that tenth is there, and a model is trained anew or from the older one (`train --resume-from`).
*People's lists*: films that the ten best of a person without a new rating have in common with
those of the older model. *Films' lists*: likewise of the ten films most like each film with 20
ratings or more. NDCG@10 is that of the next tenth of the ratings, the protocol's validation part.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import matinee as mt
from matinee.stages import RETRIEVERS, carried, stage_of

_FEW = 20


def shared(old: np.ndarray, new: np.ndarray) -> float:
    """The mean share of ten films that two lists have in common."""
    pairs = zip(old, new, strict=True)
    return float(np.mean([len(set(one) & set(other)) / 10 for one, other in pairs]))


class Lists:
    """The lists of an older model, which others are compared with."""

    def __init__(self, model, old: mt.Ratings, new: mt.Ratings) -> None:
        before, after = (
            np.bincount(part.user_index, minlength=len(new.users)) for part in (old, new)
        )
        self._people = np.flatnonzero((before > 0) & (before == after))
        self._films = np.flatnonzero(old.item_counts() >= _FEW)
        self._seen = new.items_by_user()
        self._of_old = self._all(model)

    def stable(self, model) -> tuple[float, float]:
        """How much of people's and of films' lists is as it was."""
        return tuple(shared(*pair) for pair in zip(self._of_old, self._all(model), strict=True))

    def _all(self, model) -> tuple[np.ndarray, np.ndarray]:
        queries = [mt.Query(int(user)) for user in self._people]
        seen = [self._seen[user] for user in self._people]
        near = [model.similar(int(film), 10).items[0] for film in self._films]
        return model.retrieve(queries, 10, seen).items, np.array(near)


def measured(split: mt.Split, catalog: mt.Catalog, config, grow: float, seed: int) -> dict:
    stage, new = stage_of(RETRIEVERS, config), split.train
    # Ratings stand in the order of time.
    old = new.take(np.arange(len(new)) < round(len(new) * (1 - grow)))
    older = stage.fit(old, catalog, config, seed).model
    lists = Lists(older, old, new)
    ways = {
        "anew": lambda: stage.fit(new, catalog, config, seed),
        "anew, another seed": lambda: stage.fit(new, catalog, config, seed + 1),
        "from the older model": lambda: stage.fit_from(
            new, catalog, config, seed, carried(stage, config, older.tensors(), old, new)
        ),
    }
    found = {}
    for name, way in ways.items():
        start = time.perf_counter()
        model = way().model
        took = time.perf_counter() - start
        ndcg = mt.evaluate_retriever(model, new, split.validation)["ndcg@10"]
        found[name] = (ndcg, *lists.stable(model), took)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", default="100k")
    parser.add_argument("--recipe", default="blend")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--grow", type=float, default=0.1, help="share of the ratings that is new")
    given = parser.parse_args()
    ratings, catalog = mt.load_data(given.data)
    split = mt.make_split(ratings, "time", 42, validation=0.1)
    config = mt.load_recipe(given.recipe).retrieval
    runs = [measured(split, catalog, config, given.grow, 42 + n) for n in range(given.seeds)]
    print(f"\n### {given.data}, {given.recipe}, {given.grow:.0%} of the ratings new\n")
    print("| trained | NDCG@10 of what comes next | people's lists | films' lists | seconds |")
    print("|---|---|---|---|---|")
    for name in runs[0]:
        ndcg, people, films, took = np.mean([run[name] for run in runs], axis=0)
        print(f"| {name} | {ndcg:.4f} | {people:.0%} | {films:.0%} | {took:.1f} |")


if __name__ == "__main__":
    main()
