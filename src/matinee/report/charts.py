"""The kinds of charts: dots with intervals, lines with names at their ends, shares, small curves.

Axes are `Any`, for matplotlib does not say what its keywords are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from matinee.evaluation.bootstrap import Estimate
from matinee.report.drawing import TEXT_PT, WIDTH_IN, draw
from matinee.report.looks import INK, LINE, SURFACE, Look
from matinee.report.words import percent, signed

# The width of a letter, as a share of its size, that no system font exceeds on average.
LETTER = 0.6
_POINTS_PER_INCH = 72
_STEPS = (1, 2, 2.5, 5, 10)
# Fills of a bar's parts from the most to the least popular, each with the colour of text on it.
_SHARES = (("#0b4f7d", "#ffffff"), ("#6fb1da", "#10202c"), ("#d3e6f3", "#10202c"))


@dataclass(frozen=True)
class Series:
    """A named row of estimates; None where there is none."""

    name: str
    look: Look
    estimates: Sequence[Estimate | None]


def forest(
    name: str,
    label: str,
    rows: Sequence[tuple[str, Look, Estimate]],
    axis: str,
    *,
    difference: bool = False,
) -> Markup:
    """One dot with its interval a row, from top to bottom, with the value beside it.

    Args:
        name: of the figure.
        label: of the figure, for people who hear it.
        rows: names, looks and estimates.
        axis: what the values are.
        difference: whether they are differences: they get signs, and zero a line.
    """

    def paint(axes: Any) -> None:
        for place, (_, look, estimate) in enumerate(rows):
            axes.plot(
                [estimate.low, estimate.high], [place, place], color=look.color, linewidth=2.2
            )
            _dots(axes, [estimate.value], [place], look)
            shown = signed(estimate.value) if difference else f"{estimate.value:.3f}"
            axes.annotate(
                shown,
                (1.0, place),
                (5, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                size=TEXT_PT - 0.5,
            )
        if difference:
            axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows], color=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))
        axes.set_xlabel(axis)

    return draw(paint, name, label, height_in=0.75 + 0.25 * len(rows))


def lines(
    name: str,
    label: str,
    series: Sequence[Series],
    ticks: Sequence[str],
    x_axis: str,
    y_axis: str,
    *,
    bands: bool = False,
) -> Markup:
    """Lines with their intervals, and their names at the right ends.

    Args:
        name: of the figure.
        label: of the figure, for people who hear it.
        series: one line each.
        ticks: what stands below each point; they are evenly apart.
        x_axis: what they are.
        y_axis: what the values are.
        bands: intervals as bands along the line, else as bars side by side.
    """
    at = [float(place) for place in range(len(ticks))]
    height_in = max(2.9, 1.2 + 0.19 * len(series))

    def paint(axes: Any) -> None:
        step = 0.0 if bands else min(0.08, 0.5 / len(series))
        for place, own in enumerate(series):
            shift = step * (place - (len(series) - 1) / 2)
            _line(axes, [x + shift for x in at], own, bands)
        edge = 0.05 * (at[-1] - at[0]) if bands else 0.32
        first, last = at[0] - edge, at[-1] + edge
        # The plot keeps what the names leave of the figure, less the scale on the left.
        names_pt = (TEXT_PT - 0.5) * LETTER * max(len(own.name) for own in series) + 22
        share = min(names_pt / (WIDTH_IN * _POINTS_PER_INCH - 50), 0.5)
        right = last + (last - first) * share / (1 - share)
        axes.set_xlim(first, right)
        low, high = axes.get_ylim()
        # What nearly begins at zero does, so that twice as high is twice as much.
        axes.set_ylim(0.0 if low < 0.25 * high else low, high)
        axes.set_xticks(at, ticks)
        _rule(axes, first, last)
        _end_names(axes, series, at[-1], last, height_in)
        axes.set_ylabel(y_axis)
        axes.set_xlabel(x_axis, x=(last - first) / 2 / (right - first))

    return draw(paint, name, label, height_in=height_in)


def shares(
    name: str,
    label: str,
    rows: Sequence[tuple[str, Sequence[float]]],
    parts_of: Sequence[str],
    axis: str,
) -> Markup:
    """One bar a row, cut into three parts that are 100 % together, each with its percentage."""

    def paint(axes: Any) -> None:
        for place, (_, parts) in enumerate(rows):
            start = 0.0
            for part, (fill, text) in zip(parts, _SHARES, strict=True):
                axes.barh(place, part, 0.74, start, color=fill, edgecolor=SURFACE, linewidth=1)
                if part >= 0.12:
                    middle = start + part / 2
                    axes.text(
                        middle, place, percent(part), color=text, ha="center", va="center",
                        size=TEXT_PT - 0.5,
                    )  # fmt: skip
                start += part
        axes.set_yticks(range(len(rows)), [row[0] for row in rows], color=INK)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.legend(
            [Patch(color=fill) for fill, _ in _SHARES], parts_of, ncols=3, frameon=False,
            loc="lower center", bbox_to_anchor=(0.36, 1.0), handlelength=0.9, handleheight=0.9,
            columnspacing=1.0, handletextpad=0.4, borderpad=0.2,
        )  # fmt: skip
        axes.grid(visible=False)
        axes.set_xlabel(axis)

    return draw(paint, name, label, height_in=0.95 + 0.27 * len(rows))


def curve(name: str, label: str, losses: Sequence[float], look: Look) -> Markup:
    """A small learning curve: the loss after each pass."""

    def paint(axes: Any) -> None:
        passes = np.arange(1, len(losses) + 1)
        axes.plot(passes, losses, color=look.color, linewidth=1.8)
        _dots(axes, [float(passes[-1])], [losses[-1]], look)
        axes.margins(x=0.06, y=0.12)
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(3, steps=_STEPS))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set_xlabel("passes")
        axes.set_ylabel("loss")

    return draw(paint, name, label, width_in=2.0, height_in=1.6)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places at least `gap` apart, as near as can be (least squares) to ascending wanted ones.

    Isotonic regression of what is wanted less i · gap, by pooling adjacent violators.

    Args:
        wanted: ascending.
        gap: the least distance.
        low: no place is below.
        high: nor above, if there is room.
    """
    pools: list[tuple[float, int]] = []
    for place, value in enumerate(wanted):
        mean, count = value - place * gap, 1
        while pools and pools[-1][0] >= mean:
            before, size = pools.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        pools.append((mean, count))
    top = max(high - (len(wanted) - 1) * gap, low)
    bases = [min(max(mean, low), top) for mean, count in pools for _ in range(count)]
    return [base + place * gap for place, base in enumerate(bases)]


