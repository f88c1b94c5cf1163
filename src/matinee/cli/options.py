"""Options that several commands share."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from matinee import cluster
from matinee.errors import ConfigError

if TYPE_CHECKING:
    from matinee.data.catalog import Catalog
    from matinee.data.ratings import Ratings
    from matinee.data.sources import Problem
    from matinee.types import ListOrder

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Data = Annotated[
    str,
    typer.Option(
        help="A MovieLens name (100k, latest-small, 1m, 10m, 20m, 25m, 32m), a MovieLens .zip or "
        "directory, a .csv or .parquet file of ratings or a directory of such, or a store "
        "(sqlite:///FILE)."
    ),
]
Films = Annotated[
    Path | None, typer.Option(help="A .csv or .parquet file of films, for ratings of your own.")
]
UserColumn = Annotated[str | None, typer.Option(help="Column of user ids; guessed if not given.")]
ItemColumn = Annotated[str | None, typer.Option(help="Column of film ids; guessed if not given.")]
RatingColumn = Annotated[str | None, typer.Option(help="Column of stars; guessed if not given.")]
TimestampColumn = Annotated[
    str | None, typer.Option(help="Column of seconds since 1970; guessed if not given.")
]
Scale = Annotated[
    str | None, typer.Option(help="Lowest and highest stars allowed, as 1:5; found if not given.")
]
OnBadRows = Annotated[
    str, typer.Option(help="raise: stop at the first; skip: write them to a file, keep the rest.")
]
Model = Annotated[Path, typer.Option("--model", help="Directory of a trained model.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything random.")]
PROTOCOL_HELP = (
    "How to cut: seed (random 80/20), u1…u5, ua, ub, leave-last-out, time, stratified-75-25, "
    "ml1m-90-10, sasrec, all."
)
Protocol = Annotated[str, typer.Option(help=PROTOCOL_HELP)]
RelevantFrom = Annotated[
    float | None,
    typer.Option(
        help="Stars from which a rating means that the film was wanted; all ratings if not given."
    ),
]
Engine = Annotated[
    str, typer.Option(help="local: this process; ray: a Ray cluster, or one on this machine.")
]
Address = Annotated[str | None, typer.Option(help="ray: the cluster, as ray://HOST:10001 or auto.")]
_ORDER = "ml-1m-order.npz"
Order = Annotated[
    Path | None,
    typer.Option(help=f"sasrec: file of the ratings' exact order; {_ORDER} beside the data."),
]


def source_of(
    data: str,
    films: Path | None,
    user_column: str | None,
    item_column: str | None,
    rating_column: str | None,
    timestamp_column: str | None,
    scale: str | None,
    on_bad_rows: str = "raise",
) -> dict[str, Any]:
    """The arguments of `load_data`, as a model's manifest keeps them."""
    if on_bad_rows not in ("raise", "skip"):
        raise ConfigError(f"--on-bad-rows {on_bad_rows}; expected raise or skip")
    given = {
        "source": data,
        "films": None if films is None else str(films),
        "user": user_column,
        "item": item_column,
        "rating": rating_column,
        "timestamp": timestamp_column,
        "scale": None if scale is None else list(parse_scale(scale)),
        "on_bad_rows": on_bad_rows,
    }
    return {name: value for name, value in given.items() if value is not None}


def engine_of(name: str, address: str | None) -> cluster.Engine:
    """What `--engine` and `--address` mean."""
    if name not in ("local", "ray"):
        raise ConfigError(f"--engine {name}; expected local or ray")
    if name == "ray":
        from matinee.cluster.on_ray import RayEngine

        return RayEngine(address)
    if address is not None:
        raise ConfigError(f"--address {address} without --engine ray; expected both or neither")
    return cluster.HERE


def team_of(engine: str, address: str | None, workers: int, shard_tables: bool) -> cluster.Team:
    """What `--engine`, `--address`, `--workers` and `--shard-tables` mean."""
    own = engine_of(engine, address)
    if own is cluster.HERE and workers > 1:
        raise ConfigError(f"--workers {workers} without --engine ray; expected both or neither")
    if own is cluster.HERE and not shard_tables:
        return cluster.ALONE
    return cluster.Team(own, workers, shard_tables)


