"""The process that serves: one event loop, its log, and an orderly end."""

from __future__ import annotations

import sys

import uvicorn

from matinee.service.app import create_app
from matinee.service.logs import configure
from matinee.service.settings import Settings

_SHUTDOWN_S = 10
# After every call of the system the event loop has to get Python's lock back from the threads that
# compute. By Python's default that takes up to 5 ms each time: a service that has much to refuse
# would refuse so slowly that all wait.
_SWITCH_S = 0.0002


def run(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    configure(settings.log_level)
    sys.setswitchinterval(_SWITCH_S)
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
