"""For whoever runs the service: versions of the model, health, measurements."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from matinee.errors import StoreError
from matinee.service.answers import Activated, Health, VersionOut, Versions
from matinee.service.api.access import Admin
from matinee.service.problems import problem_responses
from matinee.service.schemas import Id
from matinee.service.site import Site

VersionName = Annotated[Id, Path()]


def routes(site: Site) -> APIRouter:
    """The routes of models and health."""
    router = APIRouter()

    @router.get(
        "/v1/models",
        response_model=Versions,
        responses=problem_responses(401, 403),
        tags=["models"],
    )
    async def models(who: Admin) -> Versions:
        """All versions of the model, and which one answers."""
        found = await site.run_operator(site.models.versions)
        return Versions(
            current=site.models.current.version,
            versions=[
                VersionOut(
                    version=one.version,
                    active=one.active,
                    problem=one.problem,
                    metrics=dict(one.metrics),
                )
                for one in found
            ],
        )

    @router.post(
        "/v1/models/{version}:activate",
        response_model=Activated,
        responses=problem_responses(401, 403, 404, 409),
        tags=["models"],
    )
    async def activate(who: Admin, version: VersionName) -> Activated:
        """Let a version answer; one that is damaged is refused, and the old one goes on."""
        return Activated(current=(await site.run_operator(site.activate, version)).version)

    @router.post(
        "/v1/models/{version}:rollback",
        response_model=Activated,
        responses=problem_responses(401, 403, 404, 409),
        tags=["models"],
    )
    async def rollback(who: Admin, version: VersionName) -> Activated:
        """From a version, the current one, back to the one that answered before it."""
        return Activated(current=(await site.run_operator(site.rollback, version)).version)

    @router.get("/livez", tags=["health"])
    async def livez() -> dict[str, str]:
        """Whether the process answers at all."""
        return {"status": "ok"}

    @router.get(
        "/readyz", response_model=Health, responses={503: {"model": Health}}, tags=["health"]
    )
    async def readyz(request: Request) -> Response:
        """Whether it can recommend: 503 if the store cannot be read."""
        version = site.models.current.version
        try:
            await site.run_write(site.store.ping)
        except StoreError as error:
            request.scope["why"] = str(error)
            health = Health(status="unavailable", model_version=version, store="unavailable")
            return JSONResponse(health.model_dump(), 503)
        return JSONResponse(Health(status="ok", model_version=version, store="ok").model_dump())

    @router.get("/metrics", tags=["health"], response_class=Response)
    async def metrics() -> Response:
        """Measurements in Prometheus's text format."""
        return Response(site.telemetry.page(), media_type=CONTENT_TYPE_LATEST)

    return router
