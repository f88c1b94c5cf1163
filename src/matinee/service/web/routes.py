"""The page's routes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from matinee.errors import ConfigError, DataError, MatineeError, NotFoundError
from matinee.service.problems import RETRY_AFTER_S, status_of, told_of
from matinee.service.site import Site
from matinee.service.web import assets, comparing, film_page, home, operating, own_ratings
from matinee.service.web.notices import PASS, UNRATE, WANT, passed_cookie, rated_cookie
from matinee.service.web.pages import Pages, on
from matinee.store import Event

_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
Text = Annotated[str, Form()]
__all__ = ["error_page", "router"]
_TITLES = defaultdict(
    lambda: "That did not work",
    {403: "A stale ticket", 404: "Not on the programme", 503: "A short intermission"},
)


def router(site: Site) -> APIRouter:
    """The routes of the page."""
    pages = _pages(site)
    routes = APIRouter(include_in_schema=False, route_class=PageRoute)
    for part in (home, film_page, own_ratings, comparing, operating):
        part.add_routes(routes, pages)
    assets.add_routes(routes, site)
    _add_stars(routes, pages)
    return routes


def _add_stars(routes: APIRouter, pages: Pages) -> None:
    site = pages.site

    @routes.post("/stars/{movie_id:path}")
    @on(site.run_write)
    def stars(
        request: Request, movie_id: str, stars: Text, token: Text = "", back: Text = "/"
    ) -> Response:
        """Set stars, take them back or pass a film by; then show the page they were given on."""
        visitor = pages.visitor(request)
        visitor.check(token)
        if stars in (PASS, WANT):
            kind = "dislike" if stars == PASS else "undislike"
            site.record([Event(kind, visitor.user_id, movie_id)])
            return pages.back(request, back, passed_cookie(movie_id, stars))
        before = {rated.movie_id: rated.stars for rated in site.ratings(visitor.user_id)}
        if stars == UNRATE:
            written = site.unrate(visitor.user_id, movie_id)
        else:
            written = site.rate(visitor.user_id, movie_id, _number(stars))
        told = rated_cookie(movie_id, written.stars, before.get(movie_id))
        return pages.back(request, back, told)


class PageRoute(APIRoute):
    """A route whose errors people can read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, with a page for whatever it raises."""
        answer = super().get_route_handler()

        async def answer_or_explain(request: Request) -> Response:
            try:
                return await answer(request)
            except HTTPException as error:
                status, detail = error.status_code, str(error.detail)
            except RequestValidationError:
                status, detail = 422, "Something is missing in the form, or the file."
            except DataError as error:
                status, detail = 422, str(error)
            except NotFoundError:
                status, detail = 404, "No such film is shown here. Look for it by its title, above."
            except MatineeError as error:
                status, detail = status_of(error), told_of(request, error)
                if status == 500:
                    raise
            return await run_in_threadpool(error_page, request, status, _TITLES[status], detail)

        return answer_or_explain


def error_page(request: Request, status: int, title: str, detail: str) -> Response:
    """A page that says what went wrong; it asks nothing of the model or the store."""
    pages = _pages(request.app.state.site)
    values = {"title": title, "detail": detail, "rated": 0}
    response = pages.show(request, "error.html.jinja", status, **values)
    if status == 503:
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    return response


@lru_cache(maxsize=4)
def _pages(site: Site) -> Pages:
    return Pages(site)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ConfigError("stars are no number; give them by the buttons")
    return float(text)
