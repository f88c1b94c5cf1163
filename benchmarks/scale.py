"""How time and memory grow with the ratings, stage by stage, up to what one machine takes.

    python benchmarks/scale.py --most 32000000 --peers [--json run.json] [--plots docs/images]
    python benchmarks/scale.py --from run.json [another.json] [--plots docs/images]

From the least number of ratings on, each size is √10 times the one before. Users and films grow as
from MovieLens 100K to 32M: one user for about 160 ratings, films as the ratings to the power 0.685.
Every stage runs in a process of its own, which reports its seconds of the processors, which other
programs disturb least, and by the clock (those of the stage, not of loading what it needs), and its
peak memory up to the end of it (with all that was loaded):

- `make`: `matinee data synthesize`: ratings and films to Parquet.
- `prepare`: what `matinee data prepare` does: parse, look for repeated pairs, number, sort, write
  with hashes. The stages after it map the columns and split them by time.
- `ials`: a sweep of iALS, 64 long. `bias`: biases for stars. `ease`: EASE, up to 20,000 films.
- `towers`: an epoch of the recipe `two-tower`, 64 long, batches of 4,096; Keras on JAX. Of a longer
  epoch `--towers-steps` steps are timed after some that warm up, and the epoch's seconds are those
  of putting the ratings in order, and steps x seconds a step; its memory is that of the whole one.
- `evaluate`: the iALS model on the test ratings of at most 2,000 users; its work is users x films.
- `index`: `ExactIndex` of the films, and 1,000 searches of 10 films, one at a time.
- `batch`: lists of 100 films for everybody, written; its work is users x films.

`--peers` adds, in turn with the stage whose work they do: Pandas for `prepare` (which also splits,
and writes plain columns), an iteration of `implicit`'s ALS for `ials`, a NumPy solve for `ease`,
FAISS flat for `index`, and `implicit`'s `recommend` for `batch` (of Matinee's vectors, for at most
20,000 users, from which the seconds for all are reckoned; nothing is written). A peer that passes
`--limit-gib` or `--timeout-s` at one size is not tried at larger ones.

Where everything is short, three rounds are taken, and figures are those of the median one by
processor time. The slope is that of a line through the logarithms of processor seconds and of work,
from 900,000 ratings on, below which starting up is most of it: 1 is linear.
Limits of the hardware are those of `scale_limits.py`. `--json` keeps the figures after each size,
and the same command goes on from there. Of several runs `--from` takes for every size and stage the
one that took a processor least: what disturbs a machine only ever adds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from environments import hardware
from peers import PEERS, here
from scale_measure import StoppedError, alone
from scale_stages import EASE_FILMS, STAGES, Job
from scale_tables import show

ROUNDS = 3
# What takes a processor longer than this is run once.
SHORT_S = 5.0
PACKAGES = ("numpy", "scipy", "polars", "jax", "keras", "implicit", "faiss-cpu", "pandas")


def sizes(least: int, most: int) -> list[int]:
    found = [least]
    while found[-1] < most:
        step = round(found[-1] * 10**0.5)
        found.append(step if step < 0.9 * most else most)
    return found


def sides_of(stage: str, peers: bool) -> list[str]:
    """A stage by its name, and its peer as `STAGE/NAME`."""
    peer = here().get(stage) if peers else None
    return [stage] if peer is None else [stage, f"{stage}/{peer.name}"]


def in_turn(sides: list[str], job: Job, bounds: tuple[float, float], stopped: dict) -> dict:
    """All rounds of a stage and its peer; `stopped` is added to."""
    runs: dict[str, list] = {side: [] for side in sides if side not in stopped}
    for number in range(ROUNDS):
        for side in list(runs)[:: 1 if number % 2 == 0 else -1]:
            stage, is_peer = side.split("/")[0], "/" in side
            try:
                found = alone(f"peer:{stage}", job, *bounds) if is_peer else alone(stage, job)
            except StoppedError as reason:
                if not is_peer:
                    raise SystemExit(f"{stage} of {job.ratings:,} ratings {reason}") from None
                stopped[side] = str(reason)
                del runs[side]
                continue
            runs[side].append(found)
            spent = f"{found['processor_s']:.2f} s of processors, {found['s']:.2f} s"
            print(f"{job.ratings:,} {side}: {spent}", file=sys.stderr, flush=True)
        if any(own[-1]["processor_s"] > SHORT_S for own in runs.values()):
            break
    found = {side: median(own) for side, own in runs.items()}
    return found | {side: {"stopped": stopped[side]} for side in sides if side in stopped}


def median(rounds: list[dict]) -> dict:
    """The round in the middle, with what all took."""
    rounds = sorted(rounds, key=lambda found: found["processor_s"])
    return rounds[len(rounds) // 2] | {"all_s": [found["processor_s"] for found in rounds]}


def row_of(job: Job, peers: bool, bounds: tuple[float, float], stopped: dict) -> dict:
    """Everything at one size."""
    row: dict = {"ratings": job.ratings, "users": job.users, "films": job.films}
    row["probe"] = alone("probe", job)
    for stage in STAGES:
        sides = sides_of(stage, peers)
        if stage == "ease" and job.films > EASE_FILMS:
            row |= {side: {"stopped": f"over {EASE_FILMS:,} films"} for side in sides}
        else:
            row |= in_turn(sides, job, bounds, stopped)
    return row


def versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def opened(options: argparse.Namespace) -> dict:
    """The run that the file has, or a new one."""
    settings = {name: getattr(options, name) for name in ("towers_steps", "limit_gib", "timeout_s")}
    if options.json and options.json.exists():
        run = json.loads(options.json.read_text())
        if run["settings"] != settings:
            raise SystemExit(f"{options.json} was made with {run['settings']}; give another file")
        return run
    return {"machine": hardware(), "versions": versions(), "settings": settings, "rows": []}


def measure(options: argparse.Namespace) -> dict:
    run = opened(options)
    bounds = (options.limit_gib, options.timeout_s)
    wanted = [side for stage in STAGES for side in sides_of(stage, options.peers)]
    stopped: dict[str, str] = {}
    for ratings in sizes(options.least, options.most):
        row = next((row for row in run["rows"] if row["ratings"] == ratings), {})
        if all(side in row for side in wanted):
            stopped |= {side: row[side]["stopped"] for side in wanted if "stopped" in row[side]}
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            job = Job(Path(folder), ratings, options.towers_steps)
            row = row_of(job, options.peers, bounds, stopped)
        others = [own for own in run["rows"] if own["ratings"] != ratings]
        run["rows"] = sorted([*others, row], key=lambda own: own["ratings"])
        if options.json:
            # In one step, so that a kill never leaves half a file.
            written = options.json.with_name(f".{options.json.name}.tmp")
            written.write_text(json.dumps(run, indent=1) + "\n")
            written.replace(options.json)
    return run


def least_of(runs: list[dict]) -> dict:
    """One run in which each stage's figures are of the run that took a processor least for it."""
    first, *others = runs
    for name in ("machine", "versions", "settings"):
        if any(
            first[name].get(key, own) != own for run in others for key, own in run[name].items()
        ):
            raise SystemExit(f"the runs differ in {name}; give runs of one machine and code")
    rows = {row["ratings"]: dict(row) for row in first["rows"]}
    for other in (row for run in others for row in run["rows"]):
        row = rows.setdefault(other["ratings"], dict(other))
        for name, found in other.items():
            if isinstance(found, dict) and name != "probe":
                both = found, row.get(name, found)
                row[name] = min(both, key=lambda own: own.get("processor_s", math.inf))
        rates = ("gflops", "gflops64", "copy_gb_s")
        probes = row["probe"], other["probe"]
        row["probe"] = probes[0] | {name: max(own[name] for own in probes) for name in rates}
        row["probe"]["bare_search_s"] = min(own["bare_search_s"] for own in probes)
    return first | {"rows": [rows[ratings] for ratings in sorted(rows)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="ratings (1,000,000)")
    parser.add_argument("--least", type=int, default=100_000, help="ratings (100,000)")
    parser.add_argument("--peers", action="store_true", help="those that are installed, too")
    parser.add_argument("--towers-steps", type=int, default=200, help="timed at most (200)")
    parser.add_argument("--limit-gib", type=float, default=6, help="of memory, for peers (6)")
    parser.add_argument("--timeout-s", type=float, default=600, help="for a peer's process (600)")
    parser.add_argument("--folder", type=Path, help="where to make files, which are removed")
    parser.add_argument("--json", type=Path, help="keep the figures here, and go on from there")
    parser.add_argument("--from", type=Path, dest="source", nargs="+", help="only show these files")
    parser.add_argument("--plots", type=Path, help="write scale-time.svg and -memory.svg here")
    options = parser.parse_args()
    if options.peers:
        for stage in PEERS.keys() - here().keys():
            print(f"no peer for {stage}: {PEERS[stage].module} is not installed", file=sys.stderr)
    if options.source:
        run = least_of([json.loads(path.read_text()) for path in options.source])
    else:
        run = measure(options)
    show(run)
    if options.plots:
        from scale_plot import plot

        plot(run, options.plots)


if __name__ == "__main__":
    main()
