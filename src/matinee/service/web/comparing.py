"""Two models' lists for the same person, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from matinee.errors import MatineeError
from matinee.service.advice import Wish
from matinee.service.films import Film
from matinee.service.versions import Version
from matinee.service.web.pages import Pages, on

_LENGTH = 12


@dataclass(frozen=True)
class Place:
    """A film in one of the lists.

    Attributes:
        film: which.
        rank: its place, from 1.
        other: its place in the other list; None if it is not there.
    """

    film: Film
    rank: int
    other: int | None


@dataclass(frozen=True)
class Side:
    """One of the lists.

    Attributes:
        version: the model's.
        active: whether it is the one that serves.
        places: its films.
    """

    version: str
    active: bool
    places: tuple[Place, ...]


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The route of the comparison."""
    site = pages.site

    @routes.get("/compare")
    @on(site.run_long)
    def compare(request: Request, a: str = "", b: str = "") -> Response:
        versions = [version for version in site.models.versions() if version.problem is None]
        names = _chosen(versions, a, b)
        user_id = pages.visitor(request).user_id
        lists: list[list[Film]] = []
        problem = ""
        try:
            for name in names:
                live = site.models.read(name)
                advised = site.recommend(user_id, Wish(n=_LENGTH), live).films
                lists.append([advised_film.film for advised_film in advised])
        except MatineeError as error:
            problem, names, lists = str(error), [], []
        active = {version.version for version in versions if version.active}
        sides = [
            Side(name, name in active, places(mine, lists[1 - i]))
            for i, (name, mine) in enumerate(zip(names, lists, strict=True))
        ]
        return pages.show(
            request,
            "compare.html.jinja",
            versions=[version.version for version in versions],
            sides=sides,
            shared=sum(place.other is not None for place in sides[0].places) if sides else 0,
            problem=problem,
        )


def places(mine: Sequence[Film], theirs: Sequence[Film]) -> tuple[Place, ...]:
    """One list, with each film's place in the other one."""
    ranks = {film.movie_id: rank for rank, film in enumerate(theirs, 1)}
    return tuple(Place(film, rank, ranks.get(film.movie_id)) for rank, film in enumerate(mine, 1))


def _chosen(versions: Sequence[Version], a: str, b: str) -> list[str]:
    """The two versions to compare: those asked for, or the active one and the newest other."""
    names = [version.version for version in versions]
    if len(names) < 2:
        return []
    active = next((version.version for version in versions if version.active), names[-1])
    first = a if a in names else active
    others = [name for name in names if name != first]
    return [first, b if b in others else others[-1]]
