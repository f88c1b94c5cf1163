"""How results look: JSON for programs, tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from matinee.console import harmless, say
from matinee.errors import MatineeError


def show_json(value: Any) -> None:
    """Print a value as indented JSON on standard output; ASCII alone, so that any pipe takes it."""
    print(json.dumps(value, indent=2, allow_nan=False))  # noqa: T201


def show_line(text: str) -> None:
    """Print one line on standard output."""
    print(harmless(text))  # noqa: T201


def show_error(error: MatineeError | OSError, *, as_json: bool) -> None:
    """Print an error on standard error, as one line or as JSON."""
    if as_json:
        described = {"type": type(error).__name__, "message": str(error)}
        print(json.dumps({"error": described}), file=sys.stderr)  # noqa: T201
    else:
        say(f"error: {error}")


def show_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> None:
    """Print a table on standard output.

    Args:
        title: above it.
        columns: their headings.
        rows: their cells, which may hold any character: nothing in them is markup.
        right: headings of the columns to align right.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    for row in rows:
        table.add_row(*[Text(harmless(cell.replace("\n", " "))) for cell in row])
    console = Console()
    console.print(Text(harmless(title), style="bold"))
    console.print(table)
    console.print()


def show_metrics(title: str, metrics: Mapping[str, float]) -> None:
    """Print metrics by name."""
    rows = [
        [name, f"{value:,.0f}" if name in ("users", "ratings") else f"{value:.4f}"]
        for name, value in metrics.items()
    ]
    show_table(title, ["metric", "value"], rows, right=["value"])
