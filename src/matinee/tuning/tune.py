"""Try settings of a model on validation ratings and write the best as a recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from matinee import interrupts
from matinee.config import require
from matinee.console import progress_bar, say
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import Split, make_split
from matinee.errors import ConfigError, DataError
from matinee.evaluation.evaluate import evaluate_ranker, evaluate_retriever
from matinee.files import can_be_written
from matinee.recipe import Recipe, Tuning, load_recipe, save_recipe
from matinee.stages import RANKERS, RETRIEVERS, stage_of
from matinee.tuning.spaces import RANKER_SPACES, RETRIEVER_SPACES, Space
from matinee.tuning.study import Search, Trial, load_optuna, opened

TUNABLE = (
    "default",
    "two-tower",
    "two-tower-ranking",
    "blend",
    "popularity-recent",
    "item-knn",
    "ease",
    "ials",
    "sequence",
    "bias",
    "mf",
    "fm",
)
# Of the training part; the test part is never looked at.
_VALIDATION = 0.1
_LONGEST_REASON = 300
_METRICS = {"retrieval": "ndcg@10", "ranking": "rmse"}


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        recipe: the best settings, and how they were found.
        trials: all of them, by the name of the stage.
        study: the file they are kept in.
    """

    recipe: Recipe
    trials: Mapping[str, list[Trial]]
    study: Path


def tune(
    model: str,
    ratings: Ratings,
    catalog: Catalog,
    out: Path,
    *,
    data: str = "",
    protocol: str = "seed",
    trials: int = 30,
    seed: int = 42,
    order: Path | None = None,
) -> Tuned:
    """Search for the settings with which a model does best on validation ratings.

    Retrievers are compared by NDCG@10, rankers by RMSE, on a tenth of the protocol's training
    part; its test part is not looked at. The first trial is the shipped recipe, the others are
    drawn by a tree-structured Parzen estimator (Bergstra et al. 2011). Every trial is on the disk
    when it ends: after a crash or Ctrl-C the same call goes on where the last one stopped.

    Args:
        model: one of `TUNABLE`; "default" tunes both stages, one after the other.
        ratings: all of them.
        catalog: the films.
        out: a .toml file for the best settings so far, written after each trial; the trials are
            kept beside it in a .study.db file.
        data: what to call the ratings in the recipe.
        protocol: how to cut.
        trials: how many for each stage, those of earlier calls included.
        seed: of the cut, the training and the search.
        order: of the `sasrec` protocol; see `make_split`.

    Raises:
        ConfigError: another model, Optuna is missing, or `out` belongs to something else.
        DataError: another process works on the same study, the protocol leaves nothing to validate
            on, or no trial could be measured.
    """
    check_model(model)
    require(trials >= 1, "trials", trials, "at least 1")
    study = study_of(out)
    split = make_split(ratings, protocol, seed, validation=_VALIDATION, order=order)
    if not len(split.validation):
        raise DataError(f"protocol {protocol} leaves nothing to validate on; choose another")
    train = split.train.fingerprint()
    asked = {"model": model, "protocol": protocol, "seed": seed, "training ratings": train}
    recipe, found = load_recipe(model), dict[str, list[Trial]]()
    with opened(study) as storage:
        for stage in [name for name in _METRICS if getattr(recipe, name) is not None]:
            run = _Run(stage, recipe, split, catalog, out, data, protocol, seed)
            space, start = run.space, run.start
            search = Search(
                storage,
                stage,
                space,
                start,
                asked=asked | {"search": f"from {start} through {space}"},
                maximize=stage == "retrieval",
                seed=seed,
            )
            recipe, found[stage] = run.to(trials, search), search.finished()
    return Tuned(recipe, found, study)


def check_model(model: str) -> None:
    """Refuse what `tune` cannot do, before anything is loaded.

    Raises:
        ConfigError: another name than those of `TUNABLE`, or Optuna is not installed.
    """
    load_optuna()
    require(model in TUNABLE, "model", model, f"one of {', '.join(TUNABLE)}")


