"""What each part and each setting buys, on validation ratings; prints Markdown.

    python benchmarks/ablations.py [blend towers stars towers-of-stars sequence] [--seeds 3]
        [--rows "sampled"]

Each row changes one thing of a recipe, trains on a training part of MovieLens 100K and is measured
on ratings kept apart from it; a test part is never looked at. *Against the recipe* is the
difference to the first row with its 95 % interval, paired over users. The suites:

- blend: the default retriever's parts.
- towers, towers-of-stars: the settings of the two-tower models, trained by Keras.
- sequence: the next-film model's, on the last film but one of each user; minutes a row.
- stars: what a low rating does. Learning from all ratings, or from those of 4 stars and more,
  measured by finding all that was rated, or only what was rated 4 and more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import matinee as mt
from matinee.evaluation.tallies import Measured

Variants = Mapping[str, mt.Recipe]
LISTS = ("ndcg@10", "recall@20", "recall@100")

BLEND: dict[str, dict[str, Any]] = {
    "one member of four": {"members": 1},
    "two members": {"members": 2},
    "eight members": {"members": 8},
    "the item-item model, and next to nothing else": {"softmax_weight": 0.001},
    "the softmax factors, and next to nothing else": {"softmax_weight": 1000.0},
    "without what is rated close in time": {"nearby_weight": 0.0},
    "without films' features beside the item-item model": {"film_weight": 0.0},
    "without users' features there": {"user_weight": 0.0},
    "members not held back (l2 = 0)": {"l2": 0.0},
    "members of length 64": {"member_size": 64},
    "cut to 32": {"rank": 32},
    "half the epochs": {"epochs": 10},
    "one and a half of the epochs": {"epochs": 30},
}
# In place of the full softmax, which has no popularity to correct.
SAMPLED = {"loss": "sampled", "correct_popularity": False}
TOWERS: dict[str, dict[str, Any]] = {
    "softmax over all films": {"loss": "auto"},
    "over all films, each rating by itself": {"loss": "auto", "together": 1},
    "accidental hits masked": {"mask_accidental_hits": True},
    "popularity not corrected": {"correct_popularity": False},
    "sampled softmax, 256 negatives": {**SAMPLED, "negatives": 256},
    "sampled, 128 and 128 in the batch": {
        **SAMPLED,
        "negatives": 128,
        "in_batch_negatives": 128,
    },
    "sampled, 128 and 128 hard ones": {**SAMPLED, "negatives": 128, "hard_negatives": 128},
    "each rating by itself": {"together": 1},
    "two of a user together": {"together": 2},
    "eight together": {"together": 8},
    "sixteen together": {"together": 16},
    "Adam that moves all rows": {"optimizer": "adam"},
    "without films' genres, years and titles": {"film_features": False},
    "without users' features": {"user_features": False},
    "not held back (l2 = 0)": {"l2": 0.0},
    "no ids hidden": {"unknown_rate": 0.0},
    "temperature 0.5": {"temperature": 0.5},
    "vectors of 32": {"embedding_size": 32},
    "vectors of 128": {"embedding_size": 128},
    "half the epochs": {"epochs": 5},
    "twice the epochs": {"epochs": 20},
}
TOWERS_OF_STARS: dict[str, dict[str, Any]] = {
    "without features": {"feature_size": 0},
    "without the history": {"history": 0},
    "without either, ids alone": {"feature_size": 0, "history": 0},
    "one cross layer": {"crosses": 1},
    "two cross layers": {"crosses": 2},
    "twice the dropout": {"dropout": 0.4},
    "one cross layer, twice the dropout": {"crosses": 1, "dropout": 0.4},
    "a history of 20": {"history": 20},
    "without biases": {"biases": False},
    "without dropout": {"dropout": 0.0},
    "more held back": {"l2": 0.01, "bias_l2": 0.01},
    "wider layers": {"hidden": (256, 64)},
    "fewer epochs": {"epochs": 8},
    "more epochs": {"epochs": 16},
}
SEQUENCE: dict[str, dict[str, Any]] = {
    "stars not read": {"read_stars": False},
    "without genres, years and titles": {"film_features": False, "unknown_rate": 0.0},
    "with users' features": {"user_features": True},
    "with users' ids": {"user_ids": True},
    "a bag": {"reading": "bag", "blocks": 1},
    "times read": {"read_times": True},
    "sampled softmax, 256 negatives": {"loss": "sampled", "negatives": 256},
    "sampled, 128 and 128 in the batch": {
        "loss": "sampled",
        "negatives": 128,
        "in_batch_negatives": 128,
    },
    "sampled, 128 and 128 hard ones": {
        "loss": "sampled",
        "negatives": 128,
        "hard_negatives": 128,
    },
    "sampled, 128, 64 in the batch, 64 hard": {
        "loss": "sampled",
        "negatives": 128,
        "in_batch_negatives": 64,
        "hard_negatives": 64,
    },
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "one block": {"blocks": 1},
    "no dropout": {"dropout": 0.0},
    "the last 50 films": {"max_length": 50},
}
# The recipe's own sizes are MovieLens 1M's; a tenth of the ratings calls for more passes.
SMALL_SEQUENCE = {"embedding_size": 64, "epochs": 60}


def variants(
    name: str, stage: str, changes: Mapping[str, Mapping[str, Any]]
) -> dict[str, mt.Recipe]:
    """The stage of a recipe alone, as it is and with each change."""
    config = getattr(mt.load_recipe(name), stage)
    if name == "sequence":
        config = replace(config, **SMALL_SEQUENCE)
    rows = {"as in the recipe": {}, **changes}
    return {row: mt.Recipe(**{stage: replace(config, **change)}) for row, change in rows.items()}


def validation_splits(protocol: str, seeds: int) -> Iterator[tuple[mt.Split, mt.Catalog, int]]:
    """Splits whose test part is the protocol's validation part."""
    ratings, catalog = mt.load_movielens("100k")
    for seed in range(42, 42 + seeds):
        split = mt.make_split(ratings, protocol, seed, validation=0.1)
        nothing = split.validation.take(split.validation.user_index < 0)
        yield replace(split, test=split.validation, validation=nothing), catalog, seed


