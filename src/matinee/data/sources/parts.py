"""A directory of tables that are one table together, read part by part, here or on a cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.cluster import Engine
from matinee.console import progress_bar
from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.layout import Table, TextTable
from matinee.data.sources.problems import Problem, Report, settle
from matinee.data.sources.rows import Scale, check_scale, ratings_of, read_clean, read_rows
from matinee.data.sources.sniff import NoRowsError, is_table, open_table
from matinee.data.vocabulary import Kind, Vocabulary
from matinee.errors import DataError
from matinee.types import IntArray

# What was left out of a table earlier lies beside it.
_REJECTED = re.compile(r"\.rejected(-\d+)?\.csv$")
# The films, the scale.
_Asked = tuple[Catalog | None, Scale | None]


@dataclass(frozen=True, eq=False)
class Part:
    """The good ratings of one table, and the others.

    Attributes:
        ratings: by vocabularies of their own; None where no row is good.
        lines: int64 [n], where the rating of each position stands in the table.
        problems: the bad rows, in the table's order.
    """

    ratings: Ratings | None
    lines: NDArray[np.int64]
    problems: list[Problem]


def parts_of(directory: Path) -> list[Path]:
    """The tables in a directory, in the order of their names; none if it holds no table.

    Raises:
        DataError: text and Parquet files, which nobody writes as the parts of one table.
    """
    tables = sorted(
        path
        for path in directory.iterdir()
        if is_table(path) and path.is_file() and not path.name.startswith(".")
    )
    tables = [path for path in tables if not _REJECTED.search(path.name)]
    other = [path for path in tables if path.suffix.lower() != ".parquet"]
    if 0 < len(other) < len(tables):
        parquet = next(path for path in tables if path not in other)
        raise DataError(
            f"{directory} holds {parquet.name} and {other[0].name}; expected the parts of one "
            "table, Parquet or text alone; move the others away"
        )
    return tables


def read_parts(
    paths: Sequence[Path],
    columns: Mapping[str, str | None],
    catalog: Catalog | None,
    scale: Scale | None,
    report: Report,
    engine: Engine,
) -> Ratings:
    """The ratings that one table would give in which the parts stand one below the other.

    Parsing, checking, numbering the ids and sorting by time are done for each part by itself;
    here the vocabularies are united, the sorted runs merged, and of a pair that stands in several
    parts the newest rating is kept.

    Args:
        paths: the parts, in order, of which some may have no rows; whoever works for the engine
            must be able to read them.
        columns: role -> the name of its column, or None to guess it.
        catalog: the films; None makes a vocabulary of those that were rated.
        scale: lowest and highest rating; None takes those that occur.
        report: what to do about bad rows.
        engine: who reads the parts.

    Raises:
        NotFoundError, DataError: as `load_ratings`; or only some of the parts have times.
    """
    if scale is not None:
        check_scale(scale)
    asked: _Asked = (catalog, scale)
    parts: dict[int, Part] = {}
    tables = _opened(paths, columns)
    with progress_bar("Reading", len(tables), "files") as advance:
        for number, part in engine.map(read_part, asked, dict(enumerate(tables))):
            parts[number] = part
            advance(len(parts))
    ordered = [parts[number] for number in range(len(tables))]
    good = sum(len(part.lines) for part in ordered)
    if not good:
        settle(tables[0], [bad for part in ordered for bad in part.problems], report, 0)
    merged = _merged([part.ratings for part in ordered if part.ratings], catalog, scale)
    newest = _newest(merged)
    repeated = _repeated(merged, newest, ordered, tables)
    for table, part, again in zip(tables, ordered, repeated, strict=True):
        if problems := sorted([*part.problems, *again]):
            report(table, problems, good)
    return merged if newest.all() else _compacted(merged.take(newest), scale)


def read_part(asked: _Asked, table: Table) -> Part:
    """Read one table, with a vocabulary of its own unless the films are given."""
    catalog, scale = asked
    if (ratings := read_clean(table, catalog, scale)) is not None:
        # A clean text has a row in every line, below the one of the names.
        first = 2 if table.unit == "line" else 1
        return Part(ratings, np.arange(first, first + len(ratings), dtype=np.int64), [])
    frame, problems = read_rows(table, catalog, scale, lines=True)
    lines = frame.drop_in_place("line").to_numpy()
    ratings = ratings_of(frame, catalog, scale) if len(lines) else None
    return Part(ratings, lines, problems)


def _opened(paths: Sequence[Path], columns: Mapping[str, str | None]) -> list[Table]:
    """The tables that have rows; all write their times as the first of them does."""
    tables: list[Table] = []
    empty: NoRowsError | None = None
    for path in paths:
        try:
            table = open_table(path, columns)
        except NoRowsError as error:
            empty = error
            continue
        first = tables[0] if tables else table
        if isinstance(table, TextTable) and isinstance(first, TextTable):
            table = replace(table, time_format=first.time_format)
        tables.append(table)
    if not tables and empty is not None:
        raise empty
    _check_times(tables)
    return tables


def _check_times(tables: Sequence[Table]) -> None:
    timed = ["timestamp" in table.columns for table in tables]
    if any(timed) and not all(timed):
        raise DataError(
            f"{tables[timed.index(False)].path} has no column of times, and "
            f"{tables[timed.index(True)].path} has one; expected times in all parts or in none"
        )


def _merged(parts: Sequence[Ratings], catalog: Catalog | None, scale: Scale | None) -> Ratings:
    """All parts' ratings under common numbers, in the order of time; pairs may repeat."""
    users = _united([part.users for part in parts], "user")
    items = catalog.items if catalog else _united([part.items for part in parts], "movie")
    starts = np.cumsum([0, *(len(part) for part in parts)])
    position = np.concatenate(
        [part.position + start for part, start in zip(parts, starts, strict=False)]
    )
    times = [part.timestamp for part in parts if part.timestamp is not None]
    timestamp = np.concatenate(times) if times else None
    # Timsort, which merges what is sorted already; equal times stay in the order of the parts.
    order = position if timestamp is None else np.argsort(timestamp, kind="stable")
    rating = np.concatenate([part.rating for part in parts])[order]
    return Ratings(
        users,
        items,
        np.concatenate([_renumbered(part.user_index, part.users, users) for part in parts])[order],
        np.concatenate([_renumbered(part.item_index, part.items, items) for part in parts])[order],
        rating,
        None if timestamp is None else timestamp[order],
        position[order],
        scale or _span(rating),
    )


