"""The commands that train, measure and recommend; those of `data` and `model` have files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from matinee import __version__, interrupts
from matinee.cli import options as o
from matinee.cli.batch import batch
from matinee.cli.data import data_app
from matinee.cli.demo import demo
from matinee.cli.evaluate import evaluate
from matinee.cli.model import model_app
from matinee.cli.recommend import explain, predict, recommend, similar
from matinee.cli.root import Root
from matinee.cli.serve import serve
from matinee.cli.show import show_json, show_metrics, show_table
from matinee.cli.store import store_app
from matinee.cli.tune import tune
from matinee.cluster import HERE
from matinee.console import say

app = typer.Typer(
    cls=Root,
    help="Matinee recommends films: from a file of ratings to a list for everybody.\n\n"
    "Start with: matinee train --data 100k --out models/ml-100k",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(model_app, name="model")
app.add_typer(store_app, name="store")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"matinee {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Recommend films: from a file of ratings to a list for everybody."""


@app.command(epilog="example: matinee train --data 100k --recipe default --out models/ml-100k")
def train(
    out: Annotated[Path, typer.Option(help="Directory to write the model to.")],
    data: o.Data = "100k",
    recipe: Annotated[
        str | None,
        typer.Option(
            help="default, seed, two-tower, popularity, popularity-recent, item-knn, ease, ials, "
            "sequence, bias, mf, fm, lists, or a .toml file (default); a stage it leaves open is "
            "that of default."
        ),
    ] = None,
    protocol: o.Protocol = "seed",
    seed: o.Seed = 42,
    relevant_from: o.RelevantFrom = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Keep the training of a sequence or two-tower model in this file, and go on from "
            "it if it is there."
        ),
    ] = None,
    resume_from: Annotated[
        Path | None,
        typer.Option(
            help="Go on from this model with its recipe, on newer ratings; people and films may "
            "have come and gone."
        ),
    ] = None,
    engine: o.Engine = "local",
    address: o.Address = None,
    workers: Annotated[
        int, typer.Option(min=1, help="ray: processes that train a two-tower retriever together.")
    ] = 1,
    shard_tables: Annotated[
        bool,
        typer.Option(
            "--shard-tables",
            help="ray: divide the rows of the tables among the workers; for tables too large for "
            "one of them.",
        ),
    ] = False,
    order: o.Order = None,
    films: o.Films = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    on_bad_rows: o.OnBadRows = "raise",
    store: Annotated[
        str | None, typer.Option(help="A store of a service: its ratings and films are added.")
    ] = None,
    json: o.Json = False,
) -> None:
    """Train a model on a protocol's training part, measure it on the test part, save it."""
    from matinee.artifacts import check_target, load_model, save_model
    from matinee.config import check_seed
    from matinee.data.splits import check_protocol
    from matinee.errors import ConfigError
    from matinee.pipeline import train_model
    from matinee.recipe import load_recipe

    check_target(out)
    check_protocol(protocol)
    check_seed(seed)
    team = o.team_of(engine, address, workers, shard_tables)
    start = None if resume_from is None else load_model(resume_from)
    options = {"--recipe": recipe, "--checkpoint": checkpoint, "--engine": team.engine}
    given = [name for name, value in options.items() if value not in (None, HERE)]
    if start is not None and given:
        raise ConfigError(
            f"{given[0]} with --resume-from, which keeps its recipe; leave {given[0]} out"
        )
    settings = load_recipe(recipe or "default") if start is None else start.recipe
    if relevant_from is not None:
        settings = replace(settings, relevant_from=relevant_from)
    source = o.source_of(
        data, films, user_column, item_column, rating_column, timestamp_column, scale, on_bad_rows
    )
    ratings, catalog = o.load_source(source)
    if store is not None:
        ratings, catalog = o.load_store(store, (ratings, catalog))
        source["store"] = store
    with o.at_work(team.engine):
        model = train_model(
            ratings,
            catalog,
            settings,
            protocol=protocol,
            seed=seed,
            source=o.without_passwords(source),
            order=o.order_of(protocol, order, source),
            checkpoint=checkpoint,
            start=start,
            team=team,
        )
    interrupts.check()
    save_model(model, out)
    if json:
        show_json({"model": str(out), "data": dict(model.data), "metrics": dict(model.metrics)})
        return
    if model.metrics:
        show_metrics(f"{ratings}, protocol {protocol}", model.metrics)
    say(f"saved to {out}; next: matinee recommend --model {out} --user {ratings.users.id(0)}")


app.command(epilog="example: matinee demo")(demo)


app.command(
    epilog="example: matinee serve --model models/ml-100k --store sqlite:///ratings.db --port 8000"
)(serve)


app.command(epilog="example: matinee tune ease --data 100k --trials 30 --out best.toml")(tune)


app.command(epilog="example: matinee evaluate --model default --model ease --report out.html")(
    evaluate
)


for command, example in (
    (recommend, '--model models/ml-100k --history "Heat (1995)=5" --history "Fargo (1996)=4"'),
    (predict, '--model models/ml-100k --user 42 "Fargo (1996)" "Heat (1995)"'),
    (explain, '--model models/ml-100k --user 42 "Fargo (1996)"'),
    (similar, '--model models/ml-100k "Fargo (1996)"'),
):
    app.command(epilog=f"example: matinee {command.__name__} {example}")(command)


app.command(epilog="example: matinee batch --model models/ml-100k --k 100 --out lists")(batch)


@app.command(epilog="example: matinee search fargo")
def search(
    title: Annotated[str, typer.Argument(help="A title, or something like it.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Search the catalogue of this model.")
    ] = None,
    data: Annotated[
        str, typer.Option(help="A MovieLens name, .zip or directory, or a table of films.")
    ] = "100k",
    limit: Annotated[int, typer.Option(min=1, help="How many films.")] = 10,
    json: o.Json = False,
) -> None:
    """Find a film's id by its title; typing errors are forgiven."""
    if model is not None:
        from matinee.artifacts import load_model

        catalog = load_model(model).recommender.catalog
    else:
        from matinee.data.sources import load_catalog_of

        catalog = load_catalog_of(data)
    found = catalog.search(title, limit)
    if json:
        films = [
            {"movie_id": catalog.items.id(n), "title": catalog.title(n), "likeness": round(s, 1)}
            for n, s in found
        ]
        show_json({"query": title, "films": films})
    elif found:
        rows = [(catalog.items.id(n), catalog.title(n), f"{s:.0f}") for n, s in found]
        show_table(f"Titles like {title!r}", ["id", "film", "likeness"], rows, right=["likeness"])
    else:
        say(f"no title is like {title!r} ({len(catalog):,} films)")
