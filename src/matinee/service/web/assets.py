"""Files of the page, and covers, with addresses that change when their content does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matinee.service.films import Film
from matinee.service.site import Site
from matinee.service.web.covers import draw_cover

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff": "font/woff",
    ".txt": "text/plain; charset=utf-8",
}
# Raise it when covers are drawn otherwise, so that browsers ask for them again.
_DRAWING = 1
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
# A cover opened by itself runs nothing and asks for nothing.
_ALONE = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


def asset_url(name: str) -> str:
    """The address of a file under `static/`."""
    return f"/static/{name}?v={_digest(_files()[name])}"


def cover_url(film: Film) -> str:
    """The address of a film's cover."""
    printed = repr((_DRAWING, film.name, film.year, film.genres))
    version = _digest(printed.encode(errors="replace"))
    return f"/covers/{quote(film.movie_id, safe='')}?v={version}"


def film_url(film: Film) -> str:
    """The address of a film's page."""
    return f"/films/{quote(film.movie_id, safe='')}"


def add_routes(routes: APIRouter, site: Site) -> None:
    """The routes of files and covers."""

    @routes.get("/static/{name:path}")
    def static(name: str) -> Response:
        content = _files().get(name)
        if content is None:
            raise HTTPException(404, "no such file")
        headers = _FOR_EVER | {"x-content-type-options": "nosniff"}
        return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])

    @routes.get("/covers/{movie_id:path}")
    def cover(movie_id: str) -> Response:
        film = site.film(movie_id)
        drawn = draw_cover(film.name, film.year, film.genres)
        return Response(drawn, headers=_FOR_EVER | _ALONE, media_type=_TYPES[".svg"])


@cache
def _files() -> dict[str, bytes]:
    return {
        path.relative_to(_STATIC).as_posix(): path.read_bytes()
        for path in sorted(_STATIC.rglob("*"))
        if path.suffix in _TYPES
    }


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()
