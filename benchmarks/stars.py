"""The stars that rankers predict, by the protocols of published tables; prints them as Markdown.

    python benchmarks/stars.py [folds random five-fold 1m calibration ablation speed]
        [--sweeps 200] [--seeds 3] [--data-1m ZIP] [--plot calibration.svg]

`folds`, `1m` and `calibration` train with each of the seeds; the first two have 95 % intervals by
resampling users.

`random` and `five-fold` run myFM beside it where it is installed (`pip install myfm`), and
`calibration` draws its plot with matplotlib.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

import matinee as mt
from matinee.data.sources import load_data
from matinee.evaluation.bootstrap import Estimate
from matinee.evaluation.measure import measure_ranker, predict_all
from matinee.evaluation.tallies import Measured
from matinee.ranking.bias import fit_bias
from matinee.ranking.distribution import chance_of, quantile, spread
from matinee.ranking.fm.features import film_features, implicit_features, user_features
from matinee.ranking.matrix_factorization import fit_matrix_factorization
from matinee.types import EMPTY_ITEM, Query

FOLDS = ("u1", "u2", "u3", "u4", "u5")
SEEDS = (42, 43, 44, 45, 46)
# Of vectors on MovieLens 1M, by a tenth of its training part held out: 24 was no better.
ONE_MILLION_SIZE = 16
Fit = Callable[[mt.Ratings, mt.Catalog, int], object]


def errors(ranker: object, test: mt.Ratings) -> tuple[float, float]:
    """RMSE and MAE."""
    away = predict_all(ranker, test) - test.rating
    return float(np.sqrt(np.mean(away**2))), float(np.abs(away).mean())


def without_times(ratings: mt.Ratings) -> mt.Ratings:
    return replace(ratings, timestamp=None)


def models(sweeps: int) -> dict[str, Fit]:
    config = mt.FactorizationMachineConfig(sweeps=sweeps)

    def fm(train: mt.Ratings, catalog: mt.Catalog, seed: int) -> object:
        return mt.fit_factorization_machine(train, catalog, config, seed=seed)

    return {
        "bias": lambda train, catalog, seed: fit_bias(train),
        "mf": lambda train, catalog, seed: fit_matrix_factorization(train, seed=seed),
        "fm": fm,
    }


def table(title: str, columns: list[str], rows: dict[str, list[tuple[float, float]]]) -> None:
    print(f"\n### {title}: RMSE / MAE\n")
    print("| model |", " | ".join(columns), "| mean |\n|---|" + "---|" * (len(columns) + 1))
    for name, pairs in rows.items():
        cells = [f"{rmse:.4f} / {mae:.4f}" for rmse, mae in [*pairs, np.mean(pairs, axis=0)]]
        print("|", " | ".join([name, *cells]), "|", flush=True)


def measured(
    splits: list[mt.Split], catalog: mt.Catalog, sweeps: int, peers: dict[str, Fit] | None = None
) -> dict[str, list[tuple[float, float]]]:
    """Each model's errors on each split; of the machine also where no rating has its date told."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for split in splits:
        for name, fit in (models(sweeps) | (peers or {})).items():
            start = time.perf_counter()
            ranker = fit(split.train, catalog, split.seed or 42)
            took = time.perf_counter() - start
            rows.setdefault(name, []).append(errors(ranker, split.test))
            print(f"- {split.protocol} {name}: {rows[name][-1][0]:.4f}, {took:.0f} s", flush=True)
            if name == "fm":
                told = rows.setdefault("fm, no date told", [])
                told.append(errors(ranker, without_times(split.test)))
    return rows


