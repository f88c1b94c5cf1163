"""The next-film model on MovieLens 1M, as SASRec, BERT4Rec and what followed are compared.

    python benchmarks/sequence.py --data ml-1m.zip --order ml-1m-order.npz --checkpoint run.ckpt
    python benchmarks/sequence.py --data 100k --protocol seed --against ease --against ials

Trains the recipe `sequence`, or with settings of your own (`--set epochs=100 --set
embedding_size=256`), on the training part of a protocol. Films held out of that part choose the
epoch; its test part is measured once, at the end, over the full catalogue with films already rated
left out. With `--checkpoint` a run that was stopped goes on where it was, so the longest run needs
no more than patience; `--validation` measures on the protocol's validation part instead of its
test part, which is how to choose between settings.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import matinee as mt
from matinee.config import build
from matinee.data.splits import Split
from matinee.fitting import fit_recipe
from matinee.retrieval.sequence.config import SequenceConfig
from matinee.retrieval.sequence.fit import fit_sequence
from matinee.towers.checkpoint import Progress

METRICS = ("hr@10", "ndcg@10", "recall@100")


def config_of(settings: list[str]) -> SequenceConfig:
    """The recipe's settings with some of them changed, given as `name=value`."""
    changes: dict[str, Any] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    given = build(SequenceConfig, changes, "--set")
    return replace(
        mt.load_recipe("sequence").retrieval, **{name: getattr(given, name) for name in changes}
    )


def measured_part(split: Split, validation: bool) -> Split:
    """The split with its validation part in the place of the test part, if that is asked for."""
    empty = split.validation.take(split.validation.user_index < 0)
    return replace(split, test=split.validation, validation=empty) if validation else split


class Curve:
    """Prints each epoch as it ends."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    def __call__(self, progress: Progress) -> None:
        ndcg = f"  held-out NDCG@10 {progress.ndcg[-1]:.4f}" if progress.ndcg else ""
        spent = time.perf_counter() - self.started
        print(
            f"epoch {len(progress.losses):3}  {spent:6.0f} s  loss {progress.losses[-1]:.4f}{ndcg}",
            flush=True,
        )


def measure(model: Any, split: Split) -> dict[str, float]:
    found = mt.evaluate({"model": model}, split).measured["model"].values()
    return {name: found[name] for name in METRICS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="1m", help="a MovieLens set or a file of ratings (1m)")
    parser.add_argument("--protocol", default="sasrec")
    parser.add_argument("--order", type=Path, help="the exact order, for protocol sasrec")
    parser.add_argument("--validation", action="store_true", help="measure on that part instead")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--against", action="append", default=[], metavar="RECIPE")
    parser.add_argument("--checkpoint", type=Path, help="goes on from it if it is there")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    config = config_of(options.set)
    ratings, catalog = mt.load_data(options.data)
    share = 0.1 if options.validation else 0.0
    cut = mt.make_split(ratings, options.protocol, options.seed, share, order=options.order)
    split = measured_part(cut, options.validation)
    rows: dict[str, dict[str, float]] = {}
    started = time.perf_counter()
    model = fit_sequence(
        split.train,
        catalog,
        config,
        seed=options.seed,
        checkpoint=options.checkpoint,
        watch=None if options.json else Curve(),
    )
    spent = time.perf_counter() - started
    rows["sequence"] = {**measure(model, split), "fit_s": spent}
    for name in options.against:
        started = time.perf_counter()
        rival, _ = fit_recipe(mt.load_recipe(name), split.train, catalog, options.seed)
        spent = time.perf_counter() - started
        rows[name] = {**measure(rival, split), "fit_s": spent}
    if options.json:
        print(json.dumps({"config": asdict(config), "models": rows}, indent=2))
        return
    part = "validation" if options.validation else "test"
    table = Table(title=f"{options.protocol}, {len(split.test):,} {part} ratings")
    for name in ("", *METRICS, "fit_s"):
        table.add_column(name, justify="right" if name else "left")
    for name, values in rows.items():
        table.add_row(
            name, *[f"{values[metric]:.4f}" for metric in METRICS], f"{values['fit_s']:.0f}"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
