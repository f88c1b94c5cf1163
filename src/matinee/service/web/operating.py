"""The operator's page, behind an administrator's key: how the service does."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from matinee.service.web.pages import Pages


def add_routes(routes: APIRouter, pages: Pages) -> None:
    """The route of the operator's page."""
    site = pages.site

    @routes.get("/operator")
    def operator(request: Request) -> Response:
        if not _is_admin(site.settings.keys, _password(request)):
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
        counts = site.store.counts()
        return pages.show(
            request,
            "operator.html.jinja",
            versions=site.models.versions(),
            summary=site.telemetry.summary(),
            counts=counts,
            click_through=counts.clicks / counts.impressions if counts.impressions else None,
        )


def _is_admin(keys: tuple[str, ...], key: str) -> bool:
    """Whether a key is an administrator's; every hash is compared, in constant time."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    hashes = [known.rpartition(":")[2] for known in keys if known.split(":")[1] == "admin"]
    return sum(hmac.compare_digest(digest, known) for known in hashes) > 0


def _password(request: Request) -> str:
    """The password of HTTP Basic authentication (RFC 7617); "" for none."""
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