def _united(parts: Sequence[Vocabulary], kind: Kind) -> Vocabulary:
    series = [part.series for part in parts]
    if len({own.dtype for own in series}) > 1:
        series = [own.cast(pl.String) for own in series]
    return Vocabulary.of(pl.concat(series), kind)


def _renumbered(numbers: IntArray, own: Vocabulary, common: Vocabulary) -> IntArray:
    return common.numbers(own.series)[numbers]


def _pairs(ratings: Ratings) -> pl.Series:
    return pl.Series(ratings.user_index.astype(np.int64) * len(ratings.items) + ratings.item_index)


def _newest(ratings: Ratings) -> NDArray[np.bool_]:
    """Which ratings no later one of the same pair follows."""
    return _pairs(ratings).is_last_distinct().to_numpy()


def _repeated(
    ratings: Ratings, newest: NDArray[np.bool_], parts: Sequence[Part], tables: Sequence[Table]
) -> list[list[Problem]]:
    """By part, the ratings of a pair that another part has newer."""
    found = [list[Problem]() for _ in parts]
    if newest.all():
        return found
    lines = np.concatenate([part.lines for part in parts])
    owner = np.repeat(np.arange(len(parts)), [len(part.lines) for part in parts])
    pairs = pl.DataFrame({"pair": _pairs(ratings), "place": ratings.position})
    again = pairs.filter(~newest).join(
        pairs.filter(newest), on="pair", suffix="_kept", maintain_order="left"
    )
    for pair, place, kept in again.iter_rows():
        user, film = divmod(pair, len(ratings.items))
        part = int(owner[place])
        own, other = tables[part], tables[int(owner[kept])]
        reason = (
            f"{other.unit} {lines[kept]} of {other.path.name} is the newest rating of this film "
            "by this user; expected one a pair"
        )
        value = f"user {ratings.users.id(user)}, film {ratings.items.id(film)}"
        found[part].append(Problem(int(lines[place]), value, reason, own.path))
    return found


def _compacted(ratings: Ratings, scale: Scale | None) -> Ratings:
    """The same with places from 0 without a gap, as if what was left out had never been there."""
    position = np.empty_like(ratings.position)
    position[np.argsort(ratings.position)] = np.arange(len(ratings))
    return replace(ratings, position=position, scale=scale or _span(ratings.rating))


def _span(rating: NDArray[np.float32]) -> Scale:
    return float(rating.min()), float(rating.max())
