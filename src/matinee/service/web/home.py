"""The first page: where to start, then rows that follow every star; and the search."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from matinee.errors import MatineeError
from matinee.service.films import Film
from matinee.service.site import Site
from matinee.service.web.filters import decades, filters_of
from matinee.service.web.pages import Pages, on
from matinee.service.web.programme import Card, Programme, popular_row, programme_for
from matinee.store import Event

_FOUND = 12
_LONGEST_QUERY = 100
_log = logging.getLogger("matinee.page")


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The routes of the first page and of the search."""
    site = pages.site

    @routes.get("/")
    @on(site.run)
    def home(request: Request) -> Response:
        visitor = pages.visitor(request)
        ratings = site.ratings(visitor.user_id)
        filters = filters_of(request, site.shelf())
        started = bool(ratings or filters.picks)
        passed = site.disliked(visitor.user_id)
        chosen = programme_for(site, visitor.user_id, ratings, filters, passed) if started else None
        response = pages.show(
            request,
            "home.html.jinja",
            filters=filters,
            genres=sorted(site.genres()),
            decades=decades(site.shelf()),
            groups=site.onboarding(),
            programme=chosen,
            popular=popular_row(site, filters, [*passed, *(rated.movie_id for rated in ratings)]),
            rated=len(ratings),
            back=filters.address,
        )
        if chosen is not None and ratings:
            response.background = BackgroundTask(_record_shown, site, visitor.user_id, chosen)
        return response

    @routes.get("/search")
    @on(site.run)
    def search(request: Request, q: str = "") -> Response:
        text = q[:_LONGEST_QUERY].strip()
        own = _own(site, pages.visitor(request).user_id)
        films = site.search(text, _FOUND) if text else []
        cards = [Card(film, own.get(film.movie_id)) for film in films]
        # As somebody types the films stand on another page, where their stars shall lead back to.
        typed = request.headers.get("hx-target") == "found"
        back = _address(request.headers.get("hx-current-url", "/") if typed else str(request.url))
        return pages.show(
            request, "search.html.jinja", q=text, cards=cards, rated=len(own), back=back
        )


def record(site: Site, events: list[Event]) -> None:
    """Keep events, which nobody waits for: a store that cannot is not the visitor's trouble."""
    try:
        site.record(events)
    except MatineeError as error:
        _log.warning("%d events were not kept: %s", len(events), error)


def _record_shown(site: Site, user_id: str, chosen: Programme) -> None:
    films: list[Film] = [card.film for card in chosen.rows[0].cards]
    record(
        site,
        [
            Event("impression", user_id, film.movie_id, chosen.version, place)
            for place, film in enumerate(films, 1)
        ],
    )


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _own(site: Site, user_id: str) -> dict[str, float]:
    return {rated.movie_id: rated.stars for rated in site.ratings(user_id)}