def folds(catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int, seeds: int) -> None:
    """Each fold's errors over all seeds, and those of the five folds together."""
    runs: dict[str, dict[str, list[Measured]]] = {}
    for fold in FOLDS:
        split = mt.make_split(ratings, fold)
        own = runs.setdefault(fold, {})
        for seed in range(42, 42 + seeds):
            for name, fit in models(sweeps).items():
                ranker = fit(split.train, catalog, seed)
                own.setdefault(name, []).append(measure_ranker(ranker, split.test))
            undated = measure_ranker(ranker, without_times(split.test))
            own.setdefault("fm, no date told", []).append(undated)
            print(f"- {fold}, seed {seed}: {own['fm'][-1].values()['rmse']:.4f}", flush=True)
    names = list(runs["u1"])
    runs["all"] = {name: [part for fold in FOLDS for part in runs[fold][name]] for name in names}
    found = {
        fold: mt.Evaluation(fold, (), {name: Measured.of(parts) for name, parts in own.items()})
        for fold, own in runs.items()
    }
    title = f"MovieLens 100K, {seeds} seeds, 95 % intervals"
    print(f"\n### {title}: RMSE / MAE\n\n| |", " | ".join(names), "| RMSE of fm - mf |")
    print("|---|" + "---|" * (len(names) + 1))
    for fold, own in found.items():
        gap = own.difference("rmse", "fm", "mf")
        cells = [interval_of(own.estimates[name]["rmse"]) for name in names]
        mae = [own.estimates[name]["mae"].value for name in names]
        cells = [f"{cell} / {value:.4f}" for cell, value in zip(cells, mae, strict=True)]
        print("|", " | ".join([fold, *cells, interval_of(gap)]), "|", flush=True)


def interval_of(found: Estimate) -> str:
    return f"{found.value:.4f} ({found.low:.4f} … {found.high:.4f})"


def random_split(catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int) -> None:
    splits = [mt.make_split(ratings, "seed", seed) for seed in SEEDS]
    rows = measured(splits, catalog, sweeps, peers(sweeps))
    table("MovieLens 100K, random 80/20", [str(seed) for seed in SEEDS], rows)


def five_fold(catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int) -> None:
    """Five random folds, as Surprise's table has them (its own shuffle is another)."""
    part = np.random.default_rng(0).permutation(len(ratings)) % 5
    empty = ratings.take(np.zeros(len(ratings), np.bool_))
    splits = [
        mt.Split(f"fold {fold}", ratings.take(part != fold), empty, ratings.take(part == fold))
        for fold in range(5)
    ]
    rows = measured(splits, catalog, sweeps)
    table("MovieLens 100K, five random folds", [str(fold) for fold in range(5)], rows)


def one_million(data: Path, sweeps: int, seeds: int) -> None:
    """One split, as the published table has it; the seeds are those of the models."""
    ratings, catalog = load_data(str(data))
    split = mt.make_split(ratings, "ml1m-90-10")
    config = mt.FactorizationMachineConfig(embedding_size=ONE_MILLION_SIZE, sweeps=sweeps)
    runs: dict[str, list[Measured]] = {"bias": [measure_ranker(fit_bias(split.train), split.test)]}
    for seed in range(42, 42 + seeds):
        start = time.perf_counter()
        ranker = mt.fit_factorization_machine(split.train, catalog, config, seed=seed)
        took = time.perf_counter() - start
        undated = without_times(split.test)
        factors = fit_matrix_factorization(split.train, seed=seed)
        for name, found in {
            "mf": measure_ranker(factors, split.test),
            "fm": measure_ranker(ranker, split.test),
            "fm, no date told": measure_ranker(ranker, undated),
        }.items():
            runs.setdefault(name, []).append(found)
        print(f"- seed {seed}: {runs['fm'][-1].values()['rmse']:.4f}, {took:.0f} s", flush=True)
    own = {name: Measured.of(parts) for name, parts in runs.items()}
    found = mt.Evaluation("ml1m-90-10", (), own, {})
    print(f"\n### MovieLens 1M, 90/10, {seeds} seeds, 95 % intervals")
    print("\n| | RMSE | MAE |\n|---|---|---|")
    for name, estimates in found.estimates.items():
        rmse, mae = (interval_of(estimates[metric]) for metric in ("rmse", "mae"))
        print(f"| {name} | {rmse} | {mae} |")


def outlook(ranker: object, test: mt.Ratings) -> np.ndarray:
    """The predicted distribution of each rating, float32 [n, levels]."""
    rows, offsets = test.by_user()
    chances = np.empty((len(test), len(ranker.levels)), np.float32)
    for user in np.flatnonzero(np.diff(offsets)):
        own = rows[offsets[user] : offsets[user + 1]]
        query = Query(int(user), time=test.timestamp[own])
        chances[own] = ranker.distribution([query], test.item_index[own][None])[0]
    return chances


