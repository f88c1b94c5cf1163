"""A person's recommendations, ratings and data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from matinee.service.advice import Wish
from matinee.service.answers import Erased, Export, RatingOut, Recommendations
from matinee.service.api.access import AnyCaller, caller, check_for
from matinee.service.api.cursors import make_cursor, read_cursor
from matinee.service.problems import problem_responses
from matinee.service.schemas import Id, ListQuery, RatingRequest
from matinee.service.site import Site
from matinee.store import Written

UserId = Annotated[Id, Path(description="Of the training data, or any other.")]
MovieId = Annotated[Id, Path()]


def routes(site: Site) -> APIRouter:
    """The routes under `/v1/users`."""
    router = APIRouter(prefix="/v1/users/{user_id}", tags=["people"])
    private = [Depends(caller)] if site.settings.private_reads else []

    @router.get(
        "/recommendations",
        response_model=Recommendations,
        responses=problem_responses(401, 403, 404, 409) if private else problem_responses(404, 409),
        dependencies=private,
    )
    async def recommendations(
        request: Request, user_id: UserId, wish: Annotated[ListQuery, Query()]
    ) -> Recommendations:
        """The list for a person; what they rated a moment ago counts."""
        if private:
            check_for(request.scope["caller"], user_id)
        return await site.run_short(_recommend, site, user_id, wish)

    @router.put(
        "/ratings/{movie_id}",
        response_model=RatingOut,
        responses=problem_responses(401, 403, 404),
    )
    async def put_rating(
        who: AnyCaller, user_id: UserId, movie_id: MovieId, body: RatingRequest
    ) -> RatingOut:
        """Set a rating; it is on the disk when this answers, and counts in the next list."""
        check_for(who, user_id)
        written = await site.run_write(site.rate, user_id, movie_id, body.stars)
        return _rating(user_id, movie_id, written)

    @router.delete(
        "/ratings/{movie_id}", response_model=RatingOut, responses=problem_responses(401, 403, 404)
    )
    async def delete_rating(who: AnyCaller, user_id: UserId, movie_id: MovieId) -> RatingOut:
        """Take a rating back, be it of the training data or newer."""
        check_for(who, user_id)
        written = await site.run_write(site.unrate, user_id, movie_id)
        return _rating(user_id, movie_id, written)

    @router.get("", response_model=Export, responses=problem_responses(401, 403))
    async def export(who: AnyCaller, user_id: UserId) -> Export:
        """All that is kept of a person."""
        check_for(who, user_id)
        return Export.model_validate(await site.run(site.export, user_id))

    @router.delete("", response_model=Erased, responses=problem_responses(401, 403))
    async def erase(who: AnyCaller, user_id: UserId) -> Erased:
        """Forget a person: ratings and events are removed, the model's knowledge is not used."""
        check_for(who, user_id)
        return Erased(removed=await site.run_write(site.erase, user_id))

    return router


def _recommend(site: Site, user_id: str, query: ListQuery) -> Recommendations:
    live = site.models.current
    asked = f"{user_id} {query.model_dump_json(exclude={'n', 'cursor'})}"
    offset = 0 if query.cursor is None else read_cursor(query.cursor, live.version, asked)
    wish = Wish(
        n=query.n,
        offset=offset,
        genres=tuple(query.genre),
        years=(query.year_from, query.year_to),
        exclude_seen=query.exclude_seen,
        diversity=query.diversity,
    )
    advice = site.recommend(user_id, wish, live)
    site.count_shown(advice.films)
    after = offset + len(advice.films)
    return Recommendations.of(
        advice, make_cursor(live.version, after, asked) if advice.more else None
    )


def _rating(user_id: str, movie_id: str, written: Written) -> RatingOut:
    return RatingOut(
        user_id=user_id,
        movie_id=movie_id,
        stars=written.stars,
        changed=written.changed,
        at_s=written.at_s,
    )
