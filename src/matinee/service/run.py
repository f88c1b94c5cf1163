"""The process that serves: its socket, one event loop, its log, and an orderly end."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from matinee.errors import MatineeError
from matinee.service.app import create_app
from matinee.service.logs import LOG, configure
from matinee.service.protocol import Protocol
from matinee.service.settings import Settings

_BACKLOG = 2_048
_SHUTDOWN_S = 10


def listen(settings: Settings) -> socket.socket:
    """A socket at the address and port; whoever comes before `run` waits for it.

    It is taken first, so that a port that is in use is told before anything slow is done.

    Raises:
        MatineeError: the port is in use, or not allowed, or there is no such address.
    """
    place = None
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        place = socket.socket(family, kind, protocol)
        # A service that was killed a moment ago is no reason to wait.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
        place.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        if place is not None:
            place.close()
        why = error.strerror if isinstance(error, OSError) else "no name of a machine"
        raise MatineeError(
            f"cannot listen at {settings.host}, port {settings.port} ({why}); "
            "expected an address of this machine and a port that is free; see --host and --port"
        ) from error
    return place


def address_of(place: socket.socket) -> str:
    """What a browser calls it."""
    host, port = place.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(settings: Settings, place: socket.socket, tell: Callable[[], None]) -> None:
    """Serve until the process is told to stop.

    Args:
        settings: how.
        place: where, from `listen`.
        tell: called once the model and the store are there.
    """
    configure(settings.log_level)
    app = create_app(settings)
    app.state.site.settle()
    tell()
    LOG.info("serving", extra={"fields": {"version": app.state.site.models.current.version}})
    config = uvicorn.Config(
        app,
        http=Protocol,
        loop="asyncio",
        backlog=_BACKLOG,
        # The log is set up already; a line for each request comes from the gate.
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    uvicorn.Server(config).run(sockets=[place])
