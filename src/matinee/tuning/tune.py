"""Try settings of a model on validation ratings and write the best as a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee import interrupts
from matinee.cluster import HERE, Engine
from matinee.config import require
from matinee.console import progress_bar, say
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.splits import make_split
from matinee.errors import ConfigError, DataError
from matinee.files import can_be_written
from matinee.recipe import Recipe, Tuning, load_recipe, save_recipe
from matinee.stages import RANKERS, RETRIEVERS, stage_of
from matinee.tuning.measure import METRICS, Measure, Outcome, outcome_of
from matinee.tuning.spaces import RANKER_SPACES, RETRIEVER_SPACES, Space
from matinee.tuning.study import Search, Trial, load_optuna, opened

if TYPE_CHECKING:
    from optuna.trial import Trial as OpenTrial

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
    engine: Engine = HERE,
    at_once: int = 1,
) -> Tuned:
    """Search for the settings with which a model does best on validation ratings.

    Retrievers are compared by NDCG@10, rankers by RMSE, on a tenth of the protocol's training
    part; its test part is not looked at. The first trial is the shipped recipe, the others are
    drawn by a tree-structured Parzen estimator (Bergstra et al. 2011). Every trial is on the disk
    when it ends: after a crash or Ctrl-C the same call goes on where the last one stopped.

    Trials are drawn `at_once` at a time, each knowing what was drawn before it but not how good the
    others of its wave are; a wave ends before the next is drawn, and its trials end on the disk in
    the order in which they were drawn. So which settings are tried follows from the arguments, not
    from the engine or which trial was done first, as long as their values do: another number of
    threads (a worker of Ray has one) may change a value's last digits. A kill loses at most a wave.

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
        engine: who makes the trials.
        at_once: how many are drawn at a time, and made at the same time where the engine can.

    Raises:
        ConfigError: another model, Optuna is missing, or `out` belongs to something else.
        DataError: another process works on the same study, the protocol leaves nothing to validate
            on, or no trial could be measured.
    """
    check_model(model)
    require(trials >= 1, "trials", trials, "at least 1")
    require(at_once >= 1, "at_once", at_once, "at least 1")
    study = study_of(out)
    split = make_split(ratings, protocol, seed, validation=_VALIDATION, order=order)
    if not len(split.validation):
        raise DataError(f"protocol {protocol} leaves nothing to validate on; choose another")
    train = split.train.fingerprint()
    asked = {
        "model": model,
        "protocol": protocol,
        "seed": seed,
        "training ratings": train,
        "trials at once": at_once,
    }
    recipe, found = load_recipe(model), dict[str, list[Trial]]()
    with opened(study) as storage:
        for stage in [name for name in METRICS if getattr(recipe, name) is not None]:
            measure = Measure(stage, getattr(recipe, stage), split, catalog, seed)
            run = _Run(measure, recipe, out, data, protocol, engine, at_once)
            space = run.space
            start = {name: getattr(measure.config, name) for name in space}
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

    measure: Measure
    recipe: Recipe
    out: Path
    data: str
    protocol: str
    engine: Engine
    at_once: int

    @property
    def stage(self) -> str:
        return self.measure.stage

    @property
    def space(self) -> Mapping[str, Space]:
        if self.stage == "retrieval":
            return RETRIEVER_SPACES[stage_of(RETRIEVERS, self.measure.config).name]
        return RANKER_SPACES[stage_of(RANKERS, self.measure.config).name]

    def to(self, trials: int, search: Search) -> Recipe:
        """Try settings until there are so many trials; the recipe with the best of them."""
        recipe = self._write(search)
        done, best = len(search.finished()), search.best()
        if best is not None:
            shown = f"{METRICS[self.stage]} {best.value:.4f}"
            say(f"{self.stage}: {done} trials are there already, the best with {shown}")
        with progress_bar(f"Tuning {self.stage}", trials, "trials") as advance:
            advance(done)
            while done < trials:
                # A wave that was cut off is completed first.
                wave = min(self.at_once - done % self.at_once, trials - done)
                for _ in self._try(search, wave):
                    recipe = self._write(search)
                    done += 1
                    advance(done)
        if recipe is None:
            last = search.finished()[-1]
            raise DataError(f"none of {done} trials could be measured; the last: {last.error}")
        return recipe

    def _try(self, search: Search, count: int) -> Iterator[None]:
        """Make some trials at once; yields after each that has ended, in the order of asking."""
        asked = [search.ask() for _ in range(count)]
        tasks = {place: settings for place, (_, settings) in enumerate(asked)}
        outcomes: dict[int, Outcome] = {}
        ended = 0
        for place, outcome in self.engine.map(outcome_of, self.measure, tasks):
            interrupts.check()
            outcomes[place] = outcome
            while ended in outcomes:
                self._end(search, *asked[ended], outcomes[ended])
                ended += 1
                yield

    def _end(
        self, search: Search, trial: OpenTrial, settings: Mapping[str, Any], outcome: Outcome
    ) -> None:
        best, number = search.best(), len(search.finished()) + 1
        if isinstance(outcome, str):
            search.fail(trial, outcome)
            say(f"{self.stage}, trial {number} failed: {outcome}")
            return
        search.tell(trial, outcome)
        after = search.best()
        if after is not None and (best is None or after.number != best.number):
            shown = ", ".join(f"{name} {_short(kept)}" for name, kept in settings.items())
            metric = f"{METRICS[self.stage]} {outcome:.4f}"
            say(f"{self.stage}, trial {number}: {metric}, best: {shown}")

    def _write(self, search: Search) -> Recipe | None:
        """Write the best recipe so far, if there is one."""
        best = search.best()
        if best is None or best.value is None:
            return None
        tuning = Tuning(
            trials=len(search.finished()),
            metric=METRICS[self.stage],
            value=best.value,
            data=self.data,
            protocol=self.protocol,
            seed=self.measure.seed,
        )
        changed: dict[str, Any] = {self.stage: replace(self.measure.config, **best.settings)}
        known = {**self.recipe.tuning, self.stage: tuning}
        recipe = replace(self.recipe, **changed, tuning=known)
        save_recipe(recipe, self.out, "Chosen on validation ratings by matinee tune.")
        return recipe


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
