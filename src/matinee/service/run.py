"""The process that serves: one event loop, its log, and an orderly end."""

from __future__ import annotations

import uvicorn

from matinee.service.app import create_app
from matinee.service.settings import Settings


def run(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    app = create_app(settings)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level=settings.log_level)