@contextmanager
def at_work(engine: cluster.Engine) -> Generator[None]:
    """Connected; what Ray tells on the standard output, where results belong, goes to the error."""
    if engine is cluster.HERE:
        yield
        return
    with redirect_stdout(sys.stderr), engine.connected():
        yield


def order_of(protocol: str, given: Path | None, source: dict[str, Any]) -> Path | None:
    """The file of the ratings' order: the one given, or for `sasrec` the one beside the data."""
    beside = Path(str(source["source"])).parent / _ORDER
    return beside if given is None and protocol == "sasrec" and beside.is_file() else given


def load_source(
    source: dict[str, Any], engine: cluster.Engine = cluster.HERE
) -> tuple[Ratings, Catalog]:
    """Load what `source_of` describes."""
    from matinee.data.sources import load_data
    from matinee.store.open import is_address

    if is_address(str(source["source"])):
        return load_store(str(source["source"]))
    return load_data(**_arguments(source), engine=engine)


def load_store(
    address: str, base: tuple[Ratings, Catalog] | None = None
) -> tuple[Ratings, Catalog]:
    """The ratings and films of a store, alone or on top of others."""
    from matinee.store import existing_store
    from matinee.store.training import ratings_with_store

    opened = existing_store(address)
    try:
        return ratings_with_store(opened, base)
    finally:
        opened.close()


def without_passwords(source: dict[str, Any]) -> dict[str, Any]:
    """What `source_of` describes, as a model's manifest may keep it."""
    return {
        name: re.sub(r"(?<=://)[^/]*@", "", value) if isinstance(value, str) else value
        for name, value in source.items()
    }


def check_source(source: dict[str, Any]) -> list[Problem]:
    """The bad rows of what `source_of` describes."""
    from matinee.data.sources import check_data

    arguments = _arguments(source)
    arguments.pop("on_bad_rows", None)
    return check_data(**arguments)


def _arguments(source: dict[str, Any]) -> dict[str, Any]:
    """What a manifest keeps, as `load_data` takes it: JSON knows no tuples."""
    return source | ({"scale": tuple(source["scale"])} if "scale" in source else {})


def parse_scale(text: str) -> tuple[float, float]:
    """`1:5` as (1.0, 5.0)."""
    low, _, high = text.partition(":")
    try:
        scale = (float(low), float(high))
    except ValueError:
        scale = (0.0, 0.0)
    if not (scale[0] < scale[1] and all(map(math.isfinite, scale))):
        raise ConfigError(f"--scale {text}; expected the lowest and the highest stars, as 1:5")
    return scale


def parse_years(text: str) -> tuple[int | None, int | None]:
    """`1990:1999` as (1990, 1999); an end may be left open, and `1990` is that year alone."""
    first, colon, last = (part.strip() for part in text.partition(":"))
    try:
        ends = int(first) if first else None, int(last) if last else None
    except ValueError:
        ends = None, None
    if ends == (None, None):
        raise ConfigError(f"--years {text}; expected years, as 1990:1999, 1990:, :1959 or 1990")
    return ends if colon else (ends[0], ends[0])


def parse_order(text: str) -> ListOrder | float:
    """`list`, `stars` or a number; anything else is left for the recommender to refuse."""
    try:
        return float(text)
    except ValueError:
        return cast("ListOrder", text)


def parse_history(films: list[str]) -> dict[str, float]:
    """`["Heat (1995)=5"]` as `{"Heat (1995)": 5.0}`."""
    history: dict[str, float] = {}
    for film in films:
        left, _, right = film.rpartition("=")
        name = left.strip()
        try:
            stars = float(right)
        except ValueError:
            name, stars = "", 0.0
        if not name:
            raise ConfigError(
                f'--history {film!r}; expected a film and its stars, as "Heat (1995)=5"'
            )
        if name in history:
            raise ConfigError(
                f"--history {film!r}: {name!r} was given {history[name]:g} stars already; "
                "expected each film once; leave one out"
            )
        history[name] = stars
    return history