def study_of(out: Path) -> Path:
    """The file of trials that belongs to a recipe that is to be written.

    Raises:
        ConfigError: no .toml file, none that can be written, or one that no study belongs to.
    """
    possible = out.suffix == ".toml" and can_be_written(out)
    require(possible, "--out", str(out), "a .toml file in a directory that can be written")
    study = out.with_suffix(".study.db")
    if out.exists() and not study.exists():
        raise ConfigError(
            f"{out} exists, and no trials beside it ({study.name}); nothing was written; give "
            "another --out, or delete it"
        )
    return study


@dataclass(frozen=True, eq=False)
class _Run:
    """The tuning of one stage of a recipe."""

    stage: str
    recipe: Recipe
    split: Split
    catalog: Catalog
    out: Path
    data: str
    protocol: str
    seed: int

    @property
    def config(self) -> Any:
        return getattr(self.recipe, self.stage)

    @property
    def space(self) -> Mapping[str, Space]:
        if self.stage == "retrieval":
            return RETRIEVER_SPACES[stage_of(RETRIEVERS, self.config).name]
        return RANKER_SPACES[stage_of(RANKERS, self.config).name]

    @property
    def start(self) -> dict[str, Any]:
        return {name: getattr(self.config, name) for name in self.space}

    def to(self, trials: int, search: Search) -> Recipe:
        """Try settings until there are so many trials; the recipe with the best of them."""
        recipe = self._write(search)
        done, best = len(search.finished()), search.best()
        if best is not None:
            shown = f"{_METRICS[self.stage]} {best.value:.4f}"
            say(f"{self.stage}: {done} trials are there already, the best with {shown}")
        with progress_bar(f"Tuning {self.stage}", trials, "trials") as advance:
            advance(done)
            while done < trials:
                self._try(search)
                recipe = self._write(search)
                done += 1
                advance(done)
        if recipe is None:
            last = search.finished()[-1]
            raise DataError(f"none of {done} trials could be measured; the last: {last.error}")
        return recipe

    def _try(self, search: Search) -> None:
        best = search.best()
        trial, settings = search.ask()
        number = len(search.finished()) + 1
        try:
            value = self._measured(settings)
        except Exception as error:
            # What is wrong with one trial is no reason to lose the others.
            interrupts.check()
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]
            search.fail(trial, reason)
            say(f"{self.stage}, trial {number} failed: {reason}")
            return
        interrupts.check()
        search.tell(trial, value)
        after = search.best()
        if after is not None and (best is None or after.number != best.number):
            shown = ", ".join(f"{name} {_short(kept)}" for name, kept in settings.items())
            say(f"{self.stage}, trial {number}: {_METRICS[self.stage]} {value:.4f}, best: {shown}")

    def _measured(self, settings: Mapping[str, Any]) -> float:
        """The metric of a model with these settings on the validation part."""
        config, train = replace(self.config, **settings), self.split.train
        if self.stage == "retrieval":
            model = stage_of(RETRIEVERS, config).fit(train, self.catalog, config, self.seed).model
            _check_finite(model.tensors())
            value = evaluate_retriever(model, train, self.split.validation)["ndcg@10"]
        else:
            model = stage_of(RANKERS, config).fit(train, self.catalog, config, self.seed).model
            _check_finite(model.tensors())
            value = evaluate_ranker(model, self.split.validation)["rmse"]
        if not math.isfinite(value):
            raise DataError(f"{_METRICS[self.stage]} is {value}; expected a number")
        return value

    def _write(self, search: Search) -> Recipe | None:
        """Write the best recipe so far, if there is one."""
        best = search.best()
        if best is None or best.value is None:
            return None
        tuning = Tuning(
            trials=len(search.finished()),
            metric=_METRICS[self.stage],
            value=best.value,
            data=self.data,
            protocol=self.protocol,
            seed=self.seed,
        )
        changed: dict[str, Any] = {self.stage: replace(self.config, **best.settings)}
        known = {**self.recipe.tuning, self.stage: tuning}
        recipe = replace(self.recipe, **changed, tuning=known)
        save_recipe(recipe, self.out, "Chosen on validation ratings by matinee tune.")
        return recipe


def _check_finite(tensors: Mapping[str, Any]) -> None:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise DataError(f"{name} has numbers that are not finite, so the model diverged")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
