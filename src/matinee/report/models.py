"""The models in the order of the page, each with its name and look."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matinee.evaluation.results import Evaluation, Facts
from matinee.evaluation.tallies import Measured
from matinee.report.looks import Look, look, short_names


@dataclass(frozen=True, eq=False)
class Model:
    """A model on the page.

    Attributes:
        name: as the evaluation calls it.
        short: its name in figures.
        look: its colour, marker and line in figures.
        measured: what was measured of it.
        facts: how it came about.
    """

    name: str
    short: str
    look: Look
    measured: Measured
    facts: Facts


def models_of(evaluation: Evaluation) -> list[Model]:
    """The best by NDCG@10 first, then those that only predict stars, the most exact first."""

    def rank(name: str) -> tuple[float, float]:
        quality, error = (evaluation.estimates[name].get(m) for m in ("ndcg@10", "rmse"))
        return (
            math.inf if quality is None else -quality.value,
            math.inf if error is None else error.value,
        )

    names = sorted(evaluation.measured, key=rank)
    return [
        Model(name, short, look(place), evaluation.measured[name], _facts(evaluation, name))
        for place, (name, short) in enumerate(zip(names, short_names(names), strict=True))
    ]


def _facts(evaluation: Evaluation, name: str) -> Facts:
    return evaluation.facts.get(name, Facts())
