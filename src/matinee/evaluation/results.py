"""The outcome of an evaluation: every model by every metric, with intervals, and who beats whom."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from matinee.errors import ConfigError
from matinee.evaluation.bootstrap import Draws, Estimate, interval, resample
from matinee.evaluation.tallies import Measured

# Metrics of which less is better; of what is neither better nor worse, nobody leads.
LOWER_IS_BETTER = ("rmse", "mae")
# What models are compared by.
HEADLINE = ("ndcg@10", "recall@20", "recall@100", "hr@10", "rmse")
# What fits a line of a terminal.
_COLUMNS = ("ndcg@10", "recall@20", "recall@100", "rmse")
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Facts:
    """How a model came about.

    Attributes:
        trials: how many settings were tried for it on validation ratings.
        fit_s: seconds that training took, the mean over seeds; None if it was trained before.
        measure_s: seconds that measuring took, the mean over seeds.
        losses: training loss by epoch or sweep, of the last seed; by stage.
    """

    trials: int = 0
    fit_s: float | None = None
    measure_s: float = 0.0
    losses: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Models measured on the same test ratings.

    Attributes:
        protocol: how the ratings were cut.
        seeds: of the cuts and of the training.
        measured: what was measured, by model.
        facts: how the models came about, by model.
        bootstrap_seed: of the intervals.
    """

    protocol: str
    seeds: tuple[int, ...]
    measured: Mapping[str, Measured]
    facts: Mapping[str, Facts] = field(default_factory=dict[str, Facts])
    bootstrap_seed: int = 0

    @cached_property
    def estimates(self) -> dict[str, dict[str, Estimate]]:
        """By model, by metric: the value and its 95 % interval."""
        found: dict[str, dict[str, Estimate]] = {}
        for model, measured in self.measured.items():
            own = {
                name: interval(tally.value(), self._draws[model][name])
                for name, tally in measured.tallies.items()
                if np.isfinite(tally.value())
            }
            for name, (value, error) in measured.whole().items():
                half = _NORMAL_95 * error
                own[name] = Estimate(value, max(value - half, 0.0), min(value + half, 1.0))
            found[model] = own
        return found

    @cached_property
    def _draws(self) -> Draws:
        return resample(self.measured, self.bootstrap_seed)

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics that any of the models has."""
        return list(dict.fromkeys(name for own in self.estimates.values() for name in own))

    def difference(self, metric: str, model: str, other: str) -> Estimate:
        """How much more of a metric one model has than another, by the paired bootstrap.

        Raises:
            ConfigError: a model or metric that was not measured by users.
        """
        for name in (model, other):
            if name not in self._having(metric):
                raise ConfigError(
                    f"{metric} of {name} was not measured; models: {', '.join(self.measured)}"
                )
        own, others = (self.measured[name].tallies[metric].value() for name in (model, other))
        return interval(own - others, self._draws[model][metric] - self._draws[other][metric])

    def beats(self, metric: str, model: str, other: str) -> bool:
        """Whether a model is better by more than chance would do: the interval does not hold 0."""
        gap = self.difference(metric, model, other)
        return gap.high < 0 if metric in LOWER_IS_BETTER else gap.low > 0

    def leaders(self, metric: str) -> list[str]:
        """The best model by a metric, and after it those that it does not beat."""
        have = self._having(metric)
        sign = 1 if metric in LOWER_IS_BETTER else -1
        have.sort(key=lambda name: sign * self.estimates[name][metric].value)
        return [name for name in have if name == have[0] or not self.beats(metric, have[0], name)]

    def _having(self, metric: str) -> list[str]:
        """The models that a metric was measured of, user by user."""
        return [
            name
            for name, own in self.measured.items()
            if metric in own.tallies and metric in self.estimates[name]
        ]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary: by model, by metric, the value with its interval."""
        models: dict[str, Any] = {}
        for name, own in self.estimates.items():
            facts = self.facts.get(name, Facts())
            models[name] = {
                **{metric: asdict(estimate) for metric, estimate in own.items()},
                "trials": facts.trials,
                "fit_s": facts.fit_s,
                "measure_s": facts.measure_s,
            }
        return {
            "protocol": self.protocol,
            "seeds": list(self.seeds),
            "tested": self.tested(),
            "models": models,
            "comparisons": self._comparisons(),
        }

    def tested(self) -> dict[str, int]:
        """How many users got lists and how many ratings were predicted, over all seeds."""
        counts = {"users": 0, "ratings": 0}
        for own in self.measured.values():
            for name, metric in (("users", "hr@10"), ("ratings", "rmse")):
                if metric in own.tallies:
                    counts[name] = int(own.tallies[metric].weight.sum())
        return counts

    def _comparisons(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for metric in HEADLINE:
            have = self._having(metric)
            found[metric] = [
                {
                    "model": model,
                    "other": other,
                    **asdict(self.difference(metric, model, other)),
                    "beats": self.beats(metric, model, other),
                }
                for model in have
                for other in have
                if model != other
            ]
        return found

    def to_csv(self) -> str:
        """One line a model and metric: model, metric, value, low, high."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["model", "metric", "value", "low", "high"])
        for model, own in self.estimates.items():
            for metric, e in own.items():
                writer.writerow([model, metric, e.value, e.low, e.high])
        return text.getvalue()

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Headings and cells of a table to read: the value ± half of its interval."""
        shown = [name for name in _COLUMNS if name in self.metrics]
        tuned = any(facts.trials for facts in self.facts.values())
        timed = any(facts.fit_s is not None for facts in self.facts.values())
        columns = ["model", *shown, *(["trials"] if tuned else []), *(["train"] if timed else [])]
        rows: list[list[str]] = []
        for model, own in self.estimates.items():
            facts = self.facts.get(model, Facts())
            cells = [_cell(own.get(name)) for name in shown]
            if tuned:
                cells.append(str(facts.trials))
            if timed:
                cells.append("" if facts.fit_s is None else f"{facts.fit_s:.1f} s")
            rows.append([model, *cells])
        return columns, rows

    def __str__(self) -> str:
        columns, rows = self.rows()
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [columns, *rows]
        ]
        return "\n".join([*lines, *self.remarks()])

    def remarks(self) -> list[str]:
        """Who leads by which metric, in sentences."""
        said: list[str] = []
        for metric in HEADLINE:
            # Nobody leads alone.
            if len(self._having(metric)) < 2:
                continue
            first, *equal = self.leaders(metric)
            said.append(
                f"{metric}: {first} leads"
                + (f"; {', '.join(equal)} cannot be told apart from it" if equal else "")
            )
        return said


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or not np.isfinite(estimate.value):
        return ""
    half = f"{(estimate.high - estimate.low) / 2:.3f}".removeprefix("0")
    return f"{estimate.value:.3f} ±{half}"
