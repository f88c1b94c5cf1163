"""Ratings of a store as a CSV file, and back.

Spreadsheets run what begins with `=`, `+`, `-`, `@`, a tab or a carriage return. An id that does is
written with an apostrophe before it, as is one that begins with an apostrophe; reading takes it off
again, so that every id comes back as it was.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from matinee.errors import DataError, NotFoundError
from matinee.files import atomic_file
from matinee.store.protocol import Store
from matinee.store.types import StoredRating

COLUMNS = ("user_id", "movie_id", "stars", "at_s")
_RUN = ("=", "+", "-", "@", "\t", "\r", "'")


def neutral(text: str) -> str:
    """A text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_RUN) else text


def original(text: str) -> str:
    """What `neutral` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_RUN) else text


def export_ratings(store: Store, path: Path) -> int:
    """Write every rating to a CSV file; those taken back have no stars.

    Returns:
        How many rows were written.
    """
    count = 0
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for rating in store.all_ratings():
            stars = "" if rating.stars is None else repr(rating.stars)
            ids = neutral(rating.user_id), neutral(rating.movie_id)
            rows.writerow([*ids, stars, repr(rating.at_s)])
            count += 1
    return count


def import_ratings(store: Store, path: Path) -> int:
    """Set the ratings of a file that `export_ratings` wrote, or that has its columns.

    Returns:
        How many of them changed anything.

    Raises:
        NotFoundError: no such file.
        DataError: a row that is no rating; those thousands before it may have been set.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return store.import_ratings(_read(csv.reader(file, strict=True), path))
    except FileNotFoundError as error:
        raise NotFoundError(f"no file {path}; expected a CSV file of ratings") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV file in UTF-8 ({error}); correct it") from error


def _read(rows: Iterator[list[str]], path: Path) -> Iterator[StoredRating]:
    head = next(rows, None)
    if head is None or tuple(head) != COLUMNS:
        raise DataError(f"{path} has the columns {head}; expected {', '.join(COLUMNS)}")
    for line, row in enumerate(rows, 2):
        try:
            user_id, movie_id, stars, at_s = row
            rating = StoredRating(
                original(user_id), original(movie_id), float(stars) if stars else None, float(at_s)
            )
        except ValueError:
            rating = StoredRating("", "", None, math.nan)
        numbers = (rating.at_s, rating.stars or 0.0)
        if not (rating.user_id and rating.movie_id and all(map(math.isfinite, numbers))):
            raise DataError(f"{path}:{line}: expected two ids, stars or nothing, and seconds")
        yield rating
