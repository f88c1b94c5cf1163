"""What a person at a terminal sees while work goes on; all of it on the standard error stream."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress


class Advance(Protocol):
    """Tells a bar how far the work has come."""

    def __call__(self, done: float, /, loss: float | None = None) -> None:
        """Move the bar.

        Args:
            done: how much of it, in the unit that the bar was opened with.
            loss: of the epoch or sweep that has just ended, as the next point of a curve.
        """


# Whether a bar is on the screen now.
_shown = False

_BLOCKS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 16

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
    """Show a bar with rate, time left and the curve of losses while the block runs.

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
        yield unwatched
        return
    bar = _bytes_bar() if unit == "bytes" else _count_bar(unit)
    _shown = True
    try:
        with bar:
            losses: list[float] = []
            task = bar.add_task(label, total=total, losses=losses)

            def advance(done: float, /, loss: float | None = None) -> None:
                if loss is not None:
                    losses.append(loss)
                bar.update(task, completed=done)

            yield advance
    finally:
        _shown = False


def sparkline(values: Sequence[float], width: int = _CURVE_WIDTH) -> str:
    """A line of at most `width` blocks whose heights follow the values; "" without any.

    Of more values than that, each block stands for the last one of its part.
    """
    count = min(width, len(values))
    shown = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    finite = [value for value in shown if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((value - low) * scale)] if math.isfinite(value) else "?" for value in shown
    )


def unwatched(done: float, /, loss: float | None = None) -> None:
    """The `Advance` of a bar that nobody sees."""


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

    class Curve(p.ProgressColumn):
        def render(self, task: p.Task) -> Text:
            losses: list[float] = task.fields["losses"]
            drawn = f"loss {sparkline(losses)} {losses[-1]:.4g}" if losses else ""
            return Text(drawn, style="progress.percentage")

    return p.Progress(
        p.TextColumn("{task.description}"),
        p.BarColumn(),
        p.TaskProgressColumn(),
        Rate(),
        Curve(),
        p.TimeElapsedColumn(),
        p.TimeRemainingColumn(),
        console=_console(),
    )


def _console():  # noqa: ANN202 - rich is imported only when a bar is shown
    from rich.console import Console

    return Console(stderr=True)
