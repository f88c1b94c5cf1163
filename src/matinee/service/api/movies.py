"""Films: found, shown, likened, added; and lists that are the same for everybody."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matinee.service.answers import Changed, GroupOut, Groups, Movie, Movies, Recommendations
from matinee.service.api.access import Admin
from matinee.service.problems import problem_responses
from matinee.service.schemas import ID_PATTERN, Genre, Id, MovieRequest, N
from matinee.service.site import Site

MovieId = Annotated[Id, Path()]
_Sought = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ID_PATTERN)]


class SearchQuery(BaseModel):
    """What is sought."""

    model_config = ConfigDict(extra="forbid")

    q: _Sought = Field(description="A title, or something like it.")
    n: N = 10


class CountQuery(BaseModel):
    """How many films."""

    model_config = ConfigDict(extra="forbid")

    n: N = 10


class NamedQuery(CountQuery):
    """How many films, and of which genre."""

    genre: Genre | None = None


def routes(site: Site) -> APIRouter:
    """The routes of films."""
    router = APIRouter(prefix="/v1", tags=["films"])

    @router.get("/movies", response_model=Movies, responses=problem_responses())
    async def search(query: Annotated[SearchQuery, Query()]) -> Movies:
        """Films by their titles; typing errors are forgiven."""
        return Movies(movies=[Movie.of(f) for f in await site.run(site.search, query.q, query.n)])

    @router.get("/movies/{movie_id}", response_model=Movie, responses=problem_responses(404))
    async def movie(movie_id: MovieId) -> Movie:
        """One film."""
        return Movie.of(site.film(movie_id))

    @router.get(
        "/movies/{movie_id}/similar",
        response_model=Recommendations,
        responses=problem_responses(404),
    )
    async def similar(movie_id: MovieId, query: Annotated[CountQuery, Query()]) -> Recommendations:
        """Films like one, with the stars of the average person."""
        return Recommendations.of(await site.run(site.similar, movie_id, query.n))

    @router.put("/movies/{movie_id}", response_model=Changed, responses=problem_responses(401, 403))
    async def put_movie(who: Admin, movie_id: MovieId, body: MovieRequest) -> Changed:
        """Add a film, which can be recommended at once by its genres and year, or alter one."""
        changed = await site.run_write(site.put_film, movie_id, body.title, body.year, body.genres)
        return Changed(changed=changed)

    @router.delete(
        "/movies/{movie_id}", response_model=Changed, responses=problem_responses(401, 403, 404)
    )
    async def delete_movie(who: Admin, movie_id: MovieId) -> Changed:
        """Show a film to nobody any more."""
        return Changed(changed=await site.run_write(site.delete_film, movie_id))

    @router.get("/lists/{name}", response_model=Movies, responses=problem_responses())
    async def named(
        name: Literal["popular", "trending", "new"], query: Annotated[NamedQuery, Query()]
    ) -> Movies:
        """A list that is the same for everybody."""
        makers = {"popular": site.popular, "trending": site.trending, "new": site.newest}
        films = await site.run(makers[name], query.n, query.genre)
        return Movies(movies=[Movie.of(film) for film in films])

    @router.get("/onboarding/groups", response_model=Groups, responses=problem_responses())
    async def groups() -> Groups:
        """Well-known films of several kinds, to pick first ratings from."""
        found = await site.run(site.onboarding)
        return Groups(
            groups=[
                GroupOut(
                    group_id=group.group_id,
                    title=group.title,
                    movies=[Movie.of(film) for film in group.films],
                )
                for group in found
            ]
        )

    return router
