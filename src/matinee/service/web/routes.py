"""The page's routes."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from matinee.errors import ConfigError
from matinee.service.site import Site
from matinee.service.web import assets, comparing, film_page, home, operating, own_ratings
from matinee.service.web.notices import UNRATE, rated_cookie
from matinee.service.web.pages import Pages

Text = Annotated[str, Form()]
__all__ = ["error_page", "router"]


def router(site: Site) -> APIRouter:
    """The routes of the page."""
    routes = APIRouter(include_in_schema=False)
    pages = _pages(site)
    for part in (home, film_page, own_ratings, comparing, operating):
        part.add_routes(routes, pages)
    assets.add_routes(routes, site)
    _add_stars(routes, pages)
    return routes


def _add_stars(routes: APIRouter, pages: Pages) -> None:
    site = pages.site

    @routes.post("/stars/{movie_id:path}")
    def stars(
        request: Request, movie_id: str, stars: Text, token: Text = "", back: Text = "/"
    ) -> Response:
        """Set stars or take them back, then show again the page they were given on."""
        visitor = pages.visitor(request)
        visitor.check(token)
        before = {rated.movie_id: rated.stars for rated in site.ratings(visitor.user_id)}
        if stars == UNRATE:
            written = site.unrate(visitor.user_id, movie_id)
        else:
            written = site.rate(visitor.user_id, movie_id, _number(stars))
        told = rated_cookie(movie_id, written.stars, before.get(movie_id))
        return pages.back(request, back, told)


def error_page(request: Request, status: int, title: str, detail: str) -> Response:
    """A page that says what went wrong; it asks nothing of the model or the store."""
    pages = _pages(request.app.state.site)
    values = {"title": title, "detail": detail, "rated": 0}
    return pages.show(request, "error.html.jinja", status, **values)


@lru_cache(maxsize=4)
def _pages(site: Site) -> Pages:
    return Pages(site)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"stars = {text[:20]!r}; expected a number") from None
