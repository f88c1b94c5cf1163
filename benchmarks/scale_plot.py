"""The curves of `scale.py` as two pictures: processor seconds, and peak memory, a panel a stage.

Part of `scale.py`; nothing to run. Needs Matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from scale_limits import WORK, Row, best, limit, measured, slope, work
from scale_stages import STAGES

# Of Okabe and Ito's colours, which readers who do not tell red from green tell apart.
OURS, THEIRS, BOUND = "#0072B2", "#D55E00", "#4d4d4d"
FAINT, INK = "#b5b5b5", "#222222"
TITLES = {
    "make": "making up ratings",
    "prepare": "preparing",
    "ials": "training: a sweep of iALS",
    "bias": "training: biases for stars",
    "ease": "training: EASE",
    "towers": "training: two towers, an epoch",
    "evaluate": "evaluating",
    "index": "1,000 searches of the index",
    "batch": "lists for everybody",
}
STYLE = {
    "font.size": 9,
    "svg.hashsalt": "matinee",
    "axes.edgecolor": "#8c8c8c",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
MEMORY_TICKS = [64, 256, 1024, 4096]
# Between two labels, in points.
_APART = 10.5

# What ends at the right with a label: where, what it says, its colour.
Label = tuple[float, float, str, str]


def millions(value: float, _: object = None) -> str:
    return f"{value / 1e6:.3g}"


def seconds(value: float, _: object = None) -> str:
    if value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{value:,.0f} s"


def memory(value: float, _: object = None) -> str:
    return f"{value / 1024:.3g} GiB" if value >= 1024 else f"{value:.3g} MiB"


def curve(axis: Any, name: str, rows: list[Row], key: str, colour: str) -> Label | None:
    """The points of a stage or peer, hollow where reckoned from a part; where its label goes."""
    held = measured(name, rows)
    if not held:
        return None
    x, y = ([row["ratings"] for row in held], [row[name][key] for row in held])
    axis.plot(x, y, color=colour, linewidth=1.6, zorder=3)
    for row in held:
        found = row[name]
        hollow = key == "processor_s" and found.get("part", 1) < 1
        face = "white" if hollow else colour
        marker = "s" if "/" in name else "o"
        axis.plot(
            row["ratings"], found[key], marker, ms=4.6, mfc=face, mec=colour, mew=1.2, zorder=4
        )
        if key == "processor_s":
            ends = min(found["all_s"]), max(found["all_s"])
            axis.vlines(row["ratings"], *ends, color=colour, linewidth=0.9, zorder=3)
    text = name.split("/")[1] if "/" in name else "Matinee"
    reason = next((row[name]["stopped"] for row in rows if "stopped" in row.get(name, {})), "")
    if reason.startswith("over") and "films" not in reason:
        write_stop(axis, (x[-1], y[-1]), text, colour)
        return None
    return x[-1], y[-1], text, colour


def write_stop(axis: Any, point: tuple[float, float], text: str, colour: str) -> None:
    """Where a peer was measured last."""
    axis.plot(*point, "x", color=colour, ms=9, mew=1.4, zorder=5)
    options = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": 8.5}
    axis.annotate(text, point, (-5, 5), color=colour, zorder=6, **options)


def write_labels(axis: Any, labels: list[Label]) -> None:
    """Each beside the end of its curve, moved up or down where two would meet."""
    points = axis.transData.transform([(x, y) for x, y, _, _ in labels])
    unit = axis.figure.dpi / 72
    low, high = (axis.transAxes.transform((0, share))[1] for share in (0.04, 0.97))
    order = np.argsort(points[:, 1])
    heights = np.clip(points[order, 1], low, high)
    for upper in range(1, len(heights)):
        heights[upper] = max(heights[upper], heights[upper - 1] + _APART * unit)
    # What was moved past the top comes down again, and takes with it what is in its way.
    heights = np.minimum(heights, high - _APART * unit * np.arange(len(heights))[::-1])
    for place, height in zip(order, heights, strict=True):
        _, _, text, colour = labels[place]
        x, y = axis.transData.inverted().transform((points[place, 0] + 6 * unit, height))
        axis.text(x, y, text, color=colour, fontsize=8.5, va="center", zorder=6)


def proportion(axis: Any, stage: str, rows: list[Row]) -> None:
    """The thin line through the largest size along which time is in proportion to the work."""
    held = measured(stage, rows)
    if not held:
        return
    last = held[-1]
    scale = last[stage]["processor_s"] / work(stage, last)
    lines = [scale * work(stage, row) for row in held]
    axis.plot([row["ratings"] for row in held], lines, color=FAINT, linewidth=1, zorder=1)


def bound(axis: Any, stage: str, rows: list[Row]) -> Label | None:
    """The dotted line of what the hardware takes."""
    held, rates = measured(stage, rows), best(rows)
    x = [row["ratings"] for row in held]
    y = [limit(stage, row, rates) for row in held]
    if None in y or not y:
        return None
    axis.plot(x, y, ":", color=BOUND, linewidth=1.5, zorder=2)
    return x[-1], float(y[-1] or 0), "limit", BOUND


def panel(axis: Any, stage: str, rows: list[Row], key: str, limit_gib: float) -> list[Label]:
    found = [curve(axis, stage, rows, key, OURS)]
    found += [
        curve(axis, side, rows, key, THEIRS)
        for side in rows[0]
        if side[: len(stage) + 1] == f"{stage}/"
    ]
    if key == "processor_s":
        proportion(axis, stage, rows)
        found.append(bound(axis, stage, rows))
        grown = slope(stage, rows)
        under = f"work: {WORK.get(stage, 'ratings')}"
        under += "" if grown is None else f"; slope {grown:.2f}"
        axis.set_title(under, loc="left", fontsize=8, color="#666666", pad=4)
        axis.text(0, 1.125, TITLES[stage], transform=axis.transAxes, fontsize=10, weight="bold")
    else:
        axis.axhline(1024 * limit_gib, color=BOUND, linewidth=1.2, linestyle="--", zorder=2)
        text = {"xytext": (-2, 3), "textcoords": "offset points", "fontsize": 8.5, "color": BOUND}
        place = 1, 1024 * limit_gib
        axis.annotate(
            f"{limit_gib:g} GiB", place, xycoords=axis.get_yaxis_transform(), ha="right", **text
        )
        axis.set_title(TITLES[stage], loc="left", fontsize=10, weight="bold", pad=6)
    return [label for label in found if label is not None]


def frame(axis: Any, rows: list[Row], key: str) -> None:
    """Scales, ticks and room for the labels."""
    least, most = rows[0]["ratings"], rows[-1]["ratings"]
    axis.set_xscale("log")
    axis.set_yscale("log")
    room = max(np.log10(most / least), 0.5)
    axis.set_xlim(least / 10 ** (0.05 * room), most * 10 ** (0.42 * room))
    ticks = [10**n for n in range(5, 10) if 0.9 * least <= 10**n <= most]
    axis.set_xticks([*ticks, most] if most > 2 * ticks[-1] else ticks)
    axis.xaxis.set_major_formatter(millions)
    axis.yaxis.set_major_formatter(seconds if key == "processor_s" else memory)
    axis.minorticks_off()
    axis.grid(which="major", color="#ececec", linewidth=0.8, zorder=0)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(length=3, labelsize=8.5)
    low, high = axis.get_ylim()
    if key == "processor_s":
        # At least two decades, so that ticks of one scale are seen in each panel.
        axis.set_ylim(low / 1.3, max(high * 1.6, 100 * low))
    else:
        axis.set_yticks(MEMORY_TICKS)
        axis.set_ylim(32, 2.5 * MEMORY_TICKS[-1])


def legend(figure: Any, key: str, bounds: str) -> None:
    """What is not said by a label."""
    marks = [
        Line2D([], [], color=FAINT, linewidth=1, label="in proportion to the work"),
        Line2D([], [], color=BOUND, linestyle=":", label="what the hardware takes at least"),
        Line2D(
            [],
            [],
            color=INK,
            marker="o",
            mfc="white",
            ms=4.6,
            linewidth=0,
            label="reckoned from a part",
        ),
    ]
    stop = Line2D(
        [], [], color=THEIRS, marker="x", ms=7, linewidth=0, label=f"{bounds} at the next size"
    )
    marks = [*marks, stop] if key == "processor_s" else [stop]
    figure.legend(handles=marks, loc="lower center", ncols=4, frameon=False, fontsize=8.5)


def draw(run: dict, key: str, path: Path) -> None:
    rows, limit_gib = run["rows"], run["settings"]["limit_gib"]
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(3, 3, figsize=(9.4, 8.3), sharey=key != "processor_s")
        labels = {}
        for axis, stage in zip(axes.flat, STAGES, strict=True):
            labels[axis] = panel(axis, stage, rows, key, limit_gib)
            frame(axis, rows, key)
        for axis in axes[-1]:
            axis.set_xlabel("million ratings", fontsize=8.5, loc="left")
        figure.subplots_adjust(
            left=0.075, right=0.99, top=0.94, bottom=0.105, wspace=0.24, hspace=0.42
        )
        for axis, own in labels.items():
            write_labels(axis, own)
        legend(figure, key, "over {limit_gib:g} GiB or {timeout_s:g} s".format(**run["settings"]))
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
        plt.close(figure)


def plot(run: dict, folder: Path) -> None:
    """Write both pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    draw(run, "processor_s", folder / "scale-time.svg")
    draw(run, "mib", folder / "scale-memory.svg")
