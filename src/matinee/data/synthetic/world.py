"""Who there is and what there is: how much each user rates, and what each film is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.synthetic.config import SyntheticConfig

Floats = NDArray[np.float64]

# Shape of the gamma distribution of the films' popularity: that of MovieLens 1M.
_POPULARITY_SHAPE = 0.45
# The fewest ratings of a user in MovieLens, if the mean allows it.
_LEAST_BY_USER = 20
# Concentration of a film's kinds and of a user's tastes: below 1, few of them matter.
_FILM_CONCENTRATION = 0.06
_USER_CONCENTRATION = 0.09
# Of the mean of the genres' shares, from which a film has the genre.
_GENRE_FROM = 0.25
# How much of a film's quality goes with the logarithm of its popularity.
_QUALITY_OF_FAME = 0.6
_FIRST_YEAR, _LAST_YEAR = 1920, 2000
_GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Science Fiction",
    "War",
    "Western",
)


@dataclass(frozen=True, eq=False)
class World:
    """What ratings are drawn from.

    Attributes:
        config: the settings.
        counts: int64 [users], how many films each user rates; their sum is `config.ratings`.
        kinds: float32 [items, tastes], how much of each kind a film is; rows sum to 1.
        cumulative: float64 [tastes * items], ascending: g + the share of films up to f among what
            taste g leads to, so that one binary search draws a film for a taste.
        tastes: float64 [tastes], the share of each among all ratings.
        quality: float32 [items], what a film adds to everybody's stars; standardized.
        heyday: float64 [items], when a film is in fashion, as a share of the span.
    """

    config: SyntheticConfig
    counts: NDArray[np.int64]
    kinds: NDArray[np.float32]
    cumulative: Floats
    tastes: Floats
    quality: NDArray[np.float32]
    heyday: Floats

    @classmethod
    def of(cls, config: SyntheticConfig) -> World:
        """The world of some settings."""
        rng = np.random.default_rng([config.seed, 0])
        counts = _counts(config, rng)
        popularity = rng.gamma(_POPULARITY_SHAPE, size=config.items) ** config.film_skew
        # A film without any chance could never make up the number that somebody rates.
        popularity = np.maximum(popularity, 1e-12)
        pull = _pull(popularity / popularity.sum(), counts)
        kinds = _dirichlet(rng, np.full(config.tastes, _FILM_CONCENTRATION), config.items)
        by_taste = (kinds * pull[:, None]).T
        shares = np.cumsum(by_taste, axis=1)
        totals = shares[:, -1:].copy()
        shares /= totals
        fame = np.log(popularity)
        fame = (fame - fame.mean()) / max(float(fame.std()), 1e-12)
        own = rng.standard_normal(config.items)
        quality = _QUALITY_OF_FAME * fame + np.sqrt(1 - _QUALITY_OF_FAME**2) * own
        return cls(
            config,
            counts,
            kinds.astype(np.float32),
            (shares + np.arange(config.tastes)[:, None]).reshape(-1),
            totals[:, 0] / totals.sum(),
            quality.astype(np.float32),
            rng.uniform(-0.5, 1.5, config.items),
        )

    def likings(self, rng: np.random.Generator, users: int) -> Floats:
        """Tastes of so many users, float64 [users, tastes]; rows sum to 1."""
        concentration = _USER_CONCENTRATION * self.config.tastes * self.tastes
        return _dirichlet(rng, np.maximum(concentration, 1e-3), users)

    def films(self) -> pl.DataFrame:
        """Columns `movie_id`, `title`, `genres` (separated by `|`) and `year`, a row a film."""
        rng = np.random.default_rng([self.config.seed, 1])
        numbers = np.arange(1, self.config.items + 1)
        # Recent years have more films.
        age = np.minimum(rng.exponential(12, len(numbers)), _LAST_YEAR - _FIRST_YEAR)
        return pl.DataFrame(
            {
                "movie_id": numbers,
                "title": [f"Film {number}" for number in numbers.tolist()],
                "genres": ["|".join(self._genres(row)) for row in self.kinds],
                "year": (_LAST_YEAR - age).astype(np.int64),
            }
        )

    def _genres(self, kinds: NDArray[np.float32]) -> list[str]:
        most = np.flatnonzero(kinds >= min(_GENRE_FROM, float(kinds.max())))
        names = {_GENRES[number % len(_GENRES)] for number in most.tolist()}
        return sorted(names)


def _counts(config: SyntheticConfig, rng: np.random.Generator) -> NDArray[np.int64]:
    """How much each user rates: a least number, and beyond it log-normal, cut at the most."""
    mean = config.ratings / config.users
    least = int(max(1, min(_LEAST_BY_USER, mean // 2)))
    most = config.most_by_user
    least = min(least, most)
    beyond = rng.lognormal(0.0, config.user_spread, config.users)
    wanted = float(config.ratings - least * config.users)
    # What is cut from the most active ones goes to the others.
    factor = wanted / beyond.sum()
    for _ in range(50):
        total = np.minimum(beyond * factor, most - least).sum()
        if abs(total - wanted) < 0.5:
            break
        factor *= wanted / total
    counts = least + np.floor(np.minimum(beyond * factor, most - least)).astype(np.int64)
    return _exactly(counts, config.ratings, 1, most)


def _exactly(counts: NDArray[np.int64], total: int, least: int, most: int) -> NDArray[np.int64]:
    """The counts, changed by as little as brings their sum to `total`, from the first on."""
    while missing := total - int(counts.sum()):
        step = 1 if missing > 0 else -1
        able = np.flatnonzero(counts < most if step > 0 else counts > least)
        counts[able[: abs(missing)]] += step
    return counts


def _pull(shares: Floats, counts: NDArray[np.int64]) -> Floats:
    """How strongly films draw raters, if each is to have such a share of all ratings.

    Nobody rates a film twice, so what is popular must be drawn more often than it is rated: at a
    pull of p a user of n ratings has the film with chance 1 - exp(-n p). The average of that over
    the users is turned around.
    """
    typical: Floats = np.quantile(counts, np.linspace(0, 1, 501))
    pulls: Floats = np.logspace(-12, 0, 500)
    reached: Floats = 1 - np.exp(-np.outer(pulls, typical)).mean(axis=1)
    wanted: Floats = np.minimum(shares * counts.mean(), 0.95)
    logarithms: Floats = np.interp(np.log(wanted), np.log(reached), np.log(pulls))
    return np.exp(logarithms)


def _dirichlet(rng: np.random.Generator, concentration: Floats, rows: int) -> Floats:
    """Rows of shares that sum to 1, float64 [rows, len(concentration)]."""
    drawn = rng.standard_gamma(concentration, (rows, len(concentration)))
    # So small a concentration may give a row of zeros, in which any one will do.
    empty = np.flatnonzero(drawn.sum(axis=1) == 0)
    drawn[empty, rng.integers(0, len(concentration), len(empty))] = 1
    return drawn / drawn.sum(axis=1, keepdims=True)
