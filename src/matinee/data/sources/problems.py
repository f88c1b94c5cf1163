"""Bad rows of any table: how they are found, named, and left out or refused."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal, TypeVar

from matinee.console import say
from matinee.data.sources.layout import Table
from matinee.data.sources.sniff import TABLE_SUFFIXES
from matinee.errors import ConfigError, DataError
from matinee.files import atomic_file

OnBadRows = Literal["raise", "skip"]
T = TypeVar("T")
_LONGEST = 80


@dataclass(frozen=True, order=True)
class Problem:
    """One bad row.

    Attributes:
        line: its number in the file, from 1; a row over several lines has that of its first.
        value: what stands there.
        reason: what was expected instead.
        path: the file.
    """

    line: int
    value: str
    reason: str
    path: Path

    def __str__(self) -> str:
        return f"{self.value!r}: {self.reason}"


# What is done about the bad rows of a table, of which there is one at least; and how many are good.
Report = Callable[[Table, list[Problem], int], None]


class BadRowError(Exception):
    """A row that cannot be used."""

    def __init__(self, value: str, reason: str) -> None:
        self.value = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        self.reason = reason


def report_of(on_bad_rows: str, archive: Path | None = None) -> Report:
    """What to do about bad rows, by its name.

    Args:
        on_bad_rows: "raise" or "skip".
        archive: the zip that the tables came out of, beside which bad rows are then written.

    Raises:
        ConfigError: there is no such thing to do.
    """
    if on_bad_rows not in ("raise", "skip"):
        raise ConfigError(f"on_bad_rows={on_bad_rows!r}; expected 'raise' or 'skip'")
    return _raise_first if on_bad_rows == "raise" else partial(_leave_out, archive)


def _raise_first(table: Table, problems: list[Problem], _good: int) -> None:
    first = problems[0]
    raise DataError(
        f"{table.path}, {table.unit} {first.line}: {first} (bad rows in all: "
        f"{len(problems):,}); correct them, or leave them out with on_bad_rows='skip' "
        "(--on-bad-rows skip)"
    )


def _leave_out(archive: Path | None, table: Table, problems: list[Problem], _good: int) -> None:
    target = _write_rejected(table, problems, archive)
    say(f"{table.path}: bad rows left out: {len(problems):,}; see {target}")


def settle(table: Table, problems: list[Problem], report: Report, good: int) -> None:
    """Report the bad rows of a table, if any, and make sure that some are good.

    Raises:
        DataError: none is.
    """
    if problems:
        report(table, problems, good)
    if not good:
        raise DataError(
            f"{table.path}: none of its {len(problems):,} rows is good; expected at least one"
            + "".join(f"; the first, {table.unit} {bad.line}, is {bad}" for bad in problems[:1])
        )


def good_rows(
    table: Table, check: Callable[[int, list[str]], T], problems: list[Problem]
) -> Iterator[T]:
    """What `check` makes of each row's line and fields; rows that it refuses go to `problems`."""
    for line, fields, fault in table.rows():
        try:
            if fault:
                raise BadRowError(",".join(fields), fault)
            yield check(line, fields)
        except BadRowError as bad:
            problems.append(Problem(line, bad.value, bad.reason, table.path))


def cells(table: Table, fields: list[str], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """Role -> text of one row, none of it empty but for what is optional.

    Raises:
        BadRowError: too many or too few fields, or an empty one.
    """
    if len(fields) != len(table.header):
        names = ", ".join(name for name in table.header if name)
        raise BadRowError(
            ",".join(fields), f"{len(fields)} fields; expected {len(table.header)} ({names})"
        )
    text = {role: fields[place].strip() for role, place in table.columns.items()}
    for role, value in text.items():
        if not value and role not in optional:
            raise BadRowError(",".join(fields), f"no {role}; expected one in every row")
    return text


def _write_rejected(table: Table, problems: list[Problem], archive: Path | None) -> Path:
    """Write the bad rows, each with its number and reason, to `NAME.rejected.csv` beside the data.

    Where a file of that name is the table itself, or somebody else's, the name gets a number.

    Raises:
        DataError: the directory cannot be written to.
    """
    stem = _rejected_stem(table.path)
    beside = table.path if archive is None else archive
    names = _names(stem if archive is None else f"{archive.stem}.{stem}")
    header = [table.unit, "reason", *table.header]
    target = next(
        path for path in map(beside.with_name, names) if _may_write(path, table.path, header)
    )
    reasons = {problem.line: problem.reason for problem in problems}
    try:
        with (
            atomic_file(target) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(header)
            for line, fields, _ in table.rows():
                if line in reasons:
                    writer.writerow([line, reasons[line], *fields])
    except OSError as error:
        raise DataError(
            f"{target} cannot be written ({error}), and {len(problems):,} bad rows would be lost; "
            "make its directory writable, or copy the data to one that is"
        ) from error
    return target


def _names(stem: str) -> Iterator[str]:
    yield f"{stem}.rejected.csv"
    yield from (f"{stem}.rejected-{number}.csv" for number in count(2))


def _may_write(target: Path, own: Path, header: list[str]) -> bool:
    """Whether nothing is lost: nothing is there, or what an earlier run wrote for such a table."""
    if target.is_symlink() or (target.exists() and not target.is_file()):
        return False
    if not target.exists():
        return True
    if target.samefile(own):
        return False
    try:
        with target.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), None) == header
    except (OSError, ValueError, csv.Error):
        return False


def _rejected_stem(path: Path) -> str:
    """The file's name without its suffix; with it if the table is not the only one of that name."""
    stem, _ = _split_suffix(path.name)
    for other in path.parent.iterdir():
        if other.name != path.name and _split_suffix(other.name) == (stem, True):
            return path.name
    return stem


def _split_suffix(name: str) -> tuple[str, bool]:
    """The name without a table's suffix, and whether it had one."""
    for suffix in (*TABLE_SUFFIXES, ".dat"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], True
    return name, False
