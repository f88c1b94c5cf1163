"""How many users, films and ratings to make up, and what they are like."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matinee.config import check_seed, require

# Of the catalogue, what one person rates at most: beyond it, drawing what is left gets slow.
_MOST_OF_CATALOGUE = 0.5


@dataclass(frozen=True)
class SyntheticConfig:
    """The size of a made-up world; the defaults of the rest give the spread of MovieLens 1M.

    Attributes:
        users: how many; each has at least one rating.
        items: how many films; some of them nobody rates.
        ratings: how many in all.
        seed: of everything random: the same settings give the same ratings.
        user_spread: standard deviation of the logarithm of how much a user rates beyond the least.
        film_skew: how unequal the films are: the power that is taken of their popularity.
        tastes: kinds of films, which are their genres too; a user likes a few of them.
        span_days: from the first day to the last.
    """

    users: int
    items: int
    ratings: int
    seed: int = 42
    user_spread: float = 1.2
    film_skew: float = 1.0
    tastes: int = 16
    span_days: int = 1000

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name, least in (("users", 1), ("items", 2), ("span_days", 1)):
            value = getattr(self, name)
            require(least <= value < 1 << 31, name, value, f"{least:,} … 2,147,483,647")
        most = self.users * self.most_by_user
        expected = f"{self.users:,} … {most:,}: each user rates one film to half of all"
        require(self.users <= self.ratings <= most, "ratings", self.ratings, expected)
        require(1 <= self.tastes <= 256, "tastes", self.tastes, "1 … 256")
        require(0 <= self.user_spread <= 4, "user_spread", self.user_spread, "0 … 4")
        fits = 0 < self.film_skew <= 4 and math.isfinite(self.film_skew)
        require(fits, "film_skew", self.film_skew, "above 0, at most 4")

    @property
    def most_by_user(self) -> int:
        """How many films one user rates at most."""
        return max(1, int(self.items * _MOST_OF_CATALOGUE))
