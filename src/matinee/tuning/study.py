"""A search for the best settings that survives the end of its process: Optuna, in SQLite.

A killed process leaves a trial without an end. The next one marks it as failed and tries its
settings again. Each trial draws its settings with a seed made of the search's own and of how many
trials came before it, so that a search that was interrupted gives the trials of one that was not.
Several trials may be open at once, if they end in the order in which they were begun.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.sources.locks import claimed
from matinee.errors import ConfigError, DataError
from matinee.tuning.spaces import Choice, Real, Space, Whole

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OpenTrial

_ASKED, _ERROR = "asked", "error"


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Attributes:
        number: its place among the trials of a search, from 1.
        settings: by name.
        value: how good they were, or None if that could not be measured.
        error: why it could not.
    """

    number: int
    settings: Mapping[str, Any]
    value: float | None
    error: str | None = None


@contextlib.contextmanager
def opened(path: Path) -> Generator[RDBStorage]:
    """The searches in a file, to which no other process has access meanwhile.

    Raises:
        ConfigError: Optuna is not installed.
        DataError: another process works on it, or the file holds something else.
    """
    optuna = load_optuna()
    with claimed(path.with_suffix(".lock")):
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        # By a function, as a path may have signs in it that mean something in an address.
        connect = partial(sqlite3.connect, path, check_same_thread=False)
        try:
            storage = optuna.storages.RDBStorage(
                "sqlite:///study.db", engine_kwargs={"creator": connect}
            )
        except Exception as error:
            raise DataError(
                f"{path} cannot be read as a study ({type(error).__name__}); delete it, or give "
                "another --out"
            ) from error
        try:
            yield storage
        finally:
            storage.engine.dispose()
            optuna.logging.set_verbosity(verbosity)


class Search:
    """The search for the best settings of one stage.

    Args:
        storage: what `opened` gives.
        name: of the search, among those of the storage.
        space: what to search through.
        start: settings to try first.
        asked: what the trials depend on, by name, the cause before what follows from it; a search
            that was begun with other values is refused.
        maximize: whether more is better.
        seed: of the search.

    Raises:
        ConfigError: the search was begun with other values in `asked`.
    """

    def __init__(
        self,
        storage: RDBStorage,
        name: str,
        space: Mapping[str, Space],
        start: Mapping[str, Any],
        *,
        asked: Mapping[str, str | int],
        maximize: bool,
        seed: int,
    ) -> None:
        optuna = load_optuna()
        self.maximize = maximize
        self._space = space
        self._start = {key: space[key].encoded(value) for key, value in start.items()}
        self._seed = seed
        self._states = optuna.trial.TrialState
        self._study: Study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if maximize else "minimize",
            load_if_exists=True,
        )
        self._check(asked)
        self._recover()

    def finished(self) -> list[Trial]:
        """The trials that have ended, in order."""
        return [
            Trial(
                number,
                self._decoded(trial.params),
                trial.value if trial.state == self._states.COMPLETE else None,
                trial.user_attrs.get(_ERROR),
            )
            for number, trial in enumerate(self._ended(), 1)
        ]

    def best(self) -> Trial | None:
        """The first of the best trials, or None if none could be measured."""
        measured = [trial for trial in self.finished() if trial.value is not None]
        sign = -1 if self.maximize else 1
        return min(measured, key=lambda trial: sign * (trial.value or 0.0), default=None)

    def ask(self) -> tuple[OpenTrial, dict[str, Any]]:
        """A trial to make, and its settings; `tell` or `fail` must follow, in the same order."""
        optuna = load_optuna()
        running, waiting = (
            self._study.get_trials(deepcopy=False, states=(state,))
            for state in (self._states.RUNNING, self._states.WAITING)
        )
        before = len(self._ended()) + len(running)
        if not before and not waiting:
            self._study.enqueue_trial(self._start)
        entropy = np.random.SeedSequence([self._seed, before]).generate_state(1)
        # Trials of a wave whose value is not known yet count as poor, so that none is drawn twice.
        sampler = optuna.samplers.TPESampler(seed=int(entropy[0]), constant_liar=True)
        self._study.sampler = sampler
        trial = self._study.ask({name: _distribution(kind) for name, kind in self._space.items()})
        return trial, self._decoded(trial.params)

    def tell(self, trial: OpenTrial, value: float) -> None:
        """End a trial that was measured."""
        self._study.tell(trial, value)

    def fail(self, trial: OpenTrial, error: str) -> None:
        """End a trial that could not be measured."""
        # First why, so that a crash in between does not make it one to try again.
        trial.set_user_attr(_ERROR, error)
        self._study.tell(trial, state=self._states.FAIL)

    def _ended(self) -> list[FrozenTrial]:
        """Without the trials of dead processes, which failed for no reason of their own."""
        ended = self._study.get_trials(
            deepcopy=False, states=(self._states.COMPLETE, self._states.FAIL)
        )
        return [t for t in ended if t.state == self._states.COMPLETE or _ERROR in t.user_attrs]

    def _decoded(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._space[name].decoded(value) for name, value in params.items()}

    def _check(self, asked: Mapping[str, str | int]) -> None:
        begun = self._study.user_attrs.get(_ASKED)
        if begun is None:
            self._study.set_user_attr(_ASKED, dict(asked))
            return
        for key, value in asked.items():
            # The first alone: what comes after it differs, more often than not, because of it.
            if begun.get(key) != value:
                raise ConfigError(
                    f"the study was begun with {key} {begun.get(key)}; now asked for {key} "
                    f"{value}; ask for the same to go on, or give another --out to begin anew"
                )

    def _recover(self) -> None:
        """Whatever still runs belongs to a process that is no more, for the file is ours."""
        for trial in self._study.get_trials(deepcopy=False, states=(self._states.RUNNING,)):
            self._study.tell(trial.number, state=self._states.FAIL)
            whole = trial.params.keys() == self._space.keys()
            if whole and _ERROR not in trial.user_attrs:
                self._study.enqueue_trial(trial.params)


def load_optuna() -> Any:
    """The module Optuna, which is imported only for tuning.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            'tuning needs Optuna, which is not installed; install it: pip install "matinee[tune]"'
        ) from error
    return optuna


def _distribution(space: Space) -> BaseDistribution:
    kinds = load_optuna().distributions
    match space:
        case Real(low, high, log):
            return kinds.FloatDistribution(low, high, log=log)
        case Whole(low, high, log):
            return kinds.IntDistribution(low, high, log=log)
        case Choice():
            return kinds.CategoricalDistribution(space.names)
