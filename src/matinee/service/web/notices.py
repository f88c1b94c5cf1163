"""What was just done, told once on the next page, with a way back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from matinee.errors import NotFoundError
from matinee.service.films import Film
from matinee.service.site import Site
from matinee.service.web.covers.lettering import shorten

COOKIE = "matinee_notice"
UNRATE = "none"
# What is sent in place of stars by whoever does not want a film, and by whoever does after all.
PASS, WANT = "pass", "want"
_MOST_LETTERS = 80


@dataclass(frozen=True)
class Notice:
    """A sentence, and how to undo what it tells.

    Attributes:
        text: the sentence.
        film: which film's stars would go back; None where nothing can be undone.
        stars: what they were, as the form sends them, or WANT.
    """

    text: str
    film: Film | None = None
    stars: str = UNRATE


def rated_cookie(movie_id: str, stars: float | None, previous: float | None) -> str:
    """The cookie that tells of a rating."""
    return urlencode({"film": movie_id, "now": _sent(stars), "was": _sent(previous)})


def passed_cookie(movie_id: str, word: str) -> str:
    """The cookie that tells of a film that is not wanted (PASS), or is again (WANT)."""
    return urlencode({"film": movie_id, "word": word})


def text_cookie(kind: str, count: int) -> str:
    """The cookie that tells of something with a number."""
    return urlencode({"kind": kind, "count": count})


def notice_of(request: Request, site: Site) -> Notice | None:
    """What the cookie tells; None without one, or with one that makes no sense."""
    told = dict(parse_qsl(request.cookies.get(COOKIE, "").strip('"')))
    if told.get("kind") == "erased":
        return Notice("All your ratings are deleted.")
    if {"film", "word"} <= told.keys():
        return _passed(site, told["film"], told["word"])
    if not {"film", "now", "was"} <= told.keys():
        return None
    try:
        film = site.film(told["film"])
        now = None if told["now"] == UNRATE else float(told["now"])
        if told["was"] != UNRATE:
            float(told["was"])
    except (NotFoundError, ValueError):
        return None
    name = shorten(film.name, _MOST_LETTERS)
    if now is None:
        return Notice(f"Your stars for {name} are gone.", film, told["was"])
    plural = "star" if now == 1 else "stars"
    return Notice(f"You gave {name} {now:g} {plural}.", film, told["was"])


def _passed(site: Site, movie_id: str, word: str) -> Notice | None:
    try:
        film = site.film(movie_id)
    except NotFoundError:
        return None
    name = shorten(film.name, _MOST_LETTERS)
    if word == PASS:
        return Notice(f"{name} is out of your programme.", film, WANT)
    return Notice(f"{name} may be shown to you again.")


def _sent(stars: float | None) -> str:
    return UNRATE if stars is None else f"{stars:g}"