def measured(
    rows: Variants, protocol: str, seeds: int, relevant_from: float | None = None
) -> mt.Evaluation:
    """Every variant, trained and measured over the seeds."""
    runs: dict[str, list[Measured]] = {name: [] for name in rows}
    for split, catalog, seed in validation_splits(protocol, seeds):
        for name, recipe in rows.items():
            model = mt.fit_recipe(recipe, split.train, catalog, seed)[0]
            found = mt.evaluate({name: model}, split, catalog, relevant_from=relevant_from)
            runs[name].append(found.measured[name])
    together = {name: Measured.of(own) for name, own in runs.items()}
    return mt.Evaluation(protocol, tuple(range(42, 42 + seeds)), together, {})


def show(title: str, found: mt.Evaluation, metrics: tuple[str, ...]) -> None:
    first, *_ = found.measured
    print(f"\n### {title}\n")
    print("| |", " | ".join(metrics), f"| {metrics[0]} against the recipe |")
    print("|---|" + "---|" * (len(metrics) + 1))
    for name, own in found.measured.items():
        values, gap = own.values(), ""
        if name != first:
            away = found.difference(metrics[0], name, first)
            gap = f"{away.value:+.4f} [{away.low:+.4f}, {away.high:+.4f}]"
        print("|", " | ".join([name, *(f"{values[m]:.4f}" for m in metrics), gap]), "|", flush=True)


def rating_aware(seeds: int) -> None:
    """What learning from high ratings alone does, by two ideas of what is to be found."""
    blend = mt.load_recipe("blend").retrieval
    rows = {
        "from all ratings": mt.Recipe(retrieval=blend),
        "from 3 stars": mt.Recipe(retrieval=blend, relevant_from=3.0),
        "from 4 stars": mt.Recipe(retrieval=blend, relevant_from=4.0),
    }
    for wanted, what in ((None, "all that was rated"), (4.0, "what was rated 4 or 5")):
        found = measured(rows, "seed", seeds, wanted)
        show(f"Blend, to find {what}, {seeds} seeds", found, LISTS)


def main() -> None:
    suites = {
        "blend": ("Blend", variants("blend", "retrieval", BLEND), "seed", LISTS),
        "towers": ("Two towers", variants("two-tower", "retrieval", TOWERS), "seed", LISTS),
        "towers-of-stars": (
            "Two towers of stars",
            variants("two-tower-ranking", "ranking", TOWERS_OF_STARS)
            | {"fm": mt.load_recipe("fm")},
            "seed",
            ("rmse", "mae"),
        ),
        "sequence": (
            "Sequence",
            variants("sequence", "retrieval", SEQUENCE),
            "leave-last-out",
            ("ndcg@10", "hr@10"),
        ),
    }
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("suites", nargs="*", choices=[*suites, "stars", []])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", default="", help="those with this in their names alone")
    given = parser.parse_args()
    for suite in given.suites or [*suites, "stars"]:
        if suite == "stars":
            rating_aware(given.seeds)
            continue
        title, rows, protocol, metrics = suites[suite]
        first = next(iter(rows))
        rows = {name: row for name, row in rows.items() if name == first or given.rows in name}
        found = measured(rows, protocol, given.seeds)
        show(f"{title}, protocol {protocol}, {given.seeds} seeds", found, metrics)


if __name__ == "__main__":
    main()
