"""The page's routes."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from matinee.service.site import Site


def router(site: Site) -> APIRouter:
    """The routes of the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def home() -> PlainTextResponse:
        return PlainTextResponse(f"Matinee, model {site.models.current.version}; API: /docs")

    return routes
