"""Whether anything adds to the stars of `fm`: a network beside it, or the retrieval score.

    python benchmarks/star_blends.py [--seeds 2] [--trees]

On a fifth of u1's training part, held out, as `stars.py ablation` has it; a test part is never
looked at. Everything is trained on the other four fifths. So the retriever's score of a held-out
pair is that of a pair it has not seen; that of a training pair is not (the script shows by how
much), and nothing is learned from it. How members are weighted is learned from the held-out ratings
of one half of the users and applied to the other half's, both ways. `--trees` lets LightGBM put
them together, too. Intervals are paired over users, 95 %. Prints Markdown.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

import matinee as mt
from matinee.evaluation.measure import predict_all
from matinee.evaluation.tallies import Measured, Tally

NETWORKS = {
    "of ids": {"feature_size": 0, "history": 0},
    "with features": {"feature_size": 16, "history": 0},
    "with features and history": {"feature_size": 16, "history": 50},
    "with crosses, too": {"feature_size": 16, "history": 50, "crosses": 1, "dropout": 0.4},
}
SCORE = "retrieval score"
Columns = dict[str, np.ndarray]


def inner_split(ratings: mt.Ratings) -> tuple[mt.Ratings, mt.Ratings]:
    train = mt.make_split(ratings, "u1").train
    held = np.random.default_rng(7).random(len(train)) < 0.2
    return train.take(~held), train.take(held)


def standardized(retriever: mt.Retriever, train: mt.Ratings) -> np.ndarray:
    """Scores float32 [n_users, n_items], by user of mean 0 and spread 1 over new films."""
    n_users, n_items = len(train.users), len(train.items)
    found = retriever.retrieve([mt.Query(user_index=user) for user in range(n_users)], n_items)
    scores = np.empty((n_users, n_items), np.float32)
    np.put_along_axis(scores, found.items.astype(np.int64), found.scores, axis=1)
    new = scores.copy()
    new[train.user_index, train.item_index] = np.nan
    return (scores - np.nanmean(new, 1)[:, None]) / np.nanstd(new, 1)[:, None]


def members(
    train: mt.Ratings, test: mt.Ratings, catalog: mt.Catalog, seed: int
) -> tuple[Columns, np.ndarray]:
    """What each member says of the test ratings; and all scores of the retriever."""
    fm = mt.fit_factorization_machine(train, catalog, seed=seed)
    columns = {
        "fm": predict_all(fm, test),
        "fm, no date told": predict_all(fm, replace(test, timestamp=None)),
    }
    config = mt.load_recipe("two-tower-ranking").ranking
    for name, change in NETWORKS.items():
        ranker = mt.fit_ranking(train, catalog, replace(config, **change), seed=seed)
        columns[f"network {name}"] = predict_all(ranker, test)
    scores = standardized(mt.fit_blend(train, catalog=catalog, seed=seed), train)
    columns[SCORE] = scores[test.user_index, test.item_index]
    return columns, scores


def least_squares(known: np.ndarray, away: np.ndarray, asked: np.ndarray) -> np.ndarray:
    with_one = [np.column_stack([columns, np.ones(len(columns))]) for columns in (known, asked)]
    weights, *_ = np.linalg.lstsq(with_one[0], away, rcond=None)
    return with_one[1] @ weights


def trees(known: np.ndarray, away: np.ndarray, asked: np.ndarray) -> np.ndarray:
    import lightgbm

    settings = {"n_estimators": 100, "learning_rate": 0.03, "num_leaves": 8, "verbose": -1}
    model = lightgbm.LGBMRegressor(**settings, min_child_samples=100, num_threads=2)
    return np.asarray(model.fit(known, away).predict(asked))


def corrected(
    learn: object, base: np.ndarray, others: list[np.ndarray], test: mt.Ratings
) -> np.ndarray:
    """A base's stars and what the others add to it, learned from the other half of the users."""
    half = (np.random.default_rng(11).random(len(test.users)) < 0.5)[test.user_index]
    columns = np.column_stack([base, *others]).astype(np.float64)
    found = base.astype(np.float64)
    for asked in (half, ~half):
        found[asked] += learn(columns[~asked], (test.rating - base)[~asked], columns[asked])
    return np.clip(found, *test.scale)


def errors(predicted: np.ndarray, test: mt.Ratings) -> Measured:
    size = len(test.users)
    total = np.bincount(test.user_index, (predicted - test.rating) ** 2, minlength=size)
    weight = np.bincount(test.user_index, minlength=size).astype(np.float64)
    return Measured({"rmse": Tally(total, weight, root=True)})


def blends(columns: Columns, base: str, test: mt.Ratings, *, grown: bool) -> Columns:
    """The base alone, with itself rescaled, with each other member, with all of them."""
    others = [name for name in columns if not name.startswith("fm")]
    sets = {"itself, rescaled": []} | {name: [name] for name in others} | {"all of them": others}
    found = {base: columns[base]}
    for name, own in sets.items():
        given = [columns[member] for member in own]
        found[f"{base} + {name}"] = corrected(least_squares, columns[base], given, test)
    if grown:
        for name in (SCORE, "all of them"):
            given = [columns[member] for member in sets[name]]
            found[f"{base} + {name}, by trees"] = corrected(trees, columns[base], given, test)
    return found


def leakage(scores: np.ndarray, train: mt.Ratings, test: mt.Ratings) -> None:
    """What a retriever says of pairs that it learned from, and of pairs that it did not."""
    for name, ratings in (("learned from", train), ("held out", test)):
        own = scores[ratings.user_index, ratings.item_index]
        like = np.corrcoef(own, ratings.rating)[0, 1]
        print(
            f"- {SCORE} of pairs {name}: mean {own.mean():.2f}, correlation with stars {like:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--trees", action="store_true")
    given = parser.parse_args()
    ratings, catalog = mt.load_movielens("100k")
    train, test = inner_split(ratings)
    seeds = range(42, 42 + given.seeds)
    runs: dict[str, dict[str, list[Measured]]] = {}
    for seed in seeds:
        columns, scores = members(train, test, catalog, seed)
        if seed == seeds[0]:
            leakage(scores, train, test)
        alone = {name: own for name, own in columns.items() if name != SCORE}
        for base in ("fm", "fm, no date told"):
            for name, own in {**alone, **blends(columns, base, test, grown=given.trees)}.items():
                runs.setdefault(base, {}).setdefault(name, []).append(errors(own, test))
    for base, own in runs.items():
        together = {name: Measured.of(parts) for name, parts in own.items()}
        found = mt.Evaluation("u1, inner", tuple(seeds), together)
        print(f"\n### {base}, {len(test):,} held-out ratings, {len(seeds)} seeds\n")
        print(f"| | RMSE | against {base} |\n|---|---|---|")
        for name in together:
            gap = found.difference("rmse", name, base)
            against = f"{gap.value:+.4f} ({gap.low:+.4f} … {gap.high:+.4f})" if name != base else ""
            print(f"| {name} | {found.estimates[name]['rmse'].value:.4f} | {against} |", flush=True)


if __name__ == "__main__":
    main()