def calibration(
    catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int, seeds: int, plot: Path | None
) -> None:
    """Over splits and trainings of all seeds; shares of each seed, and of all together."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for seed in range(42, 42 + seeds):
        split = mt.make_split(ratings, "seed", seed)
        ranker = models(sweeps)["fm"](split.train, catalog, seed)
        parts.append((outlook(ranker, split.test), split.test.rating))
    levels = ranker.levels
    chances, stars = map(np.concatenate, zip(*parts, strict=True))
    print(f"\n### Calibration, random 80/20, {seeds} seeds\n")
    apart = [off_centre(levels, *part) for part in parts]
    for share in (0.5, 0.9):
        low = quantile(levels, chances, (1 - share) / 2)
        high = quantile(levels, chances, (1 + share) / 2)
        each = ", ".join(f"{np.mean(own <= share / 2):.1%}" for own in apart)
        within, whole = np.concatenate(apart) <= share / 2, (low <= stars) & (stars <= high)
        print(
            f"- {share:.0%} interval: {within.mean():.1%} of places within it ({each}); of whole "
            f"stars {whole.mean():.1%} (mean width {np.mean(high - low):.2f} stars)"
        )
    deviation, away = spread(levels, chances), (chances @ levels - stars) ** 2
    print(f"- mean predicted deviation {np.sqrt(np.mean(deviation**2)):.4f}, RMSE", end=" ")
    print(f"{np.sqrt(np.mean(away)):.4f}\n")
    points = liking_table(chance_of(levels, chances, 4.0), deviation, away, stars)
    if plot:
        draw(points, np.concatenate(apart), plot)


def off_centre(levels: np.ndarray, chances: np.ndarray, stars: np.ndarray) -> np.ndarray:
    """How far from the median each rating lies in its distribution, from 0 to 1/2.

    Stars are few, so a place within its level is drawn for each: uniform if calibrated.
    """
    row, level = np.arange(len(stars)), np.searchsorted(levels, stars)
    edges = np.concatenate([np.zeros((len(stars), 1)), np.cumsum(chances, axis=1)], axis=1)
    rng = np.random.default_rng(0)
    return np.abs(edges[row, level] + rng.random(len(stars)) * chances[row, level] - 0.5)


def liking_table(
    liked: np.ndarray, deviation: np.ndarray, away: np.ndarray, stars: np.ndarray
) -> np.ndarray:
    """Print ratings in tenths of their chance to be liked, and of their deviation."""
    print(
        "| chance of 4 or more | ratings | mean chance | share | by deviation: predicted | RMSE |"
    )
    print("|---|---|---|---|---|---|")
    tenth = np.minimum((liked * 10).astype(int), 9)
    by_deviation = np.argsort(np.argsort(deviation)) * 10 // len(deviation)
    points = []
    for group in range(10):
        own, spread_out = tenth == group, by_deviation == group
        points.append((liked[own].mean(), (stars[own] >= 4).mean()))
        predicted = np.sqrt(np.mean(deviation[spread_out] ** 2))
        print(
            f"| {group / 10:.1f}–{group / 10 + 0.1:.1f} | {own.sum():,} | {points[-1][0]:.3f} | "
            f"{points[-1][1]:.3f} | {predicted:.3f} | {np.sqrt(np.mean(away[spread_out])):.3f} |"
        )
    return np.array(points)


def draw(points: np.ndarray, off: np.ndarray, path: Path) -> None:
    """The chance of liking, and how many ratings lie within each middle share of chances."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    for axes in (left, right):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axes.set_aspect(1)
    left.plot(points[:, 0], points[:, 1], marker="o")
    left.set(xlabel="predicted chance of 4 stars or more", ylabel="share that gave 4 or more")
    shares = np.linspace(0, 1, 101)
    right.plot(shares, [np.mean(off <= share / 2) for share in shares])
    right.set(xlabel="middle share of the predicted distribution", ylabel="ratings within it")
    figure.savefig(path)


