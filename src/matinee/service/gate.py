"""What every request passes: its id, its caller, its limits; then the log and the measurements."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee.service.keys import Keys
from matinee.service.limits import FULL, RateLimit
from matinee.service.logs import LOG
from matinee.service.problems import PageOfError, is_browsing, problem, title_of
from matinee.service.protocol import REFUSED
from matinee.service.site import Site

LARGEST_BODY = 1 << 20
_TOO_LARGE = f"a body of more than {LARGEST_BODY:,} bytes"
_BODY_S = 10.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Others share a name: whoever calls must not be able to make names.
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_WENT_AWAY = 499
_UNLIMITED = ("/livez", "/readyz", "/metrics")


class Gate:
    """The outermost layer of the application.

    Args:
        app: what is behind it.
        site: for its settings and measurements.
        page: how to show an error to somebody with a browser; None where there is no page.
    """

    def __init__(self, app: ASGIApp, site: Site, page: PageOfError | None = None) -> None:
        self._app = app
        self._page = page
        self._telemetry = site.telemetry
        self._keys = Keys(site.settings.keys)
        self._rate = RateLimit(site.settings.rate_per_s, site.settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        given = headers.get(b"x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["request_id"] = request_id
        scope["caller"] = self._keys.caller_of(headers.get(b"authorization"))
        answer = _Answer(send, request_id, api=scope["path"].startswith("/v1"))
        began_s = time.perf_counter()
        try:
            refusal = self._refusal(scope, headers)
            await (refusal or self._app)(scope, _limited(receive), answer.send)
        except Exception as error:
            await self._failure(error, scope, receive, answer, request_id)
        finally:
            self._note(scope, answer.status, time.perf_counter() - began_s, request_id)

    def _refusal(self, scope: Scope, headers: dict[bytes, str]) -> ASGIApp | None:
        """The answer to a request that goes no further; None lets it through."""
        length = headers.get(b"content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return self._error(scope, 413, _TOO_LARGE)
        if scope["path"] in _UNLIMITED:
            return None
        if scope.get("state", {}).get(REFUSED):
            return problem(503, FULL, scope["request_id"])
        caller = scope["caller"]
        client = (scope.get("client") or ("?",))[0]
        wait_s = self._rate.wait_s(f"key {caller.name}" if caller else f"at {client}")
        if not wait_s:
            return None
        retry = {"Retry-After": str(math.ceil(wait_s))}
        return self._error(scope, 429, "more requests than allowed; wait a moment", retry)

    def _error(
        self, scope: Scope, status: int, detail: str, headers: Mapping[str, str] | None = None
    ) -> ASGIApp:
        """An error as whoever asks can read it."""
        request = Request(scope)
        if self._page is None or not is_browsing(request):
            return problem(status, detail, scope["request_id"], headers=headers)
        answer = self._page(request, status, title_of(status), detail)
        answer.headers.update(headers or {})
        return answer

    async def _failure(
        self, error: Exception, scope: Scope, receive: Receive, answer: _Answer, request_id: str
    ) -> None:
        LOG.error("a request failed", exc_info=error, extra={"fields": {"request_id": request_id}})
        self._telemetry.failed(request_id, _route(scope), 500, type(error).__name__)
        if not answer.status:
            detail = f"this is a defect of the service; its log has more under {request_id}"
            await self._error(scope, 500, detail)(scope, receive, answer.send)

    def _note(self, scope: Scope, status: int, duration_s: float, request_id: str) -> None:
        route, caller = _route(scope), scope["caller"]
        method = scope["method"] if scope["method"] in _METHODS else "other"
        status = status or _WENT_AWAY
        self._telemetry.answered(method, route, status, duration_s)
        if status == 503:
            why = scope.get("why")
            self._telemetry.failed(request_id, route, status, why or "unavailable")
            if why:
                LOG.warning("unavailable", extra={"fields": {"request_id": request_id, "why": why}})
        LOG.info(
            "request",
            extra={
                "fields": {
                    "request_id": request_id,
                    "method": method,
                    "route": route,
                    "status": status,
                    "duration_ms": round(1e3 * duration_s, 2),
                    "caller": caller.name if caller else None,
                }
            },
        )


class _Answer:
    """Passes an answer on, with the headers that each has."""

    def __init__(self, send: Send, request_id: str, *, api: bool) -> None:
        self._send = send
        self._headers = [(b"x-request-id", request_id.encode())]
        if api:
            self._headers += [
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
            ]
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        await self._send(message)


def _limited(receive: Receive) -> Receive:
    """A body that ends in an error once it is too large or too slow."""
    size, ends_s = 0, asyncio.get_running_loop().time() + _BODY_S
    whole = False

    async def limited() -> Message:
        nonlocal size, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come in time") from None
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > LARGEST_BODY:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return limited


def _route(scope: Scope) -> str:
    """The route's template, which names nobody."""
    route = scope.get("route")
    return getattr(route, "path", None) or "unmatched"
