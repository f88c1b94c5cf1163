"""What a person at a terminal sees while work goes on; all of it on the standard error stream."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

# A call with how far the work has come, in the unit that the bar was opened with.
Advance = Callable[[float], None]


# Whether a bar is on the screen now.
_shown = False

# Control characters (but the line feed) could move a terminal's cursor or change its colours.
_CONTROL = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160)), "\ufffd")


def harmless(text: str) -> str:
    """Text with a sign in the place of each control character, as safe to print as any letter."""
    return text.translate(_CONTROL)


def say(text: str) -> None:
    """Print one line for a person."""
    print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def progress_bar(label: str, total: float | None, unit: str) -> Generator[Advance]:
    """Show a bar with rate and time left while the block runs.

    It is silent where nobody watches, and within another bar, whose work its own is a part of.

    Args:
        label: what is being done.
        total: how much there is to do, or None if unknown.
        unit: "bytes", or the plural name of what is counted.

    Yields:
        A function that takes the amount done so far.
    """
    global _shown
    if _shown or not sys.stderr.isatty():
        yield lambda done: None
        return
    bar = _bytes_bar() if unit == "bytes" else _count_bar(unit)
    _shown = True
    try:
        with bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.update(task, completed=done)
    finally:
        _shown = False


def _bytes_bar() -> Progress:
    from rich import progress as p

    return p.Progress(
        p.TextColumn("{task.description}"),
        p.BarColumn(),
        p.DownloadColumn(),
        p.TransferSpeedColumn(),
        p.TimeRemainingColumn(),
        console=_console(),
    )


def _count_bar(unit: str) -> Progress:
    from rich import progress as p
    from rich.text import Text

    class Rate(p.ProgressColumn):
        def render(self, task: p.Task) -> Text:
            speed = task.finished_speed or task.speed
            digits = ".2g" if speed is not None and speed < 10 else ",.0f"
            return Text(
                "" if speed is None else f"{speed:{digits}} {unit}/s", style="progress.data.speed"
            )

    return p.Progress(
        p.TextColumn("{task.description}"),
        p.BarColumn(),
        p.TaskProgressColumn(),
        Rate(),
        p.TimeElapsedColumn(),
        p.TimeRemainingColumn(),
        console=_console(),
    )


def _console():  # noqa: ANN202 - rich is imported only when a bar is shown
    from rich.console import Console

    return Console(stderr=True)
