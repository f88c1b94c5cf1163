"""What was measured of a model, user by user: means, intervals and comparisons come from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.lists import coverage, exposure, gini
from matinee.types import EMPTY_ITEM, IntArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tally:
    """A metric's sums by user: its value is the sum of `total` over that of `weight`.

    For a metric of lists a user's weight is 1 for each split that tests them; for one of stars it
    is how many of their ratings are tested, so that every rating counts the same.

    Attributes:
        total: float64 [n_users].
        weight: float64 [n_users], 0 for users who were not tested.
        root: whether the value is the square root of that ratio.
    """

    total: Floats
    weight: Floats
    root: bool = False

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.total + other.total, self.weight + other.weight, self.root)

    def ratio(self, total: Floats, weight: Floats) -> Floats:
        """Values float64 [...] from sums over some users; NaN where no weight is left."""
        mean = np.divide(total, weight, out=np.full(np.shape(total), np.nan), where=weight > 0)
        return np.sqrt(mean) if self.root else mean

    def value(self, users: IntArray | None = None) -> float:
        """The metric over all users, or over some."""
        chosen = slice(None) if users is None else users
        return float(self.ratio(self.total[chosen].sum(), self.weight[chosen].sum()))


@dataclass(frozen=True, eq=False)
class Measured:
    """One model on one split, or on several of the same ratings.

    Attributes:
        tallies: by metric.
        lists: int32 [n_users, k] for each split, the first films of everybody's list; a row of -1
            is a user who was not tested.
        found: int64 [n_items], how often each film was tested and stood in that list.
        tested: int64 [n_items], how often each film was tested.
    """

    tallies: dict[str, Tally]
    lists: tuple[IntArray, ...] = ()
    found: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    tested: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, parts: Sequence[Measured]) -> Measured:
        """Several splits of the same ratings as one."""
        first, *others = parts
        tallies = dict(first.tallies)
        for part in others:
            tallies = {name: tally + part.tallies[name] for name, tally in tallies.items()}
        return cls(
            tallies,
            tuple(lists for part in parts for lists in part.lists),
            np.sum([part.found for part in parts], axis=0),
            np.sum([part.tested for part in parts], axis=0),
        )

    def __or__(self, other: Measured) -> Measured:
        """The same splits measured by other metrics too; the lists are those of whoever has any."""
        listed = self if self.lists else other
        return Measured(self.tallies | other.tallies, listed.lists, listed.found, listed.tested)

    def values(self) -> dict[str, float]:
        """Every metric over all users, those of the whole set of lists among them."""
        found = {name: tally.value() for name, tally in self.tallies.items()}
        return found | {name: value for name, (value, _) in self.whole().items()}

    def whole(self) -> dict[str, tuple[float, float]]:
        """Metrics of all lists together, and the standard error of each.

        They are no means over users, so the error is that of a jackknife by groups of users (Efron
        1982), whose groups leave out a fiftieth of the tested users each.
        """
        if not self.lists:
            return {}
        n_items = len(self.tested)
        tested = np.any([(lists != EMPTY_ITEM).any(axis=1) for lists in self.lists], axis=0)
        users = np.flatnonzero(tested)
        groups = max(1, min(_GROUPS, len(users)))
        shown = np.stack(
            [
                np.stack([exposure(lists[users[g::groups]], n_items) for g in range(groups)])
                for lists in self.lists
            ]
        )
        k = self.lists[0].shape[1]
        found: dict[str, tuple[float, float]] = {}
        for name, metric in ((f"coverage@{k}", coverage), (f"gini@{k}", gini)):
            whole = np.mean([metric(split.sum(axis=0)) for split in shown])
            without = [
                np.mean([metric(split.sum(axis=0) - split[g]) for split in shown])
                for g in range(groups)
            ]
            error = np.sqrt((groups - 1) * np.var(without))
            found[name] = float(whole), float(error)
        return found


_GROUPS = 50
