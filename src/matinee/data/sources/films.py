"""A catalogue of your own, from a table of films."""

from __future__ import annotations

from pathlib import Path

from matinee.data.catalog import Catalog
from matinee.data.sources.layout import Table
from matinee.data.sources.sniff import open_table
from matinee.errors import DataError

# Two words for "nobody said", in MovieLens's older and newer sets.
NO_GENRE = ("unknown", "(no genres listed)")
_LONGEST_TITLE = 1000


def load_catalog(
    path: Path | str,
    item: str | None = None,
    title: str | None = None,
    genres: str | None = None,
    year: str | None = None,
) -> Catalog:
    """Read films from a table: `.csv`, `.tsv` or `.txt`, also with `.gz`, or `.parquet`.

    Args:
        path: the file.
        item: name of the ids' column; None looks for the usual names, here and below.
        title: of the titles, with or without `(year)`.
        genres: of the genres, separated by `|`; may be absent.
        year: of the years, which go before those in the titles; may be absent.

    Raises:
        NotFoundError: no such file or column.
        DataError: an empty file, a row without an id or a title, a year that is none, or an id
            twice; with file and line.
    """
    named = {"item": item, "title": title, "genres": genres, "year": year}
    table = open_table(Path(path), named, optional=("genres", "year"))
    ids: list[str] = []
    titles: list[str] = []
    lists: list[list[str]] = []
    years: list[int | None] = []
    first_line: dict[str, int] = {}
    for line, fields in table.rows():
        text = _cells(table, line, fields)
        if text["item"] in first_line:
            raise DataError(
                f"{table.path}, {table.unit} {line}: film id {text['item']} stands in "
                f"{table.unit} {first_line[text['item']]} already; expected each once; remove one"
            )
        first_line[text["item"]] = line
        ids.append(text["item"])
        titles.append(text["title"])
        lists.append(split_genres(text.get("genres", "")))
        years.append(_year(table, line, text.get("year", "")))
    return Catalog.of_titles(ids, titles, lists, years)


def split_genres(text: str) -> list[str]:
    """`"Action|War"` -> `["Action", "War"]`; a genre that says "none" is left out."""
    names = (name.strip() for name in text.split("|"))
    return [name for name in names if name and name not in NO_GENRE]


def _cells(table: Table, line: int, fields: list[str]) -> dict[str, str]:
    """Role -> text of one row, in which id and title stand."""
    if len(fields) != len(table.header):
        raise DataError(
            f"{table.path}, {table.unit} {line}: {','.join(fields)[:80]!r} has {len(fields)} "
            f"fields; expected {len(table.header)} ({', '.join(table.header)}); put quotes around "
            "a field that holds the separator"
        )
    text = {role: fields[place].strip() for role, place in table.columns.items()}
    for role in ("item", "title"):
        if not text[role]:
            raise DataError(
                f"{table.path}, {table.unit} {line}: no {role} in {','.join(fields)[:80]!r}; "
                "expected one in every row; fill it in or remove the row"
            )
    if len(text["title"]) > _LONGEST_TITLE:
        raise DataError(
            f"{table.path}, {table.unit} {line}: a title of {len(text['title']):,} characters; "
            f"expected at most {_LONGEST_TITLE:,}; is a quote not closed?"
        )
    return text


def _year(table: Table, line: int, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) == 4):
        raise DataError(
            f"{table.path}, {table.unit} {line}: year {text!r}; expected four digits, or nothing"
        )
    return int(text)
