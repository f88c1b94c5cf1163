"""A film's page: its cover, your stars, what the model guessed, and films like it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from matinee.service import advice
from matinee.service.films import Film
from matinee.service.site import Site
from matinee.service.web.home import record
from matinee.service.web.pages import Pages, on
from matinee.service.web.programme import Card, is_liked, like, shown
from matinee.store import Event

_LIKE_IT = 12
_NEAR = 100
_REASONS = 3


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The route of a film."""
    site = pages.site

    @routes.get("/films/{movie_id:path}")
    @on(site.run)
    def film(request: Request, movie_id: str, reveal: str = "", place: str = "") -> Response:
        subject = site.film(movie_id)
        visitor = pages.visitor(request)
        own = {rated.movie_id: rated.stars for rated in site.ratings(visitor.user_id)}
        stars = own.pop(movie_id, None)
        near = like(site, movie_id, _NEAR)
        passed = site.disliked(visitor.user_id)
        others = [f for f in near if f.movie_id not in own and f.movie_id not in passed][:_LIKE_IT]
        response = pages.show(
            request,
            "film.html.jinja",
            film=subject,
            own=stars,
            passed=movie_id in passed,
            guess=_guess(site, subject, own) if reveal or stars is not None else None,
            informed=bool(own),
            because=[(o, own[o.movie_id]) for o in _speaking(site, subject, near, own)],
            similar=[Card(other) for other in others],
            rated=len(own) + (stars is not None),
        )
        if place.isascii() and place.isdecimal() and len(place) < 4:
            version = site.models.current.version
            click = Event("click", visitor.user_id, movie_id, version, int(place))
            response.background = BackgroundTask(record, site, [click])
        return response


def _guess(site: Site, film: Film, others: Mapping[str, float]) -> float:
    """The stars the model expects of somebody who rated the others, this film unknown to it."""
    shelf = site.shelf()
    return advice.stars_of(shelf, advice.taste_of_history(shelf, others), [film])[0]


def _speaking(site: Site, film: Film, near: list[Film], own: Mapping[str, float]) -> list[Film]:
    """Films they rated that it is owed to: by the model, else those they liked among its like."""
    shelf = site.shelf()
    known = {
        movie_id: stars for movie_id, stars in own.items() if shelf.number(movie_id) is not None
    }
    if known and shelf.number(film.movie_id) is not None:
        recommender = shelf.live.recommender
        reasons = recommender.explain(film.movie_id, history=known, most=_REASONS).reasons
        owed = [other for reason in reasons if (other := shown(site, reason.movie_id))]
        if owed:
            return owed
    liked = [other for other in near if is_liked(site, own.get(other.movie_id, 0.0))]
    return liked[:_REASONS]
