"""`matinee data …`: fetch, check, prepare, describe and make up ratings."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.cli import options as o
from matinee.cli.show import show_json, show_line, show_table
from matinee.console import say
from matinee.errors import ConfigError, DataError

if TYPE_CHECKING:
    from matinee.data.catalog import Catalog
    from matinee.data.ratings import Ratings

data_app = typer.Typer(
    help="Fetch, check, prepare, describe and make up ratings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SHOWN_PROBLEMS = 20
_MOST_STARS = 20
_BINS = 10


@data_app.command(epilog="example: matinee data fetch --data 1m")
def fetch(data: o.Data = "100k", json: o.Json = False) -> None:
    """Download a MovieLens set into the cache, once, and check it."""
    ratings, catalog = o.load_source({"source": data})
    if json:
        show_json({"data": data, "ratings": len(ratings), "films": len(catalog)})
    else:
        show_line(f"{data}: {ratings}")


@data_app.command(epilog="example: matinee data check --data ratings.csv --scale 1:5")
def check(
    data: o.Data = "100k",
    films: o.Films = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    json: o.Json = False,
) -> None:
    """Look at every row; list those that could not be used. Exit code 3 if there are any."""
    source = o.source_of(
        data, films, user_column, item_column, rating_column, timestamp_column, scale
    )
    problems = o.check_source(source)
    if json:
        rows = [
            {"file": str(p.path), "line": p.line, "value": p.value, "reason": p.reason}
            for p in problems
        ]
        show_json({"data": data, "problems": rows})
    elif problems:
        rows = [(p.path.name, str(p.line), p.value, p.reason) for p in problems[:_SHOWN_PROBLEMS]]
        columns = ["file", "line", "value", "reason"]
        show_table(f"{data}: {_bad_rows(len(problems))}", columns, rows, right=["line"])
    else:
        show_line(f"{data}: every row is good")
    if problems:
        raise DataError(
            f"{data} has {_bad_rows(len(problems))}; correct them, or load with --on-bad-rows skip"
        )


@data_app.command(epilog="example: matinee data prepare --data ratings.csv --out prepared")
def prepare(
    out: Annotated[Path, typer.Option(help="The directory to write; give it as --data then.")],
    data: o.Data = "100k",
    films: o.Films = None,
    engine: o.Engine = "local",
    address: o.Address = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    on_bad_rows: o.OnBadRows = "raise",
    json: o.Json = False,
) -> None:
    """Check, number and sort ratings once; other commands then open them without reading them.

    Of a directory of tables, with ray, each is read by one process of the cluster, which must find
    it under the same path.
    """
    from matinee.data.prepared import save_prepared

    worker = o.engine_of(engine, address)
    # Elsewhere the working directory is another.
    place = str(Path(data).resolve()) if Path(data).exists() else data
    source = o.source_of(
        place, films, user_column, item_column, rating_column, timestamp_column, scale, on_bad_rows
    )
    with o.at_work(worker):
        ratings, catalog = o.load_source(source, worker)
    save_prepared(ratings, catalog, out)
    if json:
        show_json({"data": data, "out": str(out), "ratings": len(ratings), "films": len(catalog)})
    else:
        say(f"{ratings} in {out}; next: matinee train --data {out}")


def _bad_rows(count: int) -> str:
    return f"{count:,} bad row{'s' if count != 1 else ''}"


@data_app.command(epilog="example: matinee data describe --data 100k")
def describe(
    data: o.Data = "100k",
    films: o.Films = None,
    user_column: o.UserColumn = None,
    item_column: o.ItemColumn = None,
    rating_column: o.RatingColumn = None,
    timestamp_column: o.TimestampColumn = None,
    scale: o.Scale = None,
    on_bad_rows: o.OnBadRows = "raise",
    json: o.Json = False,
) -> None:
    """Say how many users, films and ratings there are, and how they spread."""
    source = o.source_of(
        data, films, user_column, item_column, rating_column, timestamp_column, scale, on_bad_rows
    )
    facts = facts_of(*o.load_source(source))
    if json:
        show_json({"data": data, **facts})
        return
    stars = facts.pop("stars")
    genres = facts.pop("genres")
    rows = [
        (name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in facts.items()
    ]
    show_table(data, ["", "value"], rows, right=["value"])
    stars = _few(stars)
    most = max(stars.values())
    bars = [(s, f"{n:,}", "█" * round(40 * n / most)) for s, n in stars.items()]
    show_table("Stars", ["stars", "ratings", ""], bars, ["stars", "ratings"])
    if genres:
        show_table(
            "Genres", ["genre", "films"], [(g, f"{n:,}") for g, n in genres.items()], ["films"]
        )


def _few(stars: dict[str, int]) -> dict[str, int]:
    """The counts by star value, or by range of values where there are too many to look at."""
    if len(stars) <= _MOST_STARS:
        return stars
    import numpy as np

    values = np.array([float(value) for value in stars])
    counts, edges = np.histogram(values, bins=_BINS, weights=list(stars.values()))
    places = 0
    while places < 9 and len({f"{edge:.{places}f}" for edge in edges}) < len(edges):
        places += 1
    ends = [f"{edge:.{places + 1}f}" for edge in edges]
    names = [f"{low} to {high}" for low, high in pairwise(ends)]
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def facts_of(ratings: Ratings, catalog: Catalog) -> dict[str, Any]:
    """What `describe` says, JSON-ready."""
    import numpy as np

    per_user = np.bincount(ratings.user_index, minlength=len(ratings.users))
    per_film = ratings.item_counts()
    values, counts = np.unique(ratings.rating, return_counts=True)
    facts: dict[str, Any] = {
        "users": len(ratings.users),
        "films": len(catalog),
        "films_rated": int((per_film > 0).sum()),
        "ratings": len(ratings),
        "density": round(len(ratings) / (len(ratings.users) * len(catalog)), 5),
        "mean_stars": round(float(ratings.rating.mean(dtype=np.float64)), 4),
        "ratings_per_user_median": float(np.median(per_user)),
        "ratings_per_user_most": int(per_user.max()),
        "ratings_per_film_median": float(np.median(per_film)),
        "ratings_per_film_most": int(per_film.max()),
    }
    if ratings.timestamp is not None:
        facts["first"], facts["last"] = (
            datetime.fromtimestamp(int(t), UTC).strftime("%Y-%m-%d")
            for t in (ratings.timestamp[0], ratings.timestamp[-1])
        )
    names, sizes = np.unique(
        np.array([g for row in catalog.films["genres"] for g in row], dtype=str), return_counts=True
    )
    order = np.argsort(-sizes, kind="stable")
    shortest = [np.format_float_positional(value, trim="-") for value in values]
    facts["stars"] = {v: int(c) for v, c in zip(shortest, counts, strict=True)}
    facts["genres"] = {str(names[i]): int(sizes[i]) for i in order}
    return facts


@data_app.command(
    epilog="example: matinee data synthesize --users 6040 --items 3883 --ratings 1000209 "
    "--out made.parquet --films-out films.parquet"
)
def synthesize(
    users: Annotated[int, typer.Option(help="How many users; each has at least one rating.")],
    items: Annotated[int, typer.Option(help="How many films; some of them nobody rates.")],
    ratings: Annotated[int, typer.Option(help="How many ratings in all.")],
    out: Annotated[Path, typer.Option(help="The Parquet file of ratings to write.")],
    films_out: Annotated[
        Path | None, typer.Option(help="Write the films too: titles, genres and years.")
    ] = None,
    film_skew: Annotated[
        float, typer.Option(help="How unequal the films are: 1 as in MovieLens 1M.")
    ] = 1.0,
    seed: o.Seed = 42,
    json: o.Json = False,
) -> None:
    """Make up ratings of any size that are shaped like real ones: nobody's, so free to share."""
    from matinee.data.synthetic import SyntheticConfig, synthesize

    for path in (out, films_out):
        if path is not None and path.suffix != ".parquet":
            raise ConfigError(f"{path}; expected the name of a .parquet file")
    config = SyntheticConfig(users, items, ratings, seed=seed, film_skew=film_skew)
    synthesize(config, out, films_out)
    if json:
        show_json({"ratings": str(out), "films": None if films_out is None else str(films_out)})
    else:
        films = "" if films_out is None else f" --films {films_out}"
        say(f"saved to {out}; next: matinee data describe --data {out}{films}")
