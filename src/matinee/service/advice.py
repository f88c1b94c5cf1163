"""From who asks and what they wish to a list of films: the one place that calls the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.config import require
from matinee.errors import ConfigError
from matinee.service.films import Film, Shelf, fits_wish
from matinee.store import StoredRating
from matinee.types import EMPTY_ITEM, IntArray, Query, TopK

MOST = 100
DEEPEST = 1_000


@dataclass(frozen=True)
class Wish:
    """What a list is to be like.

    Attributes:
        n: how many films, 1 … 100.
        offset: how many films of the list to pass over, 0 … 1000.
        genres: of which each film has at least one; () for any.
        years: first and last year of release; None for open.
        exclude_seen: leave out what they rated.
        diversity: 0 for the best films alone … 1 for films as unlike each other as can be.
        exclude: ids of more films to leave out.
    """

    n: int = 10
    offset: int = 0
    genres: tuple[str, ...] = ()
    years: tuple[int | None, int | None] = (None, None)
    exclude_seen: bool = True
    diversity: float = 0.0
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(1 <= self.n <= MOST, "n", self.n, f"1 … {MOST}")
        require(0 <= self.offset <= DEEPEST, "offset", self.offset, f"0 … {DEEPEST}")
        require(0.0 <= self.diversity <= 1.0, "diversity", self.diversity, "0 … 1")


@dataclass(frozen=True)
class Reason:
    """A film they rated that speaks for one in the list.

    Attributes:
        movie_id: its id.
        title: with the year.
        share: its part of all that speaks for the film, 0 … 1.
    """

    movie_id: str
    title: str
    share: float


@dataclass(frozen=True)
class Advised:
    """A film of a list.

    Attributes:
        film: which.
        stars: predicted rating, on the scale of the ratings.
        source: why it is here; as `matinee.Recommendation.source`, or "new" for a film that the
            model does not know and films like it speak for.
        reasons: rated films that speak for it.
    """

    film: Film
    stars: float
    source: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Advice:
    """A list, all of it from one version of the model.

    Attributes:
        version: the model's.
        films: best first.
        more: whether the list goes on.
    """

    version: str
    films: tuple[Advised, ...]
    more: bool = False


@dataclass(frozen=True, eq=False)
class Taste:
    """Who asks, as a model understands them.

    Attributes:
        query: for the model.
        seen: ids of the films they rated.
    """

    query: Query
    seen: frozenset[str] = frozenset()


def taste_of_user(
    shelf: Shelf, user_id: str, stored: Sequence[StoredRating], erased: bool
) -> Taste:
    """A person's taste: what the model learned of them, and what they said since.

    Args:
        shelf: the films.
        user_id: who.
        stored: what the store has of them, oldest first.
        erased: forget what the model learned of them.
    """
    recommender = shelf.live.recommender
    trained = {} if erased else trained_ratings(shelf, user_id)
    history = merged(trained, stored)
    if history == trained and trained:
        return Taste(Query(recommender.train.users.number(user_id)), frozenset(trained))
    return taste_of_history(shelf, history)


def taste_of_history(shelf: Shelf, history: Mapping[str, float]) -> Taste:
    """The taste of a history: stars by film id, oldest first.

    Raises:
        NotFoundError: a film that is not there.
        ConfigError: stars off the scale.
    """
    low, high = shelf.live.recommender.train.scale
    numbers, stars = list[int](), list[float]()
    for movie_id, value in history.items():
        check_stars(value, low, high)
        number = shelf.number(movie_id)
        if number is not None:
            numbers.append(number)
            stars.append(value)
    if not numbers:
        return Taste(Query(), frozenset(history))
    query = Query(None, np.array(numbers, np.int32), np.array(stars, np.float32))
    return Taste(query, frozenset(history))


def check_stars(stars: float, low: float, high: float) -> None:
    """Refuse stars off the scale.

    Raises:
        ConfigError: they are.
    """
    if not low <= stars <= high:
        raise ConfigError(f"stars = {stars:g}; expected {low:g} … {high:g}")


def trained_ratings(shelf: Shelf, user_id: str) -> dict[str, float]:
    """What the model was trained on of a user: stars by film id, oldest first."""
    train = shelf.live.recommender.train
    if user_id not in train.users:
        return {}
    return {
        train.items.id(int(train.item_index[row])): float(train.rating[row])
        for row in shelf.live.rows_of(train.users.number(user_id))
    }


def merged(trained: Mapping[str, float], stored: Iterable[StoredRating]) -> dict[str, float]:
    """Ratings a model was trained on, and newer ones: stars by film id, what was said last last."""
    history = dict(trained)
    for rating in stored:
        if rating.stars is None:
            history.pop(rating.movie_id, None)
        elif history.get(rating.movie_id) != rating.stars:
            history.pop(rating.movie_id, None)
            history[rating.movie_id] = rating.stars
    return history


def advise(shelf: Shelf, taste: Taste, wish: Wish) -> Advice:
    """The list for a taste and a wish."""
    live, depth = shelf.live, wish.offset + wish.n + 1
    excluded = {*wish.exclude, *(taste.seen if wish.exclude_seen else ())}
    found, listed = _listed(shelf, taste.query, depth, excluded, wish)
    source = live.recommender.source(taste.query)
    films = _with_stars(shelf, taste.query, listed, source)
    for place, new in _newcomers(shelf, taste.query, found, excluded, wish):
        films.insert(place, new)
    page = films[wish.offset : wish.offset + wish.n]
    return Advice(live.version, tuple(page), len(films) > wish.offset + wish.n)


def similar(shelf: Shelf, film: Film, n: int) -> Advice:
    """Films like one: by the model's own measure, or for one it does not know by features.

    Raises:
        NotFoundError: nobody rated it.
        ConfigError: the model does not know which films are alike.
    """
    live = shelf.live
    if film.movie_id in shelf.added:
        numbers = shelf.neighbours(film)[:n]
    else:
        near = live.recommender.similar(film.movie_id, min(n + 50, len(live.recommender.catalog)))
        known = [shelf.number(other.movie_id) for other in near]
        allow = shelf.allowed((), (None, None))
        numbers = np.array([m for m in known if m is not None and allow[m]][:n], np.int32)
    return Advice(live.version, tuple(_with_stars(shelf, Query(), numbers, "similar")))


def stars_of(shelf: Shelf, taste: Taste, films: Sequence[Film]) -> list[float]:
    """Predicted stars of films; for one the model does not know, the mean of films like it."""
    groups = [
        shelf.spoken_for[film.movie_id]
        if film.movie_id in shelf.added
        else np.array([shelf.number(film.movie_id)], np.int32)
        for film in films
    ]
    if not groups:
        return []
    stars = _stars(shelf, taste.query, np.concatenate(groups))
    ends = np.cumsum([len(group) for group in groups])[:-1]
    return [float(part.mean()) for part in np.split(stars, ends)]


def _stars(shelf: Shelf, query: Query, numbers: IntArray) -> np.ndarray:
    return shelf.live.recommender.predict([query], numbers[None])[0]


def _with_stars(shelf: Shelf, query: Query, numbers: IntArray, source: str) -> list[Advised]:
    if not len(numbers):
        return []
    stars = _stars(shelf, query, numbers)
    return [
        Advised(shelf.at(int(number)), round(float(star), 4), source)
        for number, star in zip(numbers, stars, strict=True)
    ]


def _listed(
    shelf: Shelf, query: Query, depth: int, excluded: set[str], wish: Wish
) -> tuple[TopK, IntArray]:
    """What the first stage finds, and the numbers of both stages' list of the model's films."""
    recommender = shelf.live.recommender
    numbers = [shelf.number(movie_id) for movie_id in excluded]
    forbidden = np.array([n for n in numbers if n is not None], np.int32)
    allow = shelf.allowed(wish.genres, wish.years)
    k = min(max(depth, recommender.candidates), len(allow))
    found = recommender.first_stage([query], k, [forbidden], allow)
    front = slice(0, recommender.candidates)
    ranked = recommender.rank([query], TopK(found.items[:, front], found.scores[:, front])).items
    order = np.concatenate([ranked[0], found.items[0, recommender.candidates :]])
    return found, order[order != EMPTY_ITEM][:depth]


def _newcomers(
    shelf: Shelf, query: Query, found: TopK, excluded: set[str], wish: Wish
) -> list[tuple[int, Advised]]:
    """Films the model does not know, each with its place in the list.

    The mean score of the films most like one stands for its own, and their mean stars for its
    stars; its place is the one that its score has among those of the list.
    """
    new = [
        film
        for film in shelf.added.values()
        if film.movie_id not in excluded and fits_wish(film, wish.genres, wish.years)
    ]
    if not new:
        return []
    recommender = shelf.live.recommender
    speakers = np.unique(np.concatenate([shelf.spoken_for[film.movie_id] for film in new]))
    allow = np.zeros(len(recommender.catalog), np.bool_)
    allow[speakers] = True
    top = recommender.first_stage([query], len(speakers), None, allow)
    items, scores = top.row(0)
    score_of = dict(zip(items.tolist(), scores.tolist(), strict=True))
    stars = stars_of(shelf, Taste(query), new)
    listed_scores = found.row(0)[1]
    placed = list[tuple[float, int, Advised]]()
    for film, value in zip(new, stars, strict=True):
        own = [score_of[int(n)] for n in shelf.spoken_for[film.movie_id] if int(n) in score_of]
        score = float(np.mean(own)) if own else -np.inf
        place = int((listed_scores > score).sum())
        placed.append((score, place, Advised(film, round(value, 4), "new")))
    placed.sort(key=lambda entry: -entry[0])
    return [(place + before, film) for before, (_, place, film) in enumerate(placed)]
