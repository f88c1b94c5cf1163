"""Somebody's ratings from a CSV of MovieLens or Letterboxd, or from our own export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from rapidfuzz import utils

from matinee.data.titles import parse_title
from matinee.errors import DataError, NotFoundError
from matinee.service.films import Film, Shelf

# The service takes bodies up to 1 MiB, the form around the file included.
LARGEST_FILE = 1_000_000
_TITLES = ("name", "title")
_IDS = ("movieid", "movie_id")
# Catalogues differ by a year where a film came to another country later.
_YEARS_APART = (0, -1, 1)


@dataclass
class Report:
    """What became of a file.

    Attributes:
        stars: by film id, with the time in seconds since 1970 or None.
        unmatched: titles, with their year, that no film of the catalogue fits.
        unreadable: lines without a film or with stars that are no number, by their number.
        clipped: how many ratings lay off the scale and were moved to its end.
    """

    stars: dict[str, tuple[float, float | None]] = field(
        default_factory=dict[str, tuple[float, float | None]]
    )
    unmatched: list[str] = field(default_factory=list[str])
    unreadable: list[int] = field(default_factory=list[int])
    clipped: int = 0


def read_ratings(content: bytes, shelf: Shelf, scale: tuple[float, float]) -> Report:
    """Match a file's films with the catalogue, by title and year, or by id where it has no titles.

    Args:
        content: CSV with a header, in UTF-8: of Letterboxd (`Name,Year,Rating`), of MovieLens
            (`movieId,rating` or with a title) or our own.
        shelf: the films.
        scale: the lowest and highest stars.

    Raises:
        DataError: it is too large, is not such a file, or holds ratings of several people.
    """
    report = Report()
    for line, row in _rows(content):
        title = next((row[name] for name in _TITLES if row.get(name)), "")
        movie_id = next((row[name] for name in _IDS if row.get(name)), "")
        stars = _number(row.get("rating", ""))
        if stars is None or not (title or movie_id):
            report.unreadable.append(line)
            continue
        film = _match(shelf, title, row.get("year", ""), movie_id)
        if film is None:
            year = f" ({row['year']})" if row.get("year") else ""
            report.unmatched.append(f"{title}{year}" if title else f"film {movie_id}")
            continue
        kept = min(max(stars, scale[0]), scale[1])
        report.clipped += kept != stars
        report.stars[film.movie_id] = kept, _moment(row)
    return report


def _rows(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each line after the header, with its number, by lower-case column names."""
    if len(content) > LARGEST_FILE:
        raise DataError(
            f"the file is larger than {LARGEST_FILE // 10**6} MB; expected one person's ratings; "
            "leave the other columns out or split it"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("the file is not text in UTF-8; expected a CSV; save it as UTF-8") from None
    if "\0" in text:
        raise DataError("the file is not text; expected a CSV of ratings")
    try:
        yield from _lines(text)
    except csv.Error as error:
        raise DataError(f"the file is no CSV of ratings ({error}); save it as CSV anew") from error


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text))
    header = [name.strip().lower() for name in next(reader, list[str]())]
    if "rating" not in header or not set(header) & {*_TITLES, *_IDS}:
        found = ", ".join(header)[:200] or "nothing"
        raise DataError(
            f"the file's first line is {found}; expected the columns rating and title, Name or "
            "movieId; choose ratings.csv from the export of MovieLens or Letterboxd"
        )
    people: set[str] = set()
    for cells in reader:
        row = {name: _unquoted(cell) for name, cell in zip(header, cells, strict=False)}
        people.add(row.get("userid", ""))
        if len(people) > 1:
            raise DataError("the file holds ratings of several people; expected one person's own")
        if any(row.values()):
            yield reader.line_num, row


def _match(shelf: Shelf, title: str, year: str, movie_id: str) -> Film | None:
    """The film of an id, if it is called so; else the one of the title and the year."""
    known = _of_id(shelf, movie_id)
    if not title or (known is not None and known.name == title):
        return known
    name, own_year = parse_title(title)
    wanted_year = int(year) if year.isascii() and year.isdecimal() else own_year
    films = _by_name(shelf).get(utils.default_process(name), ())
    if wanted_year is None:
        return films[0] if len(films) == 1 else None
    near = (f for apart in _YEARS_APART for f in films if f.year == wanted_year + apart)
    return next(near, None)


def _of_id(shelf: Shelf, movie_id: str) -> Film | None:
    try:
        return shelf.film(movie_id)
    except NotFoundError:
        return None


@lru_cache(maxsize=2)
def _by_name(shelf: Shelf) -> dict[str, tuple[Film, ...]]:
    """Films by their plain names, and by the names in parentheses after them."""
    found: dict[str, tuple[Film, ...]] = {}
    for film in shelf:
        for name in {film.name, film.name.split(" (")[0]}:
            plain = utils.default_process(name)
            found[plain] = (*found.get(plain, ()), film)
    return found


def _unquoted(cell: str) -> str:
    """Without the apostrophe that keeps spreadsheets from running a cell."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") and len(text) > 1 else text


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1000 else None


def _moment(row: Mapping[str, str]) -> float | None:
    """When: `timestamp` in seconds since 1970, or `Date` or `rated_at` in ISO 8601."""
    if (seconds := _whole(row.get("timestamp", ""))) is not None:
        return float(seconds)
    try:
        moment = datetime.fromisoformat(row.get("rated_at") or row.get("date") or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
