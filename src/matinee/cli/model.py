"""`matinee model …`: saved models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import options as o
from matinee.cli.show import show_json, show_line, show_table

model_app = typer.Typer(help="Look at saved models.", no_args_is_help=True, rich_markup_mode=None)


@model_app.callback()
def model_commands() -> None:
    """Look at saved models."""


@model_app.command(epilog="example: matinee model verify models/ml-100k")
def verify(
    directory: Annotated[Path, typer.Argument(help="Directory of a model.")],
    json: o.Json = False,
) -> None:
    """Check every hash, shape and number of a model."""
    from matinee.artifacts import load_model, read_manifest

    model = load_model(directory)
    manifest = read_manifest(directory)
    if json:
        show_json({"model": str(directory), "ok": True, "manifest": manifest})
        return
    rows = [
        (name, f"{entry['size']:,}", entry["sha256"][:12])
        for name, entry in manifest["files"].items()
    ]
    show_table(f"{directory} is whole", ["file", "bytes", "SHA-256"], rows, right=["bytes"])
    show_line(f"{model.recommender.train}, protocol {model.data['protocol']}, seed {model.seed}")
