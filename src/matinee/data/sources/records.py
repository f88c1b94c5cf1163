"""Records of a text table: lines parted into fields, and quotes that were never closed."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Row(NamedTuple):
    """One record of a table.

    Attributes:
        line: its number, from 1; a record over several lines has that of its first.
        fields: its text.
        fault: why it cannot be a row at all, or nothing.
    """

    line: int
    fields: list[str]
    fault: str = ""


# Whether the fields of a line are a row's, given those of the line where a quote was opened.
IsRow = Callable[[list[str], list[str]], bool]


class _Lines:
    """Lines of which some can be put back, to be read again."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def put_back_all_but_first(self) -> None:
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def records(lines: Iterable[str], separator: str, is_row: IsRow) -> Iterator[Row]:
    """Every record of a text in which quotes may enclose a field, blank lines left out.

    A quoted field may run over several lines. If it runs to the end of the file, ends within a
    word, or has a row inside it, then its quote was never closed: the line that opened it is a row
    with a fault, and reading goes on at the next line.

    Args:
        lines: with their ends.
        separator: one character.
        is_row: tells a row inside a quoted field from a line of text.
    """
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=separator, strict=True)
    line = 1
    while True:
        source.taken.clear()
        try:
            fields = next(reader, None)
        except csv.Error:
            fields = []
        if fields is None:
            return
        row = _row_of(line, fields, source.taken, separator, is_row)
        if row.fault:
            source.put_back_all_but_first()
        if row.fields:
            yield row
        line += len(source.taken)


def _row_of(line: int, fields: list[str], taken: list[str], separator: str, is_row: IsRow) -> Row:
    """The record in some lines; no fields if a strict reader could not make sense of them."""
    first = taken[0].rstrip("\r\n")
    if len(taken) == 1:
        if fields or not first:
            return Row(line, fields)
        if not _is_open(first, separator):
            # Text after a closing quote is taken as it stands.
            return Row(line, _forgiving(first, separator))
    elif fields and not _has_row_inside(taken, separator, is_row):
        return Row(line, fields)
    fault = f"a quote opened in line {line} is not closed; expected a second one, or none"
    return Row(line, first.split(separator), fault)


def _has_row_inside(taken: list[str], separator: str, is_row: IsRow) -> bool:
    first = _forgiving(taken[0], separator)
    return any(is_row(first, _forgiving(inner, separator)) for inner in taken[1:])


def _is_open(text: str, separator: str) -> bool:
    """Whether a quoted field of a line goes on after its end."""
    probe = csv.reader([f"{text}\n", "\n"], delimiter=separator)
    try:
        next(probe)
    except csv.Error:
        return False
    return probe.line_num > 1


def _forgiving(text: str, separator: str) -> list[str]:
    """The fields of a line by itself, whatever its quotes; split plainly if one is too long."""
    text = text.rstrip("\r\n")
    try:
        return next(csv.reader([text], delimiter=separator), list[str]())
    except csv.Error:
        return text.split(separator)
