"""Matinee against TensorFlow Recommenders: the seed's program on both, on this machine, in turn.

    python benchmarks/against_tfrs.py [--repeats 3] [--cores 2] [--json]

What is compared with what: `tfrs_program.py`, the seed's program written for TFRS 0.7.7 on
TensorFlow 2.21 with Keras 2, with `matinee_program.py`, the same program under Matinee's names.
Both train on the same 80,000 ratings' worth of MovieLens 100K (a random 80/20 split by the same
seed number, each drawn by its own generator), with embeddings of 32, Adagrad 0.1, batches of 4,096
and three epochs, test on the other 20,000 ratings with seen films left in, and recommend ten films
to user 42. TFRS keys films by title (1,664), as the seed does; Matinee by id (1,682). The seed
computes its top-k metrics while it trains, which is most of its time, and ranks ten films by ten
calls of the model: both belong to the program, so both count in the whole job and in the request.
The training step is therefore also timed with metrics off, which compares the arithmetic alone.

Each measurement is a new process, in an environment of its own with exactly the pinned packages,
on the same cores, with no setting of TensorFlow, JAX or the thread pools in its surroundings. The
two sides alternate, and the one that goes first alternates too. Every repeat has its own seed.

- Whole job: from the start of the process to its answer, imports and reading the data included;
  files are read from disk, nothing is downloaded.
- Step: whole batches only; an epoch's time by its number of batches, the first epoch left out.
- Evaluation: the first call (in the job; it includes compiling) and the second one.
- Request: retrieve 10 and rank 10 for one user; median of 20, after three that are not counted.
- Peak memory: `ru_maxrss` of the job. This script stays small because a process inherits as its
  first peak what its parent held.
- Installed size: blocks on disk of the environment's `site-packages` (and of Matinee's source).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from environments import (
    ENVIRONMENTS,
    ROOT,
    environment_python,
    hardware,
    run_program,
    say,
    usable_cores,
)

SIDES = ("tfrs", "matinee")


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    Attributes:
        key: its name in the programs' answers.
        label: its name in the table.
        digits: after the point.
        target: how many times less Matinee must need, or None.
        is_cost: False for quality, which has no ratio.
    """

    key: str
    label: str
    digits: int = 1
    target: float | None = None
    is_cost: bool = True


FIGURES = (
    Figure("job_s", "whole job, s", 1, 8),
    Figure("step_ms", "retrieval step, metrics off, ms", 1, 2.5),
    Figure("evaluation_warm_s", "evaluation, 20,000 ratings, s", 3, 20),
    Figure("request_ms", "request: retrieve 10, rank 10, ms", 2, 40),
    Figure("peak_mib", "peak memory of the job, MiB", 0, 2),
    Figure("installed_mib", "installed size, MiB", 0, 2),
    Figure("evaluation_first_s", "evaluation, first call, s", 2),
    Figure("retrieval_fit_s", "retrieval, 3 epochs, s", 1),
    Figure("ranking_fit_s", "ranking, 3 epochs, s", 2),
    *(Figure(f"top_{k}", f"test top-{k} accuracy", 4, is_cost=False) for k in (1, 5, 10, 50, 100)),
    Figure("rmse", "test RMSE", 3, is_cost=False),
)

# Per side and figure, one value a repeat.
Measured = dict[str, dict[str, list[float]]]


def installed_mib(side: str) -> float:
    """Size on disk of everything a side needs beside Python itself."""
    folders = list((ENVIRONMENTS / side / "lib").glob("python3*/site-packages"))
    if side == "matinee":
        folders.append(ROOT / "src" / "matinee")
    files = (path for folder in folders for path in folder.rglob("*") if not path.is_symlink())
    return sum(path.stat().st_blocks * 512 for path in files) / 2**20


