"""What a list may be asked for with: as people say it, and in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from matinee.errors import ConfigError
from matinee.recommending.filters import Mask, Named, Years
from matinee.recommending.order import Order
from matinee.types import IntArray


class ListOptions(TypedDict, total=False):
    """The keyword arguments of `Recommender.recommend`, which describes them."""

    genres: str | Iterable[str] | None
    years: Years | None
    exclude_seen: bool | None
    exclude: Named | None
    allow: Named | Mask | None
    diversity: float | None
    order: Order | None
    explain: bool


def check_options(options: ListOptions) -> None:
    """Refuse a name that is no option, which would change nothing.

    Raises:
        ConfigError: there is one; the message lists those that there are.
    """
    names = ListOptions.__annotations__
    for name in options:
        if name not in names:
            raise ConfigError(f"no option {name!r}; expected {', '.join(names)}")


@dataclass(frozen=True, eq=False)
class Wish:
    """The options of a call, checked and in numbers, for all the lists that it makes.

    Attributes:
        allow: bool [n_items], the films to choose from; None for all.
        exclude: int32 [m], films to leave out of every list.
        exclude_seen: leave out what a user has rated, too.
        stars_weight: how much stars count in the order; see `weight_of_stars`.
        diversity: 0 … 1.
        explain: name reasons.
    """

    allow: Mask | None
    exclude: IntArray
    exclude_seen: bool
    stars_weight: float
    diversity: float
    explain: bool
