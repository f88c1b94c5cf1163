"""Ratings of some users at a time: when, which films, and how many stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.synthetic.world import Floats, World

Ints = NDArray[np.int64]

# Ratings that are drawn at once: this bounds the memory.
BLOCK_RATINGS = 1 << 19
_START = 956_700_000  # seconds since 1970: the first rating, in April 2000
_DAY = 86_400
# Of MovieLens 1M: who comes back at all, and how often what they rate next is in a new sitting.
_RETURNING = 0.27
_NEW_SITTING = 0.16
_SECONDS_BETWEEN = 22.0
# Out of fashion, a film is rated so many times as often as in its heyday; how long that is, as a
# share of the span.
_OUT_OF_FASHION = 0.4
_FASHION_WIDTH = 0.25
# Rounds of drawing again what somebody has already; then what is left is picked at once.
_ROUNDS = 12
# Shares of variance in a score: who, which film, taste, and chance.
_WHO, _FILM, _TASTE, _CHANCE = 0.16, 0.22, 0.18, 0.44


@dataclass(frozen=True, eq=False)
class Drawn:
    """Ratings of a block of users, by user and then by time.

    Attributes:
        user: int64 [n], numbers from 0.
        item: int64 [n], numbers from 0; no pair of the two stands there twice.
        score: float64 [n], how much it was liked; stars are cut from it.
        timestamp: int64 [n], seconds since 1970.
    """

    user: Ints
    item: Ints
    score: Floats
    timestamp: Ints


def blocks_of(counts: Ints) -> list[slice]:
    """Runs of users who have about `BLOCK_RATINGS` ratings together."""
    number = (np.cumsum(counts) - 1) // BLOCK_RATINGS
    firsts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    return [slice(*ends) for ends in zip(firsts, [*firsts[1:], len(counts)], strict=True)]


def draw(world: World, users: slice, rng: np.random.Generator) -> Drawn:
    """The ratings of some users.

    Each has tastes and picks films one after the other: a taste, then a film of it that is in
    fashion and that they have not rated. So a user's films are a sample without replacement from a
    mixture of the tastes' films, which is what a factor model can learn.

    Args:
        world: what to draw from.
        users: which of them.
        rng: used up by this call.
    """
    counts = world.counts[users]
    likings = world.likings(rng, len(counts))
    owner = np.repeat(np.arange(len(counts)), counts)
    timestamp = _times(world, counts, owner, rng)
    moment = (timestamp - _START) / (world.config.span_days * _DAY)
    item = _films(world, likings, owner, moment, rng)
    match = np.einsum("nt,nt->n", likings[owner], world.kinds[item])
    # A match of tastes is 1/T for strangers to each other and at most 1.
    match = np.sqrt(match)
    match = (match - match.mean()) / max(float(match.std()), 1e-12)
    who = rng.standard_normal(len(counts))[owner]
    parts = zip(
        (_WHO, _FILM, _TASTE, _CHANCE),
        (who, world.quality[item], match, rng.standard_normal(len(owner))),
        strict=True,
    )
    score = sum((np.sqrt(share) * part for share, part in parts), np.zeros(len(owner)))
    return Drawn(owner + users.start, item, score, timestamp)


def _times(world: World, counts: Ints, owner: Ints, rng: np.random.Generator) -> Ints:
    """When each rating was made: sittings of many, seconds apart, of which most users have one."""
    span = world.config.span_days * _DAY
    arrival = rng.uniform(0, span, len(counts))
    returning = rng.random(len(counts)) < _RETURNING
    ends = np.cumsum(counts)
    first = np.zeros(len(owner), np.bool_)
    first[ends - counts] = True
    opens = first | (returning[owner] & (rng.random(len(owner)) < _NEW_SITTING))
    sitting = np.cumsum(opens) - 1
    whose = owner[opens]
    # Later sittings fall anywhere after the arrival, in the order of time.
    begin = arrival[whose] + (span - arrival[whose]) * rng.random(len(whose))
    begin[first[opens]] = arrival
    begin = begin[np.lexsort((begin, whose))]
    gap = rng.exponential(_SECONDS_BETWEEN, len(owner))
    gap[opens] = 0
    passed = np.cumsum(gap)
    passed -= passed[np.flatnonzero(opens)][sitting]
    seconds = _START + (begin[sitting] + passed).astype(np.int64)
    # A sitting may run into the next one.
    return seconds[np.lexsort((seconds, owner))]


def _films(
    world: World, likings: Floats, owner: Ints, moment: Floats, rng: np.random.Generator
) -> Ints:
    """A film for each rating, none twice for one user."""
    size = world.config.items
    leaning = np.cumsum(likings, axis=1)
    item = np.full(len(owner), -1)
    taken = np.empty(0, np.int64)
    for _ in range(_ROUNDS):
        places = np.flatnonzero(item < 0)
        if not len(places):
            return item
        films = _films_of(world, leaning[owner[places]], rng)
        kept = rng.random(len(places)) < _fashion(world, films, moment[places])
        places, films = places[kept], films[kept]
        keys = owner[places] * size + films
        _, firsts = np.unique(keys, return_index=True)
        firsts = firsts[~np.isin(keys[firsts], taken, assume_unique=True)]
        item[places[firsts]] = films[firsts]
        taken = np.concatenate([taken, keys[firsts]])
    _fill(world, likings, owner, moment, item, rng)
    return item


def _films_of(world: World, leaning: Floats, rng: np.random.Generator) -> Ints:
    """A taste by each row of cumulated shares, and a film of it."""
    size = world.config.items
    drawn = rng.random((len(leaning), 1))
    taste = np.minimum((leaning < drawn).sum(axis=1), leaning.shape[1] - 1)
    aim: Floats = taste + rng.random(len(taste))
    found: Ints = np.searchsorted(world.cumulative, aim, side="right")
    return np.clip(found - taste * size, 0, size - 1)


def _fashion(world: World, items: Ints, moment: Floats) -> Floats:
    """How likely a film is to be picked at a moment, beside its heyday."""
    away = (moment - world.heyday[items]) / _FASHION_WIDTH
    return _OUT_OF_FASHION + (1 - _OUT_OF_FASHION) * np.exp(-(away**2) / 2)


def _fill(
    world: World,
    likings: Floats,
    owner: Ints,
    moment: Floats,
    item: Ints,
    rng: np.random.Generator,
) -> None:
    """Picks all that is missing of users who have most of what they like.

    By the largest of log chance + Gumbel noise, which has the law of drawing until enough films
    are new (Yellott 1977), at the cost of looking at every film once.
    """
    size = world.config.items
    shares = np.diff(world.cumulative.reshape(-1, size), axis=1, prepend=0)
    shares[:, 0] -= np.arange(len(shares))
    for user in np.unique(owner[item < 0]).tolist():
        first, last = np.searchsorted(owner, [user, user + 1])
        own = item[first:last]
        missing = np.flatnonzero(own < 0)
        chance = np.maximum(likings[user] @ shares, 1e-300)
        chance *= _fashion(world, np.arange(size), moment[first + missing[-1]])
        keys = np.log(chance) + rng.gumbel(size=size)
        keys[own[own >= 0]] = -np.inf
        own[missing] = np.argsort(-keys)[: len(missing)]