def measure(side: str, files: Path, seed: int) -> tuple[dict[str, float], dict[str, str]]:
    """One repeat of one side.

    Returns:
        its figures, and the versions of what it ran on.
    """
    common = ["--seed", str(seed)]
    if side == "tfrs":
        common += ["--ratings", str(files / "u.data"), "--films", str(files / "u.item")]
    say(f"{side}, seed {seed}: the whole job")
    job, elapsed = run_program(side, f"{side}_program.py", "--mode", "job", *common)
    say(f"{side}, seed {seed}: {elapsed:.1f} s; now the warm parts")
    parts, _ = run_program(side, f"{side}_program.py", "--mode", "parts", *common)
    found = {**parts, **job, "job_s": elapsed, "installed_mib": installed_mib(side)}
    versions = {name: str(version) for name, version in dict(found.pop("versions")).items()}
    return {name: float(value) for name, value in found.items()}, versions  # type: ignore[arg-type]


def measure_all(repeats: int, seed: int) -> tuple[Measured, dict[str, dict[str, str]]]:
    """All repeats of both sides, alternating."""
    measured: Measured = {side: {} for side in SIDES}
    versions: dict[str, dict[str, str]] = {}
    for side in SIDES:
        environment_python(side)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        run_program("matinee", "matinee_program.py", "--mode", "export", "--files", files)
        for repeat in range(repeats):
            for side in SIDES if repeat % 2 == 0 else reversed(SIDES):
                figures, versions[side] = measure(side, files, seed + repeat)
                for name, value in figures.items():
                    measured[side].setdefault(name, []).append(value)
    return measured, versions


def summarize(figure: Figure, measured: Measured) -> dict[str, object]:
    """One figure of both sides, as the JSON shows it."""
    row: dict[str, object] = {"key": figure.key, "label": figure.label}
    for side in SIDES:
        values = measured[side][figure.key]
        row[side] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    if figure.is_cost:
        medians = [statistics.median(measured[side][figure.key]) for side in SIDES]
        row["ratio"] = medians[0] / medians[1]
    if figure.target is not None:
        row["target"] = figure.target
        row["met"] = row["ratio"] >= figure.target  # type: ignore[operator]
    return row


def show(rows: list[dict[str, object]], machine: dict[str, object], repeats: int) -> None:
    """Print the table."""
    table = Table(
        title=f"The seed's program on MovieLens 100K: median (min–max) of {repeats}",
        caption="ratio: TFRS / Matinee; more is better for Matinee",
    )
    table.add_column("")
    for heading in ("TFRS", "Matinee", "ratio", "target"):
        table.add_column(heading, justify="right")
    for figure, row in zip(FIGURES, rows, strict=True):
        cells = [
            "{median:,.{d}f} ({min:,.{d}f}–{max:,.{d}f})".format(**row[side], d=figure.digits)  # type: ignore[arg-type]
            for side in SIDES
        ]
        ratio = f"{row['ratio']:.1f}×" if "ratio" in row else ""
        target = ""
        if "met" in row:
            mark = "[green]met[/]" if row["met"] else "[red]missed[/]"
            target = f"≥ {figure.target:g}× {mark}"
        table.add_row(figure.label, *cells, ratio, target)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    versions = "; ".join(
        f"{side}: " + ", ".join(f"{name} {version}" for name, version in found.items())
        for side, found in dict(machine["versions"]).items()  # type: ignore[call-overload]
    )
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['ram_gib']} GiB, "
        f"{machine['system']}; {versions}",
        highlight=False,
        soft_wrap=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="of each side (3)")
    parser.add_argument("--seed", type=int, default=42, help="of the first repeat (42)")
    parser.add_argument("--cores", type=int, help="how many to use (all there are); Linux only")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error(f"--repeats {options.repeats}; expected 1 or more")
    if options.cores is not None:
        if not 1 <= options.cores <= usable_cores():
            parser.error(f"--cores {options.cores}; expected 1 … {usable_cores()}")
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])

    if os.getloadavg()[0] > 1:
        say(f"the load is {os.getloadavg()[0]:.1f} already: what else runs distorts the figures")
    measured, versions = measure_all(options.repeats, options.seed)
    machine = {**hardware(), "versions": versions}
    rows = [summarize(figure, measured) for figure in FIGURES]
    if options.json:
        answer = {"repeats": options.repeats, "machine": machine, "figures": rows}
        print(json.dumps(answer, indent=2))
    else:
        show(rows, machine, options.repeats)


if __name__ == "__main__":
    main()
