"""The figures of `scale.py` as Markdown tables; nothing to run."""

from __future__ import annotations

from scale_limits import Row, best, limit, measured, slope
from scale_stages import STAGES


def table(heads: list[str], lines: list[list[str]]) -> None:
    print("\n| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for line in lines:
        print("| " + " | ".join(line) + " |")


def number(value: float) -> str:
    """Three digits, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def cell(row: Row, side: str, key: str) -> str:
    """A figure; one that was reckoned up from a part has a ~."""
    found = row.get(side, {})
    if key not in found:
        return "–"
    partly = key != "mib" and found.get("part", 1) < 1
    return "~" * partly + (f"{found[key]:,.0f}" if key == "mib" else number(found[key]))


def sizes_of(row: Row) -> list[str]:
    return [f"{row[name]:,}" for name in ("ratings", "users", "films")]


def own_table(rows: list[Row], key: str) -> None:
    lines = [sizes_of(row) + [cell(row, stage, key) for stage in STAGES] for row in rows]
    if key == "processor_s":
        slopes = [slope(stage, rows) for stage in STAGES]
        lines.append(["slope", "", "", *("–" if s is None else f"{s:.2f}" for s in slopes)])
    table(["ratings", "users", "films", *STAGES], lines)


def towers_table(rows: list[Row]) -> None:
    lines = []
    for row in rows:
        found = row["towers"]
        per_million = 1e6 * found["processor_s"] / row["ials"]["trained"]
        steps = [f"{found[name]:,.0f}" for name in ("steps", "timed_steps")]
        step = 1000 * found["processor_s"] / found["steps"]
        millions = found["logits"] / 1e6
        figures = [f"{millions:.1f}", f"{step:.0f}", number(step / millions)]
        figures += [number(per_million), cell(row, "towers", "processor_s")]
        lines.append([f"{row['ratings']:,}", *steps, *figures])
    heads = [
        "ratings",
        "steps of an epoch",
        "timed",
        "million logits a step",
        "ms a step",
        "ms a million logits",
        "s a million ratings",
        "epoch, s",
    ]
    table(heads, lines)


def peer_table(rows: list[Row], stage: str, side: str) -> None:
    """Matinee and a peer side by side."""
    rates, name = best(rows), side.split("/")[1]
    lines = []
    for row in rows:
        ours, theirs = row[stage], row[side]
        keys = ("processor_s", "s", "mib")
        figures = [cell(row, own, key) for own in (stage, side) for key in keys]
        ratio, share = "–", "–"
        if "s" in ours:
            least = limit(stage, row, rates)
            share = "–" if least is None else f"{least / ours['processor_s']:.2g}"
        if "stopped" in theirs:
            figures[3] = theirs["stopped"]
        elif "s" in ours:
            ratio = f"{theirs['processor_s'] / ours['processor_s']:.2f}"
        lines.append([f"{row['ratings']:,}", *figures, ratio, share])
    both = [f"{who}, {what}" for who in ("Matinee", name) for what in ("processor s", "s", "MiB")]
    print(f"\n`{stage}` beside {name}, slopes {slopes(stage, side, rows)}:")
    table(["ratings", *both, f"{name} / Matinee", "limit / Matinee"], lines)


def slopes(stage: str, side: str, rows: list[Row]) -> str:
    found = [slope(own, rows) for own in (stage, side)]
    return " and ".join("–" if own is None else f"{own:.2f}" for own in found)


def limits_table(rows: list[Row]) -> None:
    """How far each stage is from what the hardware takes, as a share."""
    rates, lines = best(rows), []
    for row in rows:
        shares = []
        for stage in STAGES:
            least = limit(stage, row, rates) if measured(stage, [row]) else None
            shares.append("–" if least is None else f"{least / row[stage]['processor_s']:.2g}")
        lines.append([f"{row['ratings']:,}", *shares])
    table(["ratings", *STAGES], lines)


def show(run: dict) -> None:
    """All tables, to standard output."""
    rows = run["rows"]
    for key, title in (
        ("processor_s", "Seconds of the processors (~: reckoned from a part)"),
        ("s", "Seconds by the clock"),
        ("mib", "Peak memory, MiB"),
    ):
        print(f"\n{title}:")
        own_table(rows, key)
    most = max(row[stage].get("process_mib", 0) for row in rows for stage in STAGES)
    print(f"\nNo process of Matinee's needed more than {most / 1024:.1f} GiB, saving included.")
    print("\nThe two towers, by processor time:")
    towers_table(rows)
    print("\nThe hardware's processor seconds as a share of Matinee's:")
    limits_table(rows)
    for stage in STAGES:
        for side in [name for name in rows[-1] if name.startswith(f"{stage}/")]:
            peer_table([row for row in rows if side in row], stage, side)
    rates = best(rows)
    print(
        f"\nA processor's bare product: {rates['gflops']:.0f} GFLOP/s in float32, "
        f"{rates['gflops64']:.0f} in float64; it copies memory at {rates['copy_gb_s']:.1f} "
        "GB/s, read and written."
    )
    print(
        ", ".join(f"{name} {value}" for name, value in (run["machine"] | run["versions"]).items())
    )
