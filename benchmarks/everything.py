"""Runs the benchmarks of speed and size one after the other, and keeps what each prints.

    make bench                              # short ones, about a quarter of an hour
    make bench FULL=1 DATA_1M=ml-1m.zip     # the sizes of docs/performance.md, hours
    python benchmarks/everything.py [--full] [--data-1m ZIP] [--only scale] [--out DIR]

Each script's output goes to `DIR/NAME.txt` (benchmarks/results/) under a line with the command, the
date and the machine. A script whose library is not installed, or whose data is not given, is named
and left out; one that fails is named, and the exit code is 1 at the end.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
ONE_M = "DATA_1M"


@dataclass(frozen=True)
class Run:
    """A script, its arguments, and what it needs; `short` and `full` come after `always`."""

    script: str
    always: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    environments: bool = False


RUNS = (
    Run("in_batch_step", short=("--repeats", "3")),
    Run("exact_index", short=("--quick", "--repeats", "3")),
    Run("approximate_index", short=("--quick", "--repeats", "1"), needs=("faiss",)),
    Run("request", short=("--requests", "100")),
    Run("profiling"),
    Run("evaluator", short=("--share", "0.02", "--repeats", "1")),
    Run("batch", short=("--users", "4096", "--rounds", "3")),
    Run("batch_on_ray", short=("--kills", "2", "--users", "6000"), needs=("ray",)),
    Run("training_on_ray", needs=("ray",)),
    Run("vocabulary", short=("--ids", "1000000")),
    Run("ials_and_ease", ("--data", ONE_M), short=("--repeats", "1"), needs=("implicit",)),
    Run("load_csv", short=("--rows", "1000000", "--rounds", "1")),
    Run("scale", ("--peers",), short=("--most", "316228"), full=("--most", "32000000")),
    Run("synthetic", ("--real", ONE_M)),
    Run("against_tfrs", short=("--repeats", "1"), environments=True),
    Run("training", ("--data", ONE_M), short=("--repeats", "1"), environments=True),
)


def missing(run: Run, full: bool, data: Path | None) -> str | None:
    """Why a script cannot run, or None."""
    absent = [name for name in run.needs if find_spec(name) is None]
    if absent:
        return f"{', '.join(absent)} is not installed"
    if run.environments and not full:
        return "it makes environments of gigabytes; give --full"
    return "it needs MovieLens 1M; give --data-1m" if ONE_M in run.always and not data else None


def command(run: Run, full: bool, data: Path | None) -> list[str]:
    """The words to run a script by."""
    words = (*run.always, *(run.full if full else run.short))
    return [str(data) if word == ONE_M else word for word in words]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the sizes of the documentation")
    parser.add_argument("--data-1m", type=Path, help="MovieLens 1M: its zip")
    parser.add_argument("--only", action="append", choices=[run.script for run in RUNS])
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for run in RUNS:
        if options.only and run.script not in options.only:
            continue
        if reason := missing(run, options.full, options.data_1m):
            print(f"{run.script}: left out: {reason}", flush=True)
            continue
        words = command(run, options.full, options.data_1m)
        started = time.perf_counter()
        with (options.out / f"{run.script}.txt").open("w", encoding="utf-8") as file:
            machine = f"{platform.machine()}, Python {platform.python_version()}"
            print(f"# {run.script}.py {' '.join(words)}; {time.ctime()}; {machine}", file=file)
            file.flush()
            call = [sys.executable, str(HERE / f"{run.script}.py"), *words]
            code = subprocess.run(call, stdout=file, stderr=subprocess.STDOUT).returncode
        spent = time.perf_counter() - started
        print(f"{run.script}: {'done' if code == 0 else 'FAILED'} in {spent:.0f} s", flush=True)
        failed += [run.script] * (code != 0)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; see {options.out}")


if __name__ == "__main__":
    main()
