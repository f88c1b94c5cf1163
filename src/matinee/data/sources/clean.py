"""The fast path: prove a whole table clean with Polars, or say nothing about it."""

from __future__ import annotations

import polars as pl

from matinee.data.catalog import Catalog
from matinee.data.ratings import Ratings
from matinee.data.sources.layout import Table
from matinee.data.vocabulary import Vocabulary
from matinee.errors import DataError, NotFoundError


def read_clean(
    table: Table, catalog: Catalog | None, scale: tuple[float, float] | None
) -> Ratings | None:
    """The ratings of a table in which every row is good, or None if some row may not be.

    It never says what is wrong or where; `matinee.data.sources.rows` finds that out.
    """
    try:
        frame = _collect(table, {"user": pl.Int64(), "item": pl.Int64()})
        text = [role for role in ("user", "item") if frame[role].null_count()]
        if text:
            # One id that is no 64-bit integer makes all of its column text.
            frame = _collect(
                table,
                {role: pl.String() if role in text else pl.Int64() for role in ("user", "item")},
            )
    except (pl.exceptions.PolarsError, OSError):
        return None
    if not len(frame) or any(frame.null_count().row(0)):
        return None
    # Polars drops rows without a word between two quotes that stand inside fields.
    if not table.has_exactly(len(frame)):
        return None
    try:
        return ratings_of(frame, catalog, scale)
    except (DataError, NotFoundError):
        return None


def ratings_of(
    frame: pl.DataFrame, catalog: Catalog | None, scale: tuple[float, float] | None
) -> Ratings:
    """Ratings from columns `user` and `item` (Int64 or String), `rating`, perhaps `timestamp`.

    Columns leave the frame as they are used up, which halves the memory that 25 million rows take.

    Raises:
        DataError: a value out of range or a pair twice.
        NotFoundError: a film that is not in the catalogue.
    """
    user, item = (frame.drop_in_place(role) for role in ("user", "item"))
    users = Vocabulary.of(user, "user")
    user_index = users.numbers(user)
    del user
    items = Vocabulary.of(item, "movie") if catalog is None else catalog.items
    item_index = items.numbers(item)
    del item
    rating = frame.drop_in_place("rating").to_numpy()
    times = frame.drop_in_place("timestamp").to_numpy() if "timestamp" in frame.columns else None
    return Ratings.of(users, items, user_index, item_index, rating, times, scale=scale)


def _collect(table: Table, ids: dict[str, pl.DataType]) -> pl.DataFrame:
    """The table in its final types; whatever doesn't fit them is null."""
    columns = [_id(role, dtype) for role, dtype in ids.items()]
    columns.append(pl.col("rating").cast(pl.Float32, strict=False))
    if "timestamp" in table.columns:
        columns.append(pl.col("timestamp").cast(pl.Int64, strict=False))
    return table.scan().select(columns).collect(engine="streaming")


def _id(role: str, dtype: pl.DataType) -> pl.Expr:
    raw = pl.col(role)
    if dtype == pl.String:
        raw = raw.cast(pl.String)
        text = raw.str.strip_chars()
        # Quotes and carriage returns inside a field mean different things to different readers.
        sure = (text != "") & ~raw.str.contains('["\r]')
        return pl.when(sure).then(text).alias(role)
    number = raw.cast(pl.Int64, strict=False)
    # "007" is not the id 7: only the canonical spelling is.
    return pl.when(number.cast(pl.String) == raw.cast(pl.String)).then(number).alias(role)
