"""The application: routes around a `Site`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from matinee import __version__
from matinee.service.settings import Settings
from matinee.service.site import Site


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application; its `Site` is `app.state.site`.

    Raises:
        ModelFileError: no model that can be used.
        StoreError: no store that can be used.
    """
    site = Site(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        yield
        site.close()

    app = FastAPI(title="Matinee", version=__version__, lifespan=lifespan)
    app.state.site = site
    if settings.page:
        from matinee.service.web.routes import router

        app.include_router(router(site))
    return app
