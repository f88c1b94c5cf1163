"""`matinee evaluate`: models side by side, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee import interrupts
from matinee.cli import options as o
from matinee.cli.show import show_json, show_line, show_table
from matinee.console import say
from matinee.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from matinee.evaluation.results import Evaluation


def evaluate(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A recipe to train and measure (default, two-tower, popularity, "
            "popularity-recent, item-knn, ease, ials, bias, mf, fm, seed, or a .toml file), or the "
            "directory of a saved model; repeatable.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Where the ratings are; those of the saved model, or 100k, if not given."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help=f"{o.PROTOCOL_HELP} As the saved model, or seed, if not given."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to measure on.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; the saved model's, or 42.")
    ] = None,
    relevant_from: o.RelevantFrom = None,
    order: o.Order = None,
    films: o.Films = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    on_bad_rows: o.OnBadRows = "raise",
    report: Annotated[
        Path | None, typer.Option(help="Write a report to this .html file, which works offline.")
    ] = None,
    json: o.Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """Train models on a protocol's training part, and measure them all on its test part.

    Every number has a 95 % interval, by resampling users; a saved model is measured only on ratings
    that it was not trained on.
    """
    from matinee.comparison import compare
    from matinee.config import check_seed
    from matinee.data.splits import check_protocol
    from matinee.report.write import check_report, write_report

    if json and csv:
        raise ConfigError("--json and --csv; expected one of them")
    if report is not None:
        check_report(report)
    models = list(model or ["default"])
    source, protocol, seed = _defaults(models, data, protocol, seed)
    given = o.source_of(
        data or source.get("source") or "100k",
        films,
        user_column,
        item_column,
        rating_column,
        timestamp_column,
        scale,
        on_bad_rows,
    )
    if on_bad_rows == "raise":
        given.pop("on_bad_rows")
    source |= given
    check_protocol(protocol)
    check_seed(seed + seeds - 1)
    ratings, catalog = o.load_source(source)
    found = compare(
        models,
        ratings,
        catalog,
        protocol=protocol,
        seeds=range(seed, seed + seeds),
        order=o.order_of(protocol, order, source),
        relevant_from=relevant_from,
    )
    interrupts.check()
    name = _name_of(str(source["source"]))
    # The numbers first: a full disk must not take them away.
    _show(found.evaluation, name, json=json, csv=csv)
    if report is not None:
        write_report(
            report,
            found.evaluation,
            found.split,
            catalog,
            data_name=name,
            film_vectors=found.film_vectors,
        )
        say(f"wrote {report}")


def _show(evaluation: Evaluation, name: str, *, json: bool, csv: bool) -> None:
    if json:
        show_json({"data": name, **evaluation.to_dict()})
        return
    if csv:
        show_line(evaluation.to_csv().rstrip("\n"))
        return
    columns, rows = evaluation.rows()
    seeds = ", ".join(map(str, evaluation.seeds))
    show_table(
        f"{name}, protocol {evaluation.protocol}, seed {seeds}", columns, rows, right=columns[1:]
    )
    for line in evaluation.remarks():
        show_line(line)


def _defaults(
    models: list[str], data: str | None, protocol: str | None, seed: int | None
) -> tuple[dict[str, Any], str, int]:
    """What was not given is as the first saved model was trained; else MovieLens 100K's usual."""
    from matinee.recipe import RECIPES

    saved = next((name for name in models if name not in RECIPES and Path(name).is_dir()), None)
    source: dict[str, Any] = {}
    if saved is not None:
        from matinee.artifacts import read_manifest

        manifest = read_manifest(saved)
        source = dict(manifest["data"].get("source") or {})
        if data is None and "source" not in source:
            raise NotFoundError(
                f"{saved} does not say where its ratings are; name them with --data"
            )
        protocol = protocol or str(manifest["data"]["protocol"])
        seed = int(manifest["seed"]) if seed is None else seed
    return source, protocol or "seed", 42 if seed is None else seed


def _name_of(data: str) -> str:
    """What a person calls the data: `MovieLens 100K`, or the file's name."""
    from matinee.data.sources.movielens import DATASETS

    return f"MovieLens {data.upper()}" if data.lower() in DATASETS else Path(data).name
