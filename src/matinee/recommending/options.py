"""What a list may be asked for with, in one place for one user and for many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from matinee.recommending.filters import Mask, Years
from matinee.recommending.order import Order


class ListOptions(TypedDict, total=False):
    """The keyword arguments of `Recommender.recommend`, which describes them."""

    genres: str | Iterable[str] | None
    years: Years | None
    exclude_seen: bool | None
    exclude: Iterable[str | int]
    allow: Iterable[str | int] | Mask | None
    diversity: float | None
    order: Order | None
    explain: bool
