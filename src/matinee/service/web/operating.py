"""The operator's page, behind an administrator's key: how the service does."""

from __future__ import annotations

import base64
import binascii

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from matinee.service.keys import Keys
from matinee.service.web.pages import Pages
from matinee.store import Reception

# Of all that was measured in training, what tells versions apart at a glance.
_MEASURED = ("ndcg@10", "recall@10", "rmse")


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The route of the operator's page."""
    site = pages.site
    keys = Keys(site.settings.keys)

    @routes.get("/operator")
    async def operator(request: Request) -> Response:
        caller = keys.caller_of(f"Bearer {_password(request)}")
        if caller is None or caller.role != "admin":
            return await site.run(ask, request)
        # It is wanted most when the threads that recommend have too much to do.
        return await site.run_operator(show, request)

    def ask(request: Request) -> Response:
        asked = {"www-authenticate": 'Basic realm="Matinee operator", charset="UTF-8"'}
        response = pages.show(
            request,
            "error.html.jinja",
            401,
            title="Operators only",
            detail="Give any name, and an administrator's key as the password.",
        )
        response.headers.update(asked)
        return response

    def show(request: Request) -> Response:
        counts = site.store.counts()
        overall = Reception(counts.impressions, counts.clicks)
        return pages.show(
            request,
            "operator.html.jinja",
            versions=site.models.versions(),
            measured=_MEASURED,
            summary=site.telemetry.summary(),
            counts=counts,
            click_through=overall.click_through,
            receptions=site.store.receptions(),
            nothing=Reception(),
        )


def _password(request: Request) -> str:
    """The password of HTTP Basic authentication (RFC 7617); "" for none."""
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
