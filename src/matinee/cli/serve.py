"""`matinee serve`: the service and the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def serve(
    model: Annotated[
        str | None, typer.Option(help="Directory of a model, or of versions of one.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="sqlite:///FILE or postgresql://…; where ratings are kept.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at.")] = None,
    config: Annotated[Path | None, typer.Option(help="A .toml file of settings.")] = None,
) -> None:
    """Serve recommendations by HTTP, and the page."""
    from matinee.service.settings import load_settings

    given = {"model": model, "store": store, "host": host, "port": port}
    settings = load_settings(given, os.environ, config)
    from matinee.service.run import run

    run(settings)
