"""Lists for people without an id, and for many at once; what happened on screens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from matinee.errors import ConflictError
from matinee.service.advice import Wish
from matinee.service.answers import Batch, Recommendations, Recorded, UserRecommendations
from matinee.service.api.access import AnyCaller, caller, check_for
from matinee.service.problems import problem_responses
from matinee.service.schemas import ID_PATTERN, BatchRequest, EventsRequest, HistoryRequest
from matinee.service.site import Site

# So many lists are made at once: more would take memory, and gain no time.
_TOGETHER = 50


def routes(site: Site) -> APIRouter:
    """The routes that name no person in their path."""
    router = APIRouter(prefix="/v1")
    private = [Depends(caller)] if site.settings.private_reads else []

    @router.post(
        "/recommendations",
        response_model=Recommendations,
        responses=problem_responses(404, 409),
        tags=["visitors"],
    )
    async def for_history(body: HistoryRequest) -> Recommendations:
        """The list for a history, of which nothing is stored."""
        return await site.run_short(_for_history, site, body)

    @router.post(
        "/recommendations:batch",
        response_model=Batch,
        responses=problem_responses(*((401, 403) if private else ())),
        dependencies=private,
        tags=["people"],
    )
    async def batch(request: Request, body: BatchRequest) -> Batch:
        """Lists for up to 1,000 people."""
        if private:
            for user_id in body.user_ids:
                check_for(request.scope["caller"], user_id)
        return await site.run_long(_batch, site, body)

    @router.post(
        "/events",
        response_model=Recorded,
        responses=problem_responses(401, 403, 404, 409),
        tags=["people"],
    )
    async def events(
        who: AnyCaller,
        body: EventsRequest,
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", min_length=1, max_length=128, pattern=ID_PATTERN),
        ] = None,
    ) -> Recorded:
        """Record what was shown, opened, or not wanted; once for each Idempotency-Key."""
        for event in body.events:
            check_for(who, event.user_id)
        # Two callers may choose the same key.
        own = None if key is None else f"{who.name} {key}"
        found = [event.event() for event in body.events]
        return Recorded(recorded=await site.run_write(site.record, found, own))

    return router


def _for_history(site: Site, body: HistoryRequest) -> Recommendations:
    history = {film.movie_id: film.stars for film in body.history}
    if len(history) != len(body.history):
        raise ConflictError("the history names a film twice; expected each film once")
    wish = Wish(
        n=body.n,
        genres=tuple(body.genres),
        years=(body.year_from, body.year_to),
        exclude_seen=body.exclude_seen,
        diversity=body.diversity,
        exclude=tuple(body.exclude),
    )
    advice = site.recommend_to(history, wish)
    site.count_shown(advice.films)
    return Recommendations.of(advice)


def _batch(site: Site, body: BatchRequest) -> Batch:
    live, wish = site.models.current, Wish(n=body.n)
    users = list[UserRecommendations]()
    for start in range(0, len(body.user_ids), _TOGETHER):
        some = body.user_ids[start : start + _TOGETHER]
        for user_id, found in zip(some, site.recommend_many(some, wish, live), strict=True):
            site.count_shown(found.films)
            listed = Recommendations.of(found).recommendations
            users.append(UserRecommendations(user_id=user_id, recommendations=listed))
    return Batch(model_version=live.version, users=users)
