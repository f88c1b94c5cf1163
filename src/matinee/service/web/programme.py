"""The rows of the first page: for you, because you liked, something different, hidden gems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from matinee.errors import ConfigError, NotFoundError
from matinee.service.advice import Advice, Advised
from matinee.service.films import Film
from matinee.service.site import Rated, Site
from matinee.service.web.covers.lettering import shorten
from matinee.service.web.filters import Filters

# One large and fourteen small ones fill three rows of six.
FOR_YOU = 15
_ROW = 12
_POOL = 100
_SHORTEST_ROW = 4
_SIMILAR = 60
_REASONS = 2
_MOST_LETTERS = 60
# The part of the scale, from below, under which stars do not speak for a film.
_LIKED = 0.75


@dataclass(frozen=True)
class Card:
    """A film in a row.

    Attributes:
        film: which.
        own: the visitor's stars; None if they gave none.
        why: half a sentence that says why it is here; "" for none.
    """

    film: Film
    own: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Row:
    """Films under one heading.

    Attributes:
        row_id: its name in the page and in addresses.
        title: the heading.
        note: what they have in common; "" for nothing to add.
        cards: the films, best first.
    """

    row_id: str
    title: str
    note: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Programme:
    """The first page of somebody with a taste.

    Attributes:
        version: of the model that chose.
        rows: the first one is the list for them.
    """

    version: str
    rows: tuple[Row, ...]


def is_liked(site: Site, stars: float) -> bool:
    """Whether stars speak for a film."""
    return stars >= _liked_from(site)


def shown(site: Site, movie_id: str) -> Film | None:
    """A film that somebody rated; None if it has been taken from the catalogue since."""
    try:
        return site.film(movie_id)
    except NotFoundError:
        return None


def like(site: Site, movie_id: str, n: int) -> list[Film]:
    """The n films most like one; none where the model cannot tell."""
    try:
        return [advised.film for advised in site.similar(movie_id, n).films]
    except (ConfigError, NotFoundError):
        return []


def programme_for(
    site: Site,
    user_id: str,
    ratings: Sequence[Rated],
    filters: Filters,
    passed: frozenset[str] = frozenset(),
) -> Programme:
    """All rows for somebody with ratings, or with groups picked; no film is in two of them.

    Args:
        site: the service.
        user_id: who.
        ratings: theirs.
        filters: their choices.
        passed: ids of the films that they do not want.
    """
    history = dict.fromkeys(picked(site, filters), _liked_from(site))
    history |= {r.movie_id: r.stars for r in ratings if shown(site, r.movie_id)}
    live = site.models.current

    def advise(n: int, diverse: bool = False, offset: int = 0) -> Advice:
        wish = filters.wish(n, offset=offset, diverse=diverse)
        if filters.picks:
            return site.recommend_to(history, replace(wish, exclude=tuple(passed)), live)
        return site.recommend(user_id, wish, live)

    advice = advise(FOR_YOU, diverse=True)
    rows = [Row("for-you", "For you", "", _cards(site, advice.films))]
    rows += _because(site, ratings, filters, _ids(rows) | history.keys() | passed)
    rows.append(_different(site, _others(advise(_POOL), rows), history))
    rows.append(_gems(site, _others(advise(_POOL, offset=_POOL), rows)))
    kept = [row for row in rows[1:] if len(row.cards) >= _SHORTEST_ROW]
    return Programme(advice.version, (rows[0], *kept))


def picked(site: Site, filters: Filters) -> list[str]:
    """The ids of the films of the groups that were picked."""
    groups = [group for group in site.onboarding() if group.group_id in filters.picks]
    return [film.movie_id for group in groups for film in group.films]


def popular_row(site: Site, filters: Filters, rated: Iterable[str]) -> Row:
    """What most people have seen, for whom nothing is known of."""
    seen = set(rated)
    films = site.popular(_POOL * 5, filters.genre or None)
    wanted = [f for f in films if filters.fits(f) and f.movie_id not in seen][: 2 * _ROW]
    return Row("popular", "Popular films", "Seen any of these?", tuple(Card(f) for f in wanted))


def _card(site: Site, advised: Advised) -> Card:
    films = [shown(site, reason.movie_id) for reason in advised.reasons]
    names = [_short(film) for film in films if film is not None][:_REASONS]
    return Card(advised.film, why=f"Goes with {' and '.join(names)}" if names else "")


def _cards(site: Site, films: Sequence[Advised]) -> tuple[Card, ...]:
    site.count_shown(films)
    return tuple(_card(site, advised) for advised in films)


def _liked_from(site: Site) -> float:
    """The fewest stars that speak for a film: four of five."""
    low, high = site.scale
    return low + _LIKED * (high - low)


def _short(film: Film) -> str:
    return shorten(film.name, _MOST_LETTERS)


def _because(site: Site, ratings: Sequence[Rated], filters: Filters, taken: set[str]) -> list[Row]:
    """Films like the two they liked last."""
    rows: list[Row] = []
    liked = [rated for rated in reversed(ratings) if is_liked(site, rated.stars)]
    for rated in liked[:4]:
        near = like(site, rated.movie_id, _SIMILAR)
        films = [f for f in near if filters.fits(f) and f.movie_id not in taken][:_ROW]
        if len(films) >= _SHORTEST_ROW and (film := shown(site, rated.movie_id)):
            taken = taken | {other.movie_id for other in films}
            title = f"Because you liked {_short(film)}"
            rows.append(Row(f"because-{len(rows)}", title, "", tuple(map(Card, films))))
        if len(rows) == 2:
            break
    return rows


def _different(site: Site, pool: Sequence[Advised], history: dict[str, float]) -> Row:
    """Good bets of none of the two genres that they liked most."""
    counts: Counter[str] = Counter()
    for movie_id, stars in history.items():
        if is_liked(site, stars):
            film = shown(site, movie_id)
            counts.update(film.genres if film else ())
    usual = [genre for genre, _ in counts.most_common(2)]
    films = [advised for advised in pool if not set(usual) & set(advised.film.genres)]
    note = f"Away from your usual {' and '.join(usual)}." if usual else ""
    return Row("different", "Something different", note, _cards(site, films[:_ROW]))


def _gems(site: Site, pool: Sequence[Advised]) -> Row:
    """Of what suits them, the third that fewest have rated, by the stars they would give."""
    rare = sorted(pool, key=lambda advised: advised.film.n_ratings)[: len(pool) // 3]
    best = sorted(rare, key=lambda advised: -advised.stars)[:_ROW]
    most = max((advised.film.n_ratings for advised in best), default=0)
    note = f"Each rated by {most:,} people at most." if most else ""
    return Row("gems", "Hidden gems", note, _cards(site, best))


def _others(advice: Advice, rows: Sequence[Row]) -> list[Advised]:
    """The films of a list that stand in none of the rows yet."""
    taken = _ids(rows)
    return [advised for advised in advice.films if advised.film.movie_id not in taken]


def _ids(rows: Sequence[Row]) -> set[str]:
    return {card.film.movie_id for row in rows for card in row.cards}
