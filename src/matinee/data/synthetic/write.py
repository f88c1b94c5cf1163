"""Made-up ratings and films to Parquet, a block of users at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from matinee import interrupts
from matinee.console import progress_bar
from matinee.data.synthetic.config import SyntheticConfig
from matinee.data.synthetic.draw import BLOCK_RATINGS, Drawn, blocks_of, draw
from matinee.data.synthetic.world import Floats, World
from matinee.files import atomic_file

_SCHEMA = {
    "user_id": pl.Int64,
    "movie_id": pl.Int64,
    "rating": pl.Float32,
    "timestamp": pl.Int64,
}
# Of MovieLens 1M: the share of ratings with 1, 2, 3 and 4 stars or fewer.
_STARS_UP_TO = (0.0562, 0.1637, 0.4248, 0.7737)


def synthesize(config: SyntheticConfig, out: Path | str, films: Path | str | None = None) -> None:
    """Make up ratings and write them to a Parquet file that `load_ratings` reads.

    The rows are `user_id`, `movie_id` (both from 1), `rating` (1 … 5, with the shares of MovieLens
    1M) and `timestamp`, by user and then by time; no pair of user and film stands there twice. The
    file is written in row groups, whole or not at all; beside what each user rates (8 bytes a user)
    memory holds one block of ratings and the films' tastes (12 bytes a film and taste).

    Args:
        config: how many of what, and the seed.
        out: the file of ratings.
        films: a file of films, with titles, genres and years, for `load_catalog`; None writes none.
    """
    world = World.of(config)
    if films is not None:
        with atomic_file(Path(films)) as temporary:
            world.films().write_parquet(temporary)
    cuts = _cuts(world)
    with (
        atomic_file(Path(out)) as temporary,
        progress_bar("Making ratings", config.ratings, "ratings") as advance,
    ):

        def frames(*_: object) -> Iterator[pl.DataFrame]:
            done = 0
            for number, users in enumerate(blocks_of(world.counts)):
                interrupts.check()
                drawn = draw(world, users, np.random.default_rng([config.seed, 3, number]))
                yield _frame(drawn, cuts)
                done += len(drawn.user)
                advance(done)

        source = register_io_source(frames, schema=_SCHEMA)
        source.sink_parquet(temporary, row_group_size=BLOCK_RATINGS)


def _cuts(world: World) -> Floats:
    """The scores from which stars are 2, 3, 4 and 5: quantiles of the first block's."""
    first = blocks_of(world.counts)[0]
    drawn = draw(world, first, np.random.default_rng([world.config.seed, 2]))
    return np.quantile(drawn.score, _STARS_UP_TO)


def _frame(drawn: Drawn, cuts: Floats) -> pl.DataFrame:
    stars = 1 + np.searchsorted(cuts, drawn.score, side="right")
    return pl.DataFrame(
        {
            "user_id": drawn.user + 1,
            "movie_id": drawn.item + 1,
            "rating": stars.astype(np.float32),
            "timestamp": drawn.timestamp,
        },
        schema=_SCHEMA,
    )
