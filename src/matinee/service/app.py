"""The application: routes around a `Site`, behind the gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache, partial
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from matinee import __version__
from matinee.errors import MatineeError
from matinee.service import problems
from matinee.service.api import movies, operation, people, visitors
from matinee.service.gate import Gate
from matinee.service.logs import LOG
from matinee.service.settings import Settings
from matinee.service.site import Site

_REFRESH_S = 2.0


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application; its `Site` is `app.state.site`.

    Raises:
        ModelFileError: no model that can be used.
        StoreError: no store that can be used.
    """
    site = Site(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        refreshing = asyncio.create_task(_refresh(site))
        yield
        refreshing.cancel()
        with suppress(asyncio.CancelledError):
            await refreshing
        site.close()

    app = FastAPI(
        title="Matinee",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.site = site
    for part in (people, visitors, movies, operation):
        app.include_router(part.routes(site))
    page = None
    if settings.page:
        from matinee.service.web.routes import error_page as page
        from matinee.service.web.routes import router

        app.include_router(router(site))
    problems.install(app, page)
    app.add_middleware(cast("Any", Gate), site=site, page=page)
    described = lru_cache(1)(partial(_described, app))
    app.openapi = lambda: described(site.scale)
    return app


async def _refresh(site: Site) -> None:
    """Take up what other processes did, every other second."""
    while True:
        await asyncio.sleep(_REFRESH_S)
        try:
            await site.run_operator(site.refresh)
        except MatineeError as error:
            LOG.warning("nothing new was taken up", extra={"fields": {"why": str(error)}})


def _described(app: FastAPI, scale: tuple[float, float]) -> dict[str, Any]:
    """The OpenAPI document, with the schema of problems and the bounds of stars."""
    document = get_openapi(
        title=app.title, version=app.version, routes=app.routes, openapi_version="3.1.0"
    )
    schemas = document["components"]["schemas"]
    schemas |= problems.schema_of_problem()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    low, high = scale
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if field.pop("x-stars", False):
                field |= {"minimum": low, "maximum": high}
    return document
