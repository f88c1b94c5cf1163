"""`matinee demo`: from nothing to films on a screen, by one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import options as o
from matinee.cli.serve import with_key
from matinee.console import say


def demo(
    data: o.Data = "100k",
    recipe: Annotated[str, typer.Option(help="As for matinee train.")] = "default",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8000,
    place: Annotated[
        Path | None, typer.Option(help="Where the model and the ratings are kept.")
    ] = None,
) -> None:
    """Train a model if there is none yet, and serve it with the page."""
    from matinee.data.sources.fetch import cache_directory
    from matinee.service.run import run
    from matinee.service.settings import Settings

    home = (place or cache_directory() / "demo" / Path(data).name).absolute()
    models = home / "models"
    if not models.is_dir():
        _train(data, recipe, models / "first")
    settings = Settings(str(models), store=f"sqlite:///{home / 'ratings.db'}", port=port)
    say(f"the page is at http://{settings.host}:{port}; Ctrl-C ends it")
    run(replace(settings, keys=with_key(settings)))


def _train(data: str, recipe: str, directory: Path) -> None:
    from matinee.artifacts import save_model
    from matinee.pipeline import train_model
    from matinee.recipe import load_recipe

    say(f"training on {data}, once; the model is kept in {directory.parent}")
    source = {"source": data}
    ratings, catalog = o.load_source(source)
    settings = load_recipe(recipe)
    save_model(train_model(ratings, catalog, settings, protocol="all", source=source), directory)
