"""`matinee demo`: from nothing to films on a screen, by one command."""

from __future__ import annotations

from importlib import import_module
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
    from matinee.service.run import address_of, listen, run
    from matinee.service.settings import Settings

    # A package of the page that is missing is told before the training, as is a port in use.
    import_module("matinee.service.web.routes")
    home = (place or cache_directory() / "demo" / Path(data).name).absolute()
    models = home / "models"
    plain = Settings(
        str(models), store=f"sqlite:///{home / 'ratings.db'}", port=port, log_level="warning"
    )
    settings, key = with_key(plain)
    listening = listen(settings)
    if not models.is_dir():
        _train(data, recipe, models / "first")

    def tell() -> None:
        address = address_of(listening)
        say(f"the operator's page is at {address}/operator; its password is {key}")
        say(f"the page is at {address}; Ctrl-C ends it")

    run(settings, listening, tell)


def _train(data: str, recipe: str, directory: Path) -> None:
    from matinee.artifacts import save_model
    from matinee.pipeline import train_model
    from matinee.recipe import load_recipe

    say(f"training on {data}, once; the model is kept in {directory.parent}")
    source = {"source": data}
    ratings, catalog = o.load_source(source)
    settings = load_recipe(recipe)
    save_model(train_model(ratings, catalog, settings, protocol="all", source=source), directory)
