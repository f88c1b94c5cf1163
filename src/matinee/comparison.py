"""Models side by side: trained on a protocol's training part, measured on its test part."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matinee.artifacts import SavedModel, load_model
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split, check_split, make_split
from matinee.errors import ConfigError, DataError, LeakageError
from matinee.evaluation.evaluate import measure_model
from matinee.evaluation.results import Evaluation, Facts
from matinee.evaluation.tallies import Measured
from matinee.fitting import Losses, fit_recipe
from matinee.recipe import RECIPES, Recipe, load_recipe
from matinee.recommender import Recommender
from matinee.types import FloatArray


@dataclass(frozen=True, eq=False)
class Comparison:
    """An evaluation, and what a report shows beside the numbers.

    Attributes:
        evaluation: the numbers.
        split: of the last seed.
        film_vectors: float32 [n_items, d] of the first model that has any, of the last seed.
    """

    evaluation: Evaluation
    split: Split
    film_vectors: FloatArray | None


def compare(
    models: Sequence[str | Path],
    ratings: Ratings,
    catalog: Catalog,
    *,
    protocol: str = "seed",
    seeds: Sequence[int] = (42,),
    order: Path | None = None,
    relevant_from: float | None = None,
) -> Comparison:
    """Measure models by one protocol, over one or more seeds.

    Args:
        models: recipes that Matinee ships or .toml files, which are trained on the training part
            of each seed's split, and directories of saved models. A recipe with one stage is
            measured by that one; one with both by the list that users see and by its stars.
        ratings: all of them.
        catalog: the films.
        protocol: how to cut.
        seeds: of the cut and of the training.
        order: of the `sasrec` protocol; see `make_split`.
        relevant_from: stars from which a test rating counts as one to find; see `evaluate`.

    Raises:
        ConfigError: no model, one that is there twice, an unknown recipe or protocol, or a
            catalogue of other films.
        DataError: the protocol tests nothing, or a saved model is of other ratings.
        LeakageError: a saved model was trained on some of what is tested.
    """
    catalog.check_items(ratings.items)
    entries = [_Entry.of(str(name)) for name in models]
    names = [entry.name for entry in entries]
    if not names or len(set(names)) < len(names) or not seeds:
        raise ConfigError(
            f"models {', '.join(names) or 'none'}, {len(seeds)} seeds; expected at least one of "
            "each, and each model once"
        )
    saved = [entry.source for entry in entries if isinstance(entry.source, SavedModel)]
    # Before anything is trained, which may take hours.
    for seed in seeds if saved else ():
        split = _cut(ratings, protocol, seed, order)
        for model in saved:
            check_unseen(model, ratings, split, seed)
    split: Split | None = None
    for seed in seeds:
        split = _cut(ratings, protocol, seed, order)
        for entry in entries:
            entry.measure(split, catalog, seed, relevant_from)
    assert split is not None  # noqa: S101 - there is a seed
    evaluation = Evaluation(
        protocol,
        tuple(seeds),
        {entry.name: Measured.of(entry.measured) for entry in entries},
        {entry.name: entry.facts() for entry in entries},
    )
    vectors = next((entry.vectors for entry in entries if entry.vectors is not None), None)
    return Comparison(evaluation, split, vectors)


def check_unseen(model: SavedModel, ratings: Ratings, split: Split, seed: int) -> None:
    """Refuse to test a saved model on what it learned from.

    Args:
        model: read from a directory.
        ratings: all of them.
        split: of these ratings.
        seed: that the split was asked for with.

    Raises:
        DataError: the ratings are not those that the model was trained on.
        LeakageError: the model's training ratings and the test part overlap.
    """
    if ratings.fingerprint() != model.data["fingerprint"]:
        source: Mapping[str, Any] = model.data.get("source") or {}
        place = source.get("source")
        raise DataError(
            f"these {len(ratings):,} ratings are not the {model.data['ratings']:,} that the model "
            f"was trained from{f' ({place})' if place else ''}; give the same data, or train again"
        )
    known = np.zeros(len(ratings), np.bool_)
    known[model.recommender.train.position] = True
    leaked = int(known[split.test.position].sum())
    if leaked:
        raise LeakageError(
            f"the model was trained on {leaked:,} of the {len(split.test):,} test ratings of "
            f"protocol {split.protocol}, seed {seed} (it was trained by protocol "
            f"{model.data['protocol']}, seed {model.seed}); evaluate it by that one, or train one "
            f"with --protocol {split.protocol} --seed {seed}"
        )


def _cut(ratings: Ratings, protocol: str, seed: int, order: Path | None) -> Split:
    split = make_split(ratings, protocol, seed, order=order)
    if not len(split.test):
        raise DataError(f"protocol {protocol} tests nothing; choose another")
    check_split(split)
    return split


@dataclass(eq=False)
class _Entry:
    """A model that was asked for, and what was measured of it so far."""

    name: str
    source: Recipe | SavedModel
    measured: list[Measured] = field(default_factory=list[Measured])
    fit_s: list[float] = field(default_factory=list[float])
    measure_s: list[float] = field(default_factory=list[float])
    losses: Losses = field(default_factory=dict[str, tuple[float, ...]])
    vectors: FloatArray | None = None

    @classmethod
    def of(cls, name: str) -> _Entry:
        if name in RECIPES or name.endswith(".toml"):
            return cls(name, load_recipe(name))
        if Path(name).is_dir():
            return cls(name, load_model(name))
        raise ConfigError(
            f"no model {name!r}; expected one of {', '.join(RECIPES)}, a .toml file of settings, "
            "or the directory of a saved model"
        )

    def measure(
        self, split: Split, catalog: Catalog, seed: int, relevant_from: float | None
    ) -> None:
        """Train it on a split, unless it is trained, and measure it."""
        if isinstance(self.source, SavedModel):
            model = self.source.recommender
        else:
            start = time.perf_counter()
            model, self.losses = fit_recipe(self.source, split.train, catalog, seed)
            self.fit_s.append(time.perf_counter() - start)
        start = time.perf_counter()
        self.measured.append(measure_model(model, split, catalog, relevant_from))
        self.measure_s.append(time.perf_counter() - start)
        self.vectors = film_vectors(model)

    def facts(self) -> Facts:
        """How it came about."""
        recipe = self.source.recipe if isinstance(self.source, SavedModel) else self.source
        return Facts(
            trials=sum(tuning.trials for tuning in recipe.tuning.values()),
            fit_s=float(np.mean(self.fit_s)) if self.fit_s else None,
            measure_s=float(np.mean(self.measure_s)),
            losses=self.losses,
        )


def film_vectors(model: object) -> FloatArray | None:
    """The films' vectors float32 [n_items, d] of a model of factors, or None."""
    owner = model.retriever if isinstance(model, Recommender) else model
    index = getattr(owner, "index", None)
    return getattr(owner, "movie_vectors", getattr(index, "vectors", None))
