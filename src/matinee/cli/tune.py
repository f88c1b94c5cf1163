"""`matinee tune`: search for the settings with which a model does best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee import interrupts
from matinee.cli import options as o
from matinee.cli.show import show_json, show_table
from matinee.console import say

if TYPE_CHECKING:
    from matinee.tuning.tune import Tuned

# Not the cluster's size, on which the trials would depend then.
_AT_ONCE = 4


def tune(
    model: Annotated[
        str,
        typer.Argument(
            help="default (both its stages), two-tower, popularity-recent, item-knn, ease, ials, "
            "bias, mf or fm."
        ),
    ],
    data: o.Data = "100k",
    protocol: o.Protocol = "seed",
    trials: Annotated[
        int, typer.Option(min=1, help="How many for each stage, those of earlier runs included.")
    ] = 30,
    seed: o.Seed = 42,
    order: o.Order = None,
    engine: o.Engine = "local",
    address: o.Address = None,
    at_once: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Trials drawn before any of them is known; ray makes them at the same time. 1, "
            "with ray 4.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The .toml file for the best settings; tuned-MODEL.toml if not given."),
    ] = None,
    films: o.Films = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    on_bad_rows: o.OnBadRows = "raise",
    json: o.Json = False,
) -> None:
    """Try settings of a model on validation ratings, write the best as a recipe.

    A run that was interrupted goes on if the same command is given again.
    """
    from matinee.config import check_seed
    from matinee.data.splits import check_protocol
    from matinee.tuning.tune import check_model, study_of
    from matinee.tuning.tune import tune as search

    check_model(model)
    check_protocol(protocol)
    check_seed(seed)
    worker = o.engine_of(engine, address)
    out = out or Path(f"tuned-{model}.toml")
    study = study_of(out)
    source = o.source_of(
        data, films, user_column, item_column, rating_column, timestamp_column, scale, on_bad_rows
    )
    ratings, catalog = o.load_source(source)
    try:
        with o.at_work(worker):
            tuned = search(
                model,
                ratings,
                catalog,
                out,
                data=data,
                protocol=protocol,
                trials=trials,
                seed=seed,
                order=o.order_of(protocol, order, source),
                engine=worker,
                at_once=at_once or (1 if engine == "local" else _AT_ONCE),
            )
        interrupts.check()
    except KeyboardInterrupt:
        say(f"the trials that ended are kept in {study}; give the same command again to go on")
        raise
    if json:
        show_json({"model": model, "out": str(out), "study": str(study), "stages": _told(tuned)})
        return
    for told in _told(tuned).values():
        rows = [(name, str(value)) for name, value in told["settings"].items()]
        title = (
            f"{told['model']}, best of {len(told['trials'])} trials: {told['metric']} "
            f"{told['value']:.4f} on validation ratings"
        )
        show_table(title, ["setting", "value"], rows, right=["value"])
    say(f"saved to {out}; next: matinee train --recipe {out} --data {data} --out DIR")


def _told(tuned: Tuned) -> dict[str, Any]:
    """What a search found, ready for JSON, by the name of the stage."""
    recipe = tuned.recipe.to_dict()
    return {
        stage: {
            "model": recipe[stage]["model"],
            "metric": recipe["tuning"][stage]["metric"],
            "value": recipe["tuning"][stage]["value"],
            "settings": {key: recipe[stage].get(key) for key in trials[0].settings},
            "trials": [
                {
                    "number": trial.number,
                    "settings": dict(trial.settings),
                    "value": trial.value,
                    "error": trial.error,
                }
                for trial in trials
            ],
        }
        for stage, trials in tuned.trials.items()
    }
