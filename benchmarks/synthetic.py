"""Made-up ratings beside MovieLens 1M: quantiles of what each has, and a plot.

    python benchmarks/synthetic.py --real ml-1m.zip --plot marginals.png [--seed 42] [--json]

Ratings of the size of MovieLens 1M are made by the default settings, written, read back, and beside
the real ones: ratings by user and by film, stars, seconds between a user's ratings, sittings (an
hour without a rating ends one). How much there is to learn is said by EASE and popularity (NDCG@10)
and by matrix factorization and biases (RMSE), each on a random fifth.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import matinee as mt
from matinee.data.synthetic import SyntheticConfig, synthesize
from matinee.retrieval.popularity import PopularityConfig, fit_popularity

QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
HOUR = 3600


def made(real: mt.Ratings, seed: int) -> mt.Ratings:
    config = SyntheticConfig(len(real.users), len(real.items), len(real), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "ratings.parquet", Path(folder) / "films.parquet"
        synthesize(config, *files)
        return mt.load_ratings(files[0], catalog=mt.load_catalog(files[1]))


def marginals(ratings: mt.Ratings) -> dict[str, np.ndarray]:
    rows, offsets = ratings.by_user()
    times = ratings.timestamp[rows]
    gaps = np.diff(times)
    crosses = np.zeros(len(gaps), bool)
    crosses[offsets[1:-1] - 1] = True
    new = np.concatenate([[True], (gaps > HOUR) | crosses])
    return {
        "ratings by user": np.diff(offsets),
        "ratings by film": ratings.item_counts(),
        "stars": ratings.rating,
        "seconds between": gaps[~crosses],
        "sittings by user": np.add.reduceat(new, offsets[:-1]),
    }


def learnable(ratings: mt.Ratings) -> dict[str, float]:
    split = mt.make_split(ratings, "seed", 1)
    retrievers = {
        "popularity": fit_popularity(split.train, PopularityConfig()),
        "EASE": mt.fit_ease(split.train, mt.EaseConfig()),
    }
    rankers = {
        "biases": mt.fit_bias(split.train, mt.BiasConfig()),
        "matrix factorization": mt.fit_matrix_factorization(
            split.train, mt.MatrixFactorizationConfig(sweeps=30)
        ),
    }
    return {
        f"NDCG@10 {name}": mt.evaluate_retriever(model, split.train, split.test)["ndcg@10"]
        for name, model in retrievers.items()
    } | {
        f"RMSE {name}": mt.evaluate_ranker(model, split.test)["rmse"]
        for name, model in rankers.items()
    }


def plot(sides: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    import matplotlib.pyplot as plt

    names = next(iter(sides.values()))
    figure, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 3.5))
    for axis, name in zip(axes, names, strict=True):
        for side, values in sides.items():
            own = values[name]
            if name == "stars":
                stars, counts = np.unique(own, return_counts=True)
                axis.plot(stars, counts / len(own), "o-", label=side)
                axis.set_ylabel("share")
                continue
            share = np.arange(len(own), 0, -1) / len(own)
            axis.loglog(np.maximum(np.sort(own), 0.5), share, label=side)
            axis.set_ylabel("share with so many or more")
        axis.set_xlabel(name)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", required=True, help="MovieLens 1M: its zip, directory or name")
    parser.add_argument("--plot", type=Path, help="write the plot here")
    parser.add_argument("--seed", type=int, default=42, help="of the made-up ratings (42)")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    real, _ = mt.load_data(options.real)
    ratings = {"MovieLens": real, "made up": made(real, options.seed)}
    sides = {name: marginals(own) for name, own in ratings.items()}
    found = {
        name: {
            "quantiles": {key: np.quantile(v, QUANTILES).tolist() for key, v in own.items()},
            "stars": (np.unique(own["stars"], return_counts=True)[1] / len(own["stars"])).tolist(),
            "top_tenth_of_films": float(
                np.sort(own["ratings by film"])[::-1][: len(real.items) // 10].sum() / len(real)
            ),
            "learnable": learnable(ratings[name]),
        }
        for name, own in sides.items()
    }
    if options.plot:
        plot(sides, options.plot)
    if options.json:
        print(json.dumps(found))
        return
    print(f"{'':36}" + "".join(f"{q:>12.0%}" for q in QUANTILES))
    for key in next(iter(sides.values())):
        for name, own in found.items():
            cells = "".join(f"{value:12,.0f}" for value in own["quantiles"][key])
            print(f"{key + ', ' + name:36}{cells}")
    for name, own in found.items():
        print(f"\n{name}: stars " + ", ".join(f"{share:.3f}" for share in own["stars"]))
        print(f"a tenth of the films has {own['top_tenth_of_films']:.3f} of the ratings")
        print("; ".join(f"{key} {value:.4f}" for key, value in own["learnable"].items()))


if __name__ == "__main__":
    main()