def _dots(axes: Any, x: Sequence[float], y: Sequence[float], look: Look) -> None:
    axes.plot(
        x,
        y,
        linestyle="none",
        marker=look.marker,
        markersize=look.size,
        color=look.color,
        markeredgecolor=SURFACE,
        markeredgewidth=0.7,
        clip_on=False,
        zorder=3,
    )


def _line(axes: Any, at: Sequence[float], own: Series, bands: bool) -> None:
    known = [(x, e) for x, e in zip(at, own.estimates, strict=True) if e is not None]
    x, values = [x for x, _ in known], [e.value for _, e in known]
    low, high = [e.low for _, e in known], [e.high for _, e in known]
    color, dashes = own.look.color, own.look.dashes or (None, None)
    axes.plot(x, values, color=color, linewidth=1.4, dashes=dashes)
    if bands:
        axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
    else:
        axes.vlines(x, low, high, color=color, linewidth=1.8)
    _dots(axes, x, values, own.look)


def _rule(axes: Any, first: float, last: float) -> None:
    """Lines across the plot, which end where the names begin."""
    axes.grid(visible=False)
    axes.spines["bottom"].set_bounds(first, last)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    low, high = axes.get_ylim()
    marks = [float(mark) for mark in axes.get_yticks() if low <= mark <= high]
    axes.hlines(marks, first, last, color=LINE, linewidth=0.8, zorder=0)


def _end_names(
    axes: Any, series: Sequence[Series], last: float, start: float, height_in: float
) -> None:
    low, high = axes.get_ylim()
    ends = [
        (next(e.value for e in reversed(own.estimates) if e is not None), own)
        for own in series
        if any(e is not None for e in own.estimates)
    ]
    ends.sort(key=lambda end: end[0])
    gap = (TEXT_PT + 2.2) / ((height_in - 0.6) * _POINTS_PER_INCH) * (high - low)
    heights = spread([value for value, _ in ends], gap, low + gap / 2, high - gap / 2)
    for (value, own), height in zip(ends, heights, strict=True):
        axes.annotate(
            own.name,
            (start, height),
            (14, 0),
            textcoords="offset points",
            va="center",
            size=TEXT_PT - 0.5,
            annotation_clip=False,
        )
        axes.annotate(
            "",
            (last, value),
            (start, height),
            arrowprops={"arrowstyle": "-", "color": LINE, "linewidth": 0.9, "shrinkA": 0},
            annotation_clip=False,
            zorder=0,
        )
        beside = axes.transData + ScaledTranslation(
            7 / _POINTS_PER_INCH, 0, axes.figure.dpi_scale_trans
        )
        axes.plot(
            [start], [height], marker=own.look.marker, markersize=own.look.size - 0.6,
            color=own.look.color, clip_on=False, linestyle="none", transform=beside,
        )  # fmt: skip
