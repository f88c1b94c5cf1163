"""The tables of the page, as cells that the template sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matinee.evaluation.bootstrap import Estimate
from matinee.evaluation.results import HEADLINE, Evaluation
from matinee.report.models import Model
from matinee.report.words import OF_LISTS, Words, signed, words_of


@dataclass(frozen=True)
class Cell:
    """A number with its interval.

    Attributes:
        estimate: the number, or None where the model has none.
        digits: how many decimals are shown.
        mark: "best", "equal" where it cannot be told apart from the best, or "".
    """

    estimate: Estimate | None
    digits: int = 3
    mark: str = ""

    @property
    def value(self) -> str:
        """The number to read."""
        return "" if self.estimate is None else _number(self.estimate.value, self.digits)

    @property
    def interval(self) -> str:
        """Its interval to read."""
        if self.estimate is None:
            return ""
        low, high = self.estimate.low, self.estimate.high
        return f"{_number(low, self.digits)} – {_number(high, self.digits)}"


@dataclass(frozen=True)
class Column:
    """A metric as the head of a column or row."""

    metric: str
    words: Words


@dataclass(frozen=True)
class Duel:
    """What one model has more of a metric than another, and whether that decides it.

    Attributes:
        gap: the difference; None of a model with itself.
        outcome: "better", "worse", or "open".
    """

    gap: Estimate | None = None
    outcome: str = ""

    @property
    def shown(self) -> str:
        """The difference to read."""
        return "" if self.gap is None else signed(self.gap.value)

    @property
    def sentence(self) -> str:
        """The difference with its interval."""
        return "" if self.gap is None else str(self.gap).replace("-", "−")


def columns_of(metrics: Sequence[str]) -> list[Column]:
    """Metrics with their words."""
    return [Column(metric, words_of(metric)) for metric in metrics]


def headline(evaluation: Evaluation) -> list[str]:
    """The metrics of the first table, those that any model has."""
    return [metric for metric in HEADLINE if metric in evaluation.metrics]


def of_lists(evaluation: Evaluation) -> list[str]:
    """The metrics that say what lists are made of."""
    return [metric for metric in evaluation.metrics if metric.partition("@")[0] in OF_LISTS]


def cells(
    evaluation: Evaluation, models: Sequence[Model], metrics: Sequence[str], digits: int = 3
) -> list[list[Cell]]:
    """One row a model, one column a metric; marked is who leads and who may lead as well."""
    leaders = {metric: _leaders(evaluation, metric) for metric in metrics}
    return [
        [_cell(evaluation, m.name, name, digits, leaders[name]) for name in metrics] for m in models
    ]


def duels(evaluation: Evaluation, models: Sequence[Model], metric: str) -> list[list[Duel]]:
    """Every model against every other, best first: a row is what its model has more."""
    return [[_duel(evaluation, metric, m.name, other.name) for other in models] for m in models]


def having(evaluation: Evaluation, models: Sequence[Model], metric: str) -> list[Model]:
    """The models that have a metric, the best first; of equal ones, as `Evaluation.leaders`."""
    sign = 1 if words_of(metric).better == "lower" else -1
    given = {m.name: m for m in models}
    own = [
        given[name]
        for name, estimates in evaluation.estimates.items()
        if name in given and metric in estimates
    ]
    return sorted(own, key=lambda m: sign * evaluation.estimates[m.name][metric].value)


def _duel(evaluation: Evaluation, metric: str, model: str, other: str) -> Duel:
    if model == other:
        return Duel()
    gap = evaluation.difference(metric, model, other)
    if evaluation.beats(metric, model, other):
        return Duel(gap, "better")
    return Duel(gap, "worse" if evaluation.beats(metric, other, model) else "open")


def _leaders(evaluation: Evaluation, metric: str) -> list[str]:
    """The best model and its equals; nobody where better is not said, or nobody else is there."""
    if not words_of(metric).better or len(evaluation.measured) < 2:
        return []
    return evaluation.leaders(metric)


def _cell(
    evaluation: Evaluation, model: str, metric: str, digits: int, leaders: Sequence[str]
) -> Cell:
    estimate = evaluation.estimates[model].get(metric)
    if estimate is None:
        return Cell(None)
    mark = "" if model not in leaders else "best" if model == leaders[0] else "equal"
    return Cell(estimate, digits, mark)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
