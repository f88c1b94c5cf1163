"""How good settings are: a model trained with them, measured on validation ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from matinee import interrupts
from matinee.data.catalog import Catalog
from matinee.data.splits import Split
from matinee.errors import DataError
from matinee.evaluation.evaluate import evaluate_ranker, evaluate_retriever
from matinee.stages import RANKERS, RETRIEVERS, stage_of

METRICS = {"retrieval": "ndcg@10", "ranking": "rmse"}
_LONGEST_REASON = 300
# How good settings are, or why that could not be measured.
Outcome = float | str


@dataclass(frozen=True, eq=False)
class Measure:
    """What a trial of settings needs to know.

    Attributes:
        stage: "retrieval" or "ranking".
        config: all settings, of which a trial changes some.
        split: its training and validation parts are used.
        catalog: the films.
        seed: of the training.
    """

    stage: str
    config: Any
    split: Split
    catalog: Catalog
    seed: int

    def __call__(self, settings: Mapping[str, Any]) -> float:
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
            raise DataError(f"{METRICS[self.stage]} is {value}; expected a number")
        return value


def outcome_of(measure: Measure, settings: Mapping[str, Any]) -> Outcome:
    """What comes of some settings, whatever happens."""
    try:
        return measure(settings)
    except Exception as error:
        # What is wrong with one trial is no reason to lose the others.
        interrupts.check()
        return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]


def _check_finite(tensors: Mapping[str, Any]) -> None:
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise DataError(f"{name} has numbers that are not finite, so the model diverged")
