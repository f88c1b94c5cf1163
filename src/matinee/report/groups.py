"""Parts of the audience and of the catalogue, and how well each is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.bootstrap import Estimate
from matinee.evaluation.lists import exposure
from matinee.evaluation.results import Evaluation
from matinee.evaluation.tallies import Measured, Tally

Numbers = NDArray[np.intp]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Some users or some films.

    Attributes:
        label: how many training ratings they have.
        members: int64, their numbers.
    """

    label: str
    members: Numbers


def by_activity(evaluation: Evaluation, counts: Counts) -> list[Group]:
    """The tested users in quarters, from few training ratings to many.

    Users with as many ratings stay together, so quarters may differ in size, and of few users there
    may be fewer.

    Args:
        evaluation: tells who was tested.
        counts: int64 [n_users], how many training ratings each user has.
    """
    weights = [t.weight for m in evaluation.measured.values() for t in m.tallies.values()]
    tested = np.flatnonzero(np.any([weight > 0 for weight in weights], axis=0))
    own = counts[tested]
    edges = np.unique(np.quantile(own, [0.25, 0.5, 0.75], method="inverted_cdf"))
    part = np.searchsorted(edges, own, side="left")
    groups: list[Group] = []
    parts = np.unique(part)
    for number in parts:
        inside = part == number
        low, high = int(own[inside].min()), int(own[inside].max())
        label = f"{low}" if low == high else f"{low}–{high}"
        if len(parts) > 1 and number in (parts[0], parts[-1]):
            label = f"≤ {high}" if number == parts[0] else f"≥ {low}"
        groups.append(Group(label, tested[inside]))
    return groups


def by_popularity(counts: Counts) -> list[Group]:
    """Films in three tiers, each with about a third of all training ratings, the most rated first.

    Args:
        counts: int64 [n_items], how often each film is rated in the training part.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    tier = np.minimum(3 * before // max(int(counts.sum()), 1), 2)
    return [Group(name, order[tier == number]) for number, name in enumerate(TIERS)]


TIERS = ("popular", "less popular", "seldom rated")


def estimates_by_users(
    evaluation: Evaluation, metric: str, groups: Sequence[Group]
) -> dict[str, list[Estimate | None]]:
    """A metric of each model for each group of users, with intervals over the group's users."""
    tallies = {
        model: measured.tallies[metric]
        for model, measured in evaluation.measured.items()
        if metric in measured.tallies
    }
    return _estimates(evaluation, tallies, groups)


def found_by_films(
    evaluation: Evaluation, groups: Sequence[Group]
) -> dict[str, list[Estimate | None]]:
    """Which share of the test ratings of each group of films stands in the lists, by model.

    Intervals are over the group's films, drawn anew as users are elsewhere.
    """
    tallies = {
        model: Tally(measured.found.astype(np.float64), measured.tested.astype(np.float64))
        for model, measured in evaluation.measured.items()
        if measured.lists
    }
    return _estimates(evaluation, tallies, groups)


def places_by_films(measured: Measured, groups: Sequence[Group]) -> list[float]:
    """Which share of all list places goes to each group of films."""
    shown = np.sum([exposure(lists, len(measured.tested)) for lists in measured.lists], axis=0)
    return shares_of(shown, groups)


def shares_of(counts: Counts, groups: Sequence[Group]) -> list[float]:
    """Which share of all counts is each group's."""
    total = max(int(counts.sum()), 1)
    return [float(counts[group.members].sum() / total) for group in groups]


def _estimates(
    evaluation: Evaluation, tallies: Mapping[str, Tally], groups: Sequence[Group]
) -> dict[str, list[Estimate | None]]:
    found: dict[str, list[Estimate | None]] = {model: [] for model in tallies}
    for group in groups:
        part = replace(
            evaluation,
            measured={model: Measured({"": _of(t, group)}) for model, t in tallies.items()},
        )
        for model, own in part.estimates.items():
            found[model].append(own.get(""))
    return found


def _of(tally: Tally, group: Group) -> Tally:
    return Tally(tally.total[group.members], tally.weight[group.members], tally.root)
