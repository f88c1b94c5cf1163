"""The process that serves: one event loop, its log, and an orderly end."""

from __future__ import annotations

import uvicorn

from matinee.service.app import create_app
from matinee.service.logs import configure
from matinee.service.settings import Settings

_SHUTDOWN_S = 10


def run(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    configure(settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        # The log is set up already; a line for each request comes from the gate.
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