def ablation(catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int) -> None:
    """What each part is worth, on a fifth of u1's training part, held out."""
    train = mt.make_split(ratings, "u1").train
    held = np.random.default_rng(7).random(len(train)) < 0.2
    train, test = train.take(~held), train.take(held)
    config = mt.FactorizationMachineConfig(sweeps=sweeps)
    plain = mt.Catalog.of_ids(catalog.items)
    nobody = replace(train, user_features=pl.DataFrame())
    undated = without_times(train)
    variants = {
        "everything": (train, catalog, config),
        "without the date": (undated, catalog, config),
        "without who rated what": (train, catalog, replace(config, implicit_size=0)),
        "without genres, years, age …": (replace(nobody, user_features=None), plain, config),
        "ids alone": (
            replace(undated, user_features=None),
            plain,
            replace(config, implicit_size=0),
        ),
        "vectors of 4": (train, catalog, replace(config, embedding_size=4)),
        "vectors of 16": (train, catalog, replace(config, embedding_size=16)),
    }
    print("\n### What each part is worth: held-out training ratings of u1, seeds 1–3\n")
    print("| | RMSE | no date told |\n|---|---|---|")
    for name, (own, films, settings) in variants.items():
        found = []
        for seed in (1, 2, 3):
            ranker = mt.fit_factorization_machine(own, films, settings, seed=seed)
            found.append((errors(ranker, test)[0], errors(ranker, without_times(test))[0]))
        told, untold = np.mean(found, axis=0)
        print(f"| {name} | {told:.4f} | {untold:.4f} |", flush=True)


def newcomers(catalog: mt.Catalog, ratings: mt.Ratings, sweeps: int) -> None:
    """A tenth of the users are strangers to the training; half of their ratings are told."""
    rng = np.random.default_rng(5)
    new = rng.random(len(ratings.users)) < 0.1
    strangers = new[ratings.user_index]
    told = rng.random(len(ratings)) < 0.5
    train, history = ratings.take(~strangers), ratings.take(strangers & told)
    test = ratings.take(strangers & ~told)
    print("\n### Newcomers with half of their ratings as history: RMSE\n")
    (rows, ends), (asked, asked_ends) = history.by_user(), test.by_user()
    for name, fit in models(sweeps).items():
        ranker, away = fit(train, catalog, 42), []
        for user in np.flatnonzero(np.diff(asked_ends)):
            own, of = (
                rows[ends[user] : ends[user + 1]],
                asked[asked_ends[user] : asked_ends[user + 1]],
            )
            query = Query(None, history.item_index[own], history.rating[own])
            away.append(ranker.predict([query], test.item_index[of][None])[0] - test.rating[of])
        print(f"- {name}: {np.sqrt(np.mean(np.concatenate(away) ** 2)):.4f}", flush=True)


def speed(catalog: mt.Catalog, ratings: mt.Ratings) -> None:
    """Medians of repeated calls."""
    config = mt.FactorizationMachineConfig(sweeps=40)
    ranker = mt.fit_factorization_machine(ratings, catalog, config)
    rng = np.random.default_rng(0)
    n_items, everybody = len(ratings.items), [Query(user) for user in range(100)]
    films = rng.integers(0, n_items, (100, 200)).astype(np.int32)
    history = Query(None, films[0, :50], np.tile(np.float32([1, 2, 3, 4, 5]), 10))
    pairs = mt.TopK(films, np.zeros(films.shape, np.float32))
    known = Query(3, films[0, :5], np.full(5, 4, np.float32))
    calls = {
        "20,000 pairs, 100 users": lambda: ranker.rank(everybody, pairs),
        "200 films, a known user": lambda: ranker.predict(everybody[:1], films[:1]),
        "the same, at a time": lambda: ranker.predict([Query(3, time=880_000_000)], films[:1]),
        "200 films, a newcomer with 50 ratings": lambda: ranker.predict([history], films[:1]),
        "200 films, a known user's 5 new ratings": lambda: ranker.predict([known], films[:1]),
    }
    print("\n### Speed, milliseconds\n\n| | median |\n|---|---|")
    for name, call in calls.items():
        call()
        took = []
        for _ in range(100):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        print(f"| {name} | {1e3 * np.median(took):.2f} |")


