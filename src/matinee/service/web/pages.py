"""Templates become answers: what every page knows, and the headers that every page has."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from matinee.service.site import Site
from matinee.service.web import notices
from matinee.service.web.assets import asset_url, cover_url, film_url
from matinee.service.web.covers.lettering import shorten
from matinee.service.web.visitor import Visitor, remember, set_cookie, visitor_of

# Nothing but the page's own files; no script or style in the page itself.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # What is on a page is one visitor's own.
    "cache-control": "private, no-store",
}
_MOST_BUTTONS = 10
_MOST_LETTERS = 200
P = ParamSpec("P")
Answer = Callable[P, Coroutine[Any, Any, Response]]


def on(
    run: Callable[..., Coroutine[Any, Any, Any]],
) -> Callable[[Callable[P, Response]], Answer[P]]:
    """Let a route answer on one of the site's pools, which refuse what they cannot do soon.

    Args:
        run: `Site.run`, `Site.run_write` or `Site.run_long`.
    """

    def decorate(answer: Callable[P, Response]) -> Answer[P]:
        @wraps(answer)
        async def pooled(*args: P.args, **kwargs: P.kwargs) -> Response:
            return await run(answer, *args, **kwargs)

        return pooled

    return decorate


class Pages:
    """Shows templates to visitors.

    Args:
        site: what the pages are about.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Jinja leaves the types of both tables open.
        names = cast(dict[str, Any], self._environment.globals)  # pyright: ignore[reportUnknownMemberType]
        names |= {"asset": asset_url, "cover": cover_url, "link": film_url, "steps": self._steps}
        kinds = cast(dict[str, Any], self._environment.filters)  # pyright: ignore[reportUnknownMemberType]
        kinds |= {"day": _day, "clock": _clock, "stars": _stars, "brief": brief}

    def visitor(self, request: Request) -> Visitor:
        """Who asks."""
        return visitor_of(request, self.site.page_secret)

    def show(
        self, request: Request, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page for whoever asks; it tells once what was done before."""
        visitor = self.visitor(request)
        notice = notices.notice_of(request, self.site)
        rated = values.pop("rated", None)
        content = self._environment.get_template(template).render(
            visitor=visitor,
            notice=notice,
            back=values.pop("back", request.url.path),
            n_rated=len(self.site.ratings(visitor.user_id)) if rated is None else rated,
            path=request.url.path,
            today=_day(time.time(), weekday=True),
            n_films=len(self.site.shelf()),
            **values,
        )
        response = HTMLResponse(content, status, HEADERS)
        remember(response, visitor, request)
        if notices.COOKIE in request.cookies:
            response.delete_cookie(notices.COOKIE, httponly=True, samesite="lax")
        return response

    def back(self, request: Request, address: str, notice: str | None = None) -> Response:
        """After a form: to a page of ours, which tells what was done."""
        response = RedirectResponse(own_address(address), 303, HEADERS)
        if notice is not None:
            set_cookie(response, request, notices.COOKIE, notice, 60)
        return response

    def _steps(self) -> list[int]:
        """The stars that can be given: whole numbers of the scale, at most ten."""
        low, high = self.site.scale
        steps = list(range(max(1, int(low)), int(high) + 1))
        return steps[-_MOST_BUTTONS:]


def own_address(address: str) -> str:
    """An address on this site, the first page for one that may lead elsewhere."""
    plain = address.isprintable() and address.isascii() and "\\" not in address
    return address if plain and address.startswith("/") and address[1:2] != "/" else "/"


def brief(title: str) -> str:
    """As much of a title as anybody reads; ten thousand letters take a browser seconds."""
    return shorten(title, _MOST_LETTERS)


def _day(at_s: float, weekday: bool = False) -> str:
    moment = time.gmtime(at_s)
    form = f"%A {moment.tm_mday} %B %Y" if weekday else f"{moment.tm_mday} %b %Y"
    return time.strftime(form, moment)


def _clock(at_s: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at_s))


def _stars(value: float) -> str:
    return f"{value:g} star" if value == 1 else f"{value:g} stars"
