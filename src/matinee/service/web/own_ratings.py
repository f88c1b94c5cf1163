"""My ratings: to alter, to bring along, to take away, to delete."""

from __future__ import annotations

import csv
import io
import time
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from matinee.service.films import Film
from matinee.service.site import Rated, Site
from matinee.service.web.importing import LARGEST_FILE, read_ratings
from matinee.service.web.notices import text_cookie
from matinee.service.web.pages import HEADERS, Pages, on
from matinee.service.web.programme import shown
from matinee.store import StoredRating

_PAGE = 60
_ORDERS = {"newest": "Newest first", "stars": "Most stars first", "title": "By title"}
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Text = Annotated[str, Form()]


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The routes of somebody's own ratings."""
    site = pages.site

    @routes.get("/ratings")
    @on(site.run)
    def ratings(request: Request, order: str = "newest", page: str = "1") -> Response:
        order = order if order in _ORDERS else "newest"
        listed = _listed(site, pages.visitor(request).user_id, order)
        last = max(1, -(-len(listed) // _PAGE))
        number = min(max(int(page) if page.isascii() and page.isdecimal() else 1, 1), last)
        return pages.show(
            request,
            "ratings.html.jinja",
            listed=listed[(number - 1) * _PAGE : number * _PAGE],
            orders=_ORDERS,
            order=order,
            page=number,
            last=last,
            rated=len(listed),
            back=f"/ratings?order={order}&page={number}",
        )

    @routes.get("/ratings/export.csv")
    @on(site.run)
    def export(request: Request) -> Response:
        content = as_csv(_listed(site, pages.visitor(request).user_id, "newest"))
        name = "attachment; filename=matinee-ratings.csv"
        headers = HEADERS | {"content-disposition": name}
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    @routes.post("/ratings/import")
    @on(site.run_write)
    def take_in(
        request: Request, file: Annotated[UploadFile, File()], token: Text = ""
    ) -> Response:
        visitor = pages.visitor(request)
        visitor.check(token)
        report = read_ratings(file.file.read(LARGEST_FILE + 1), site.shelf(), site.scale)
        now = time.time()
        rows = [
            StoredRating(visitor.user_id, movie_id, stars, at_s or now)
            for movie_id, (stars, at_s) in report.stars.items()
        ]
        changed = site.store.import_ratings(rows)
        return pages.show(request, "imported.html.jinja", report=report, changed=changed)

    @routes.get("/ratings/delete")
    @on(site.run)
    def ask(request: Request) -> Response:
        return pages.show(request, "delete.html.jinja")

    @routes.post("/ratings/delete")
    @on(site.run_write)
    def delete(request: Request, token: Text = "") -> Response:
        visitor = pages.visitor(request)
        visitor.check(token)
        return pages.back(request, "/", text_cookie("erased", site.erase(visitor.user_id)))


def as_csv(listed: list[tuple[Film, Rated]]) -> str:
    """Ratings as CSV that spreadsheets do not run and `read_ratings` reads back."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["movieId", "title", "year", "rating", "rated_at"])
    for film, rated in listed:
        at = rated.at_s
        moment = "" if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        row = [film.movie_id, film.name, film.year or "", f"{rated.stars:g}", moment]
        table.writerow([_harmless(str(cell)) for cell in row])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _listed(site: Site, user_id: str, order: str) -> list[tuple[Film, Rated]]:
    """Ratings with their films, those of films no longer shown left out."""
    pairs = ((shown(site, rated.movie_id), rated) for rated in reversed(site.ratings(user_id)))
    listed = [(film, rated) for film, rated in pairs if film is not None]
    if order == "stars":
        listed.sort(key=lambda pair: -pair[1].stars)
    elif order == "title":
        listed.sort(key=lambda pair: pair[0].name.casefold())
    return listed
