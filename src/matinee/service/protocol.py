"""HTTP as the process speaks it: heads that end, and refusals that cost next to nothing."""

from __future__ import annotations

import secrets
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from matinee.service.limits import FULL
from matinee.service.logs import LOG
from matinee.service.problems import MEDIA_TYPE, RETRY_AFTER_S, Problem, title_of
from matinee.service.site import Site

# More than one read of a socket (256 KiB), which may end a body before a head begins.
_LARGEST_HEAD = 1 << 19
# What has a list made for it, or sets a rating.
WAITING = ("/v1/users/", "/v1/recommendations", "/v1/lists/")
# In the state of a request: one too many, which the application is to refuse.
REFUSED = "matinee.refused"


class Protocol(HttpToolsProtocol):
    """HTTP by a parser in C, which costs a third less.

    It ends heads that do not end. And it admits so many requests at a time: others are refused as
    soon as their head is read, for a tenth of what the application takes to refuse them. Under more
    requests than can be answered, what a refusal costs is what those wait for that are accepted.
    """

    _head_size: int | None = None

    def data_received(self, data: bytes) -> None:
        """Parse what came; close the connection if it is still not all of a head."""
        super().data_received(data)
        if self._head_size is not None:
            self._head_size += len(data)
            if self._head_size > _LARGEST_HEAD:
                self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head_size = 0

    def on_headers_complete(self) -> None:
        """A head ends."""
        self._head_size = None
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope, site = cycle.scope, self._site
        if not scope["path"].startswith(WAITING) or not site.store.is_near:
            super()._start_asgi_task(cycle, app)
        elif not site.admitted.is_full:
            counted: Any = site.admitted.counted(app)
            super()._start_asgi_task(cycle, counted)
        elif scope["method"] == "GET" and not self.pipeline:
            self._refuse(cycle, site)
        else:
            # Its body is still to come, or others wait behind it, and to refuse one within the
            # other would end in Python's limit of calls: the application knows what to do.
            scope.setdefault("state", {})[REFUSED] = True
            super()._start_asgi_task(cycle, app)

    @property
    def _site(self) -> Site:
        app: Any = self.config.app
        return app.state.site

    def _refuse(self, cycle: RequestResponseCycle, site: Site) -> None:
        request_id = secrets.token_hex(8)
        self.transport.write(_refusal(request_id, cycle.keep_alive))
        cycle.response_complete = True
        count = site.telemetry.refused(request_id)
        if count:
            # A line for each of thousands a second would cost more than the refusals.
            fields = {"request_id": request_id, "status": 503, "count": count}
            LOG.warning("requests refused", extra={"fields": fields})
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _refusal(request_id: str, keep_alive: bool) -> bytes:
    """The answer of the application itself to a request too many, byte by byte."""
    told = Problem(title=title_of(503), status=503, detail=FULL, request_id=request_id)
    body = told.model_dump_json(exclude_none=True)
    head = (
        "HTTP/1.1 503 Service Unavailable",
        f"content-length: {len(body)}",
        f"content-type: {MEDIA_TYPE}",
        f"retry-after: {RETRY_AFTER_S}",
        f"x-request-id: {request_id}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        f"connection: {'keep-alive' if keep_alive else 'close'}",
    )
    return "\r\n".join((*head, "", body)).encode()