def peers(sweeps: int) -> dict[str, Fit]:
    """MyFM with ids alone, and with the same sides, who rated what, and the day as a category."""
    try:
        import myfm
        from myfm import RelationBlock
        from scipy import sparse
    except ImportError:
        print("- myFM is not installed, so it is left out")
        return {}

    def fit(train: mt.Ratings, catalog: mt.Catalog, seed: int, *, sides: bool) -> object:
        n_users, n_items = len(train.users), len(train.items)
        blocks, groups = [], [1]
        days = np.unique(train.timestamp // 86_400)
        for size, own, other, features in (
            (n_users, train.user_index, train.item_index, user_features(train)),
            (n_items, train.item_index, train.user_index, film_features(catalog)),
        ):
            shape = (size, n_users + n_items - size)
            rated = implicit_features(own, other, shape)
            parts = [sparse.identity(size), *([features, rated] if sides else [])]
            blocks.append(sparse.hstack(parts).tocsr())
            groups += [part.shape[1] for part in parts]

        def inputs(ratings: mt.Ratings) -> tuple[object, list[object]]:
            place = np.searchsorted(days, ratings.timestamp // 86_400).clip(max=len(days) - 1)
            entries = (np.ones(len(ratings)), (np.arange(len(ratings)), place))
            date = sparse.csr_matrix(entries, shape=(len(ratings), len(days)))
            relations = []
            for index, block in zip((ratings.user_index, ratings.item_index), blocks, strict=True):
                present, where = np.unique(index, return_inverse=True)
                relations.append(RelationBlock(where, block[present]))
            return (date if sides else sparse.csr_matrix((len(ratings), 0))), relations

        groups[0] = len(days)
        machine = myfm.MyFMOrderedProbit(rank=10, random_seed=seed)
        main, relations = inputs(train)
        machine.fit(
            main,
            train.rating.astype(int) - 1,
            X_rel=relations,
            group_shapes=groups if sides else groups[1:],
            n_iter=sweeps,
            n_kept_samples=sweeps - sweeps // 4,
            callback=lambda *_: (False, None),
        )
        return SimpleNamespace(machine=machine, inputs=inputs)

    class Peer:
        def __init__(self, fitted: SimpleNamespace) -> None:
            self.fitted = fitted

        def predict(self, queries: list[Query], items: np.ndarray) -> np.ndarray:
            rows, columns = np.nonzero(items != EMPTY_ITEM)
            asked = SimpleNamespace(
                user_index=np.array([query.user_index for query in queries])[rows],
                item_index=items[rows, columns],
                timestamp=np.stack([query.time for query in queries])[rows, columns],
            )
            asked = _Sized(asked, len(rows))
            main, relations = self.fitted.inputs(asked)
            chances = self.fitted.machine.predict_proba(main, X_rel=relations)
            stars = np.full(items.shape, np.nan, np.float32)
            stars[rows, columns] = chances @ np.arange(1, 6)
            return stars

    return {
        "myFM, ids": lambda *given: Peer(fit(*given, sides=False)),
        "myFM, sides, date": lambda *given: Peer(fit(*given, sides=True)),
    }


class _Sized:
    """Columns that have a length, as ratings do."""

    def __init__(self, columns: SimpleNamespace, size: int) -> None:
        self.__dict__.update(vars(columns))
        self._size = size

    def __len__(self) -> int:
        return self._size


def main() -> None:
    suites = (
        "folds",
        "random",
        "five-fold",
        "1m",
        "calibration",
        "ablation",
        "newcomers",
        "speed",
    )
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=suites, choices=[*suites, []])
    parser.add_argument("--sweeps", type=int, default=mt.FactorizationMachineConfig().sweeps)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data-1m", type=Path, default=Path("ml-1m.zip"))
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    ratings, catalog = mt.load_movielens("100k")
    for suite in given.suites:
        if suite == "1m":
            one_million(given.data_1m, given.sweeps, given.seeds)
        elif suite == "folds":
            folds(catalog, ratings, given.sweeps, given.seeds)
        elif suite == "calibration":
            calibration(catalog, ratings, given.sweeps, given.seeds, given.plot)
        elif suite == "speed":
            speed(catalog, ratings)
        else:
            of = {
                "random": random_split,
                "five-fold": five_fold,
                "ablation": ablation,
                "newcomers": newcomers,
            }
            of[suite](catalog, ratings, given.sweeps)


if __name__ == "__main__":
    main()
