"""From who asks and what they wish to a list of films: the one place that calls the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.config import require
from matinee.errors import ConfigError, NotFoundError
from matinee.service.films import Film, Shelf, fits_wish
from matinee.service.versions import Live
from matinee.store import Standing, StoredRating
from matinee.types import FloatArray, IntArray, Query, Reason, Recommendation

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
        diversity: 0 for the best films alone … 1 for films as unlike each other as can be; None
            for what the model was made with.
        exclude: ids of more films to leave out.
    """

    n: int = 10
    offset: int = 0
    genres: tuple[str, ...] = ()
    years: tuple[int | None, int | None] = (None, None)
    exclude_seen: bool = True
    diversity: float | None = None
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(1 <= self.n <= MOST, "n", self.n, f"1 … {MOST}")
        require(0 <= self.offset <= DEEPEST, "offset", self.offset, f"0 … {DEEPEST}")
        if self.diversity is not None:
            require(0.0 <= self.diversity <= 1.0, "diversity", self.diversity, "0 … 1")


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
        beyond: ids of the films they rated that the model does not know.
        unwanted: ids of the films that are not to be in their lists.
    """

    query: Query
    beyond: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()


def taste_of_user(shelf: Shelf, user_id: str, standing: Standing) -> Taste:
    """A person's taste: what the model learned of them, and what they said since.

    Args:
        shelf: the films.
        user_id: who.
        standing: what the store has of them.
    """
    taste = _taste_of_ratings(shelf, user_id, standing)
    return replace(taste, unwanted=standing.disliked) if standing.disliked else taste


def _taste_of_ratings(shelf: Shelf, user_id: str, standing: Standing) -> Taste:
    users = shelf.live.recommender.train.users
    if not standing.ratings and not standing.erased:
        return Taste(Query(users.number(user_id) if user_id in users else None))
    trained = {} if standing.erased else trained_ratings(shelf.live, user_id)
    history = merged(trained, standing.ratings)
    # Whoever took back what the model learned from is, to the model, somebody it never saw.
    known = bool(trained) and trained.keys() <= history.keys()
    index = users.number(user_id) if known else None
    if known and history == trained:
        return Taste(Query(index))
    return taste_of_history(shelf, history, index)


def taste_of_history(
    shelf: Shelf, history: Mapping[str, float], user_index: int | None = None
) -> Taste:
    """The taste of a history: stars by film id, oldest first.

    Args:
        shelf: the films.
        history: all of it.
        user_index: of somebody the model knows, whose training ratings are among it.

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
    beyond = frozenset(movie_id for movie_id in history if shelf.number(movie_id) is None)
    if not numbers:
        return Taste(Query(), beyond)
    query = Query(user_index, np.array(numbers, np.int32), np.array(stars, np.float32))
    return Taste(query, beyond)


def check_stars(stars: float, low: float, high: float) -> None:
    """Refuse stars off the scale.

    Raises:
        ConfigError: they are.
    """
    if not low <= stars <= high:
        raise ConfigError(f"stars = {stars:g}; expected {low:g} … {high:g}")


def trained_ratings(live: Live, user_id: str) -> dict[str, float]:
    """What a model was trained on of a user: stars by film id, oldest first."""
    train = live.recommender.train
    if user_id not in train.users:
        return {}
    rows = live.rows_of(train.users.number(user_id))
    numbers, stars = train.item_index[rows].tolist(), train.rating[rows].tolist()
    return {live.movie_ids[number]: value for number, value in zip(numbers, stars, strict=True)}


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


def advise(shelf: Shelf, tastes: Sequence[Taste], wish: Wish) -> list[Advice]:
    """The lists of some tastes for one wish.

    Films rated since the model was trained are always left out, as those of a visitor's history
    and those that somebody disliked.
    """
    together = iter(_advise(shelf, [taste for taste in tastes if not taste.unwanted], wish))
    return [
        _advise(shelf, [taste], replace(wish, exclude=(*wish.exclude, *taste.unwanted)))[0]
        if taste.unwanted
        else next(together)
        for taste in tastes
    ]


def _advise(shelf: Shelf, tastes: Sequence[Taste], wish: Wish) -> list[Advice]:
    # One more, to know whether the list goes on.
    lists = shelf.live.recommender.recommend_many(
        [taste.query for taste in tastes],
        min(wish.offset + wish.n + 1, len(shelf.live.recommender.catalog)),
        exclude_seen=wish.exclude_seen,
        allow=_allowed(shelf, wish),
        diversity=wish.diversity,
        explain=True,
    )
    return [_advice(shelf, *one, wish) for one in zip(tastes, lists, strict=True)]


def _advice(shelf: Shelf, taste: Taste, listed: Sequence[Recommendation], wish: Wish) -> Advice:
    films = [_advised(shelf, film) for film in listed]
    scores = np.array([film.score for film in listed])
    for place, new in _newcomers(shelf, taste, scores, wish):
        films.insert(place, new)
    end = wish.offset + wish.n
    return Advice(shelf.live.version, tuple(films[wish.offset : end]), len(films) > end)


def _allowed(shelf: Shelf, wish: Wish) -> NDArray[np.bool_]:
    """The model's films that may be in the list: bool [n_items]."""
    allow = shelf.allowed(wish.genres, wish.years)
    numbers = [number for one in wish.exclude if (number := shelf.number(one)) is not None]
    allow[numbers] = False
    return allow


def _advised(shelf: Shelf, found: Recommendation) -> Advised:
    """A film as the model found it, under the title that the store gives it."""
    return Advised(shelf.film(found.movie_id), found.stars, found.source, found.reasons)


def similar(shelf: Shelf, film: Film, n: int) -> Advice:
    """Films like one: by the model's own measure, or for one it does not know by features.

    Raises:
        NotFoundError: nothing is known of it.
        ConfigError: the model does not know which films are alike.
    """
    live = shelf.live
    if film.movie_id in shelf.added:
        if not film.genres and film.year is None:
            raise NotFoundError("the film has neither genres nor a year; add them to find its like")
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


def _stars(shelf: Shelf, query: Query, numbers: IntArray) -> FloatArray:
    return shelf.live.recommender.predict([query], numbers[None])[0]


def _with_stars(shelf: Shelf, query: Query, numbers: IntArray, source: str) -> list[Advised]:
    if not len(numbers):
        return []
    stars = _stars(shelf, query, numbers)
    return [
        Advised(shelf.at(int(number)), round(float(star), 4), source)
        for number, star in zip(numbers, stars, strict=True)
    ]


def _newcomers(
    shelf: Shelf, taste: Taste, listed_scores: NDArray[np.float64], wish: Wish
) -> list[tuple[int, Advised]]:
    """Films the model does not know, each with its place in the list.

    The mean score of the films most like one stands for its own, and their mean stars for its
    stars; its place is the one that its score has among those of the list.
    """
    excluded = {*wish.exclude, *taste.beyond}
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
    top = recommender.first_stage([taste.query], len(speakers), None, allow)
    items, scores = top.row(0)
    score_of = dict(zip(items.tolist(), scores.tolist(), strict=True))
    stars = stars_of(shelf, taste, new)
    placed = list[tuple[float, int, Advised]]()
    for film, value in zip(new, stars, strict=True):
        own = [score_of[int(n)] for n in shelf.spoken_for[film.movie_id] if int(n) in score_of]
        score = float(np.mean(own)) if own else -np.inf
        place = int((listed_scores > score).sum())
        placed.append((score, place, Advised(film, round(value, 4), "new")))
    placed.sort(key=lambda entry: -entry[0])
    return [(place + before, film) for before, (_, place, film) in enumerate(placed)]
