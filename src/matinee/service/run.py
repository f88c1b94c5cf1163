"""The process that serves: one event loop, its log, and an orderly end."""

from __future__ import annotations

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from matinee.service.app import create_app
from matinee.service.logs import configure
from matinee.service.settings import Settings

_SHUTDOWN_S = 10
# More than one read of a socket (256 KiB), which may end a body before a head begins.
_LARGEST_HEAD = 1 << 19


class Protocol(HttpToolsProtocol):
    """HTTP by a parser in C, which costs a third less; here it ends heads that do not end."""

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


def run(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    configure(settings.log_level)
    app = create_app(settings)
    app.state.site.settle()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=Protocol,
        loop="asyncio",
        # The log is set up already; a line for each request comes from the gate.
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
