"""The process that serves: one event loop, its log, and an orderly end."""

from __future__ import annotations

import uvicorn

from matinee.service.app import create_app
from matinee.service.logs import configure
from matinee.service.protocol import Protocol
from matinee.service.settings import Settings

_SHUTDOWN_S = 10


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
