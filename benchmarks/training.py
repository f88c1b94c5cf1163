"""How fast models train on MovieLens 1M: Matinee beside TFRS and RecTools, in turn, one machine.

    python benchmarks/training.py --data ml-1m.zip [--repeats 3] [--cores 2] [--json]

Each measurement is a new process in an environment of its own with exactly the pinned packages, on
the same cores, with no setting of a library in its surroundings. The sides alternate, and the one
that goes first alternates too.

- `towers`: users and films of 64 numbers, in-batch softmax of 4,096 ratings, Adagrad, metrics off.
  TFRS's side is its tutorials' model fed from cached batches. Matinee's is `MovieLensRetrieval`
  three times: on MovieLens 1M, of which a batch has about 2,400 users and 1,650 films, so that
  equal rows and columns of the logits are computed once; in batches of which four ratings each are
  of one user, as in the recipe `two-tower`, so of about 1,000 users; and on numbers of which none
  is twice in a batch, so that every one of the 4,096 x 4,096 logits is computed.
- `sequence`: SASRec of 128 numbers, 2 blocks of 2 heads, histories of 200, dropout 0.2, softmax
  over the catalogue, Adam; 16 rows a step and 128, which is RecTools' default. RecTools has a row
  for each user, filled up with padding; Matinee packs rows full, and its feed-forward layer is
  twice as wide. Neither reads anything but the films' ids. Films predicted are counted, not places.

A rate is that of the median epoch of `--steps` after the first one, which warms up. Beside it:
operations a second by the count of what the textbook does (products alone, two operations for a
multiplication and an addition; backward is twice forward), as a share of what a bare product of
two 2,048 x 2,048 matrices reaches in Matinee's own process between the epochs. `Matinee` towers do
less than the textbook, so their share may pass 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path

from environments import environment_python, hardware, run_program, say, usable_cores

SIDES = {"towers": ("tfrs", "matinee"), "sequence": ("rectools", "matinee")}
TARGETS = {"towers": 3.0, "sequence": 1.5}

# What one program says of one way of training; see `training_matinee.py`.
Found = dict[str, float]


def flops(found: Found) -> float:
    """Operations of a step by the textbook's count."""
    if "length" not in found:
        return 6 * found["rows"] ** 2 * found["width"]
    width, length, blocks = found["width"], found["length"], found["blocks"]
    block = 2 * width * (4 * width + 2 * found["inner"]) + 4 * length * width
    place = blocks * block + 2 * width * found["films"]
    return 3 * found["rows"] * length * place


def measure(model: str, files: Path, repeats: int, steps: int) -> dict[str, list[Found]]:
    """All repeats of both sides, by the name of the way of training."""
    found: dict[str, list[Found]] = {}
    for side in SIDES[model]:
        environment_python(side)
    for repeat in range(repeats):
        for side in SIDES[model] if repeat % 2 == 0 else reversed(SIDES[model]):
            say(f"{model}: {side}, repeat {repeat + 1}")
            words = ["--model", model, "--files", files, "--seed", str(repeat), "--steps"]
            answer, _ = run_program(side, f"training_{side}.py", *words, str(steps))
            for name, values in answer.items():
                found.setdefault(name, []).append(values)  # type: ignore[arg-type]
                say(f"  {name}: {json.dumps(values)}")
    return found


def summary(found: dict[str, list[Found]]) -> dict[str, dict[str, float]]:
    """Medians of the repeats, each with the slowest and the fastest."""
    gemm = statistics.median(row.pop("gemm_gflops") for row in found.pop("gemm"))
    rows: dict[str, dict[str, float]] = {}
    for name, repeats in sorted(found.items()):
        rates = [own["predicted"] / own["step_s"] for own in repeats]
        counts = [flops(own) / own["step_s"] / 1e9 for own in repeats]
        rows[name] = {
            "per_second": statistics.median(rates),
            "slowest": min(rates),
            "fastest": max(rates),
            "step_ms": 1000 * statistics.median(own["step_s"] for own in repeats),
            "processor_ms": 1000 * statistics.median(own["processor_s"] for own in repeats),
            "gflops": statistics.median(counts),
            "of_gemm": statistics.median(counts) / gemm,
            "parameters": repeats[0]["parameters"],
        }
    return {**rows, "gemm": {"gflops": gemm}}


def show(model: str, rows: dict[str, dict[str, float]]) -> None:
    gemm = rows["gemm"]["gflops"]
    print(f"\n{model}, MovieLens 1M; the bare product: {gemm:.0f} GFLOP/s")
    heads = f"{'films/s':>9} {'slowest':>9} {'fastest':>9} {'step, ms':>9} {'processor':>9}"
    print(f"{'':40} {heads} {'GFLOP/s':>8} {'of bare':>8} {'weights':>9}")
    for name, row in rows.items():
        if name == "gemm":
            continue
        rates = " ".join(f"{row[key]:9,.0f}" for key in ("per_second", "slowest", "fastest"))
        times = " ".join(f"{row[key]:9,.1f}" for key in ("step_ms", "processor_ms"))
        limit = f"{row['gflops']:8.1f} {row['of_gemm']:8.2f} {row['parameters']:9,.0f}"
        print(f"{name:40} {rates} {times} {limit}")
    for name, ratio in ratios(rows).items():
        print(f"{name}: {ratio:.1f} times the peer's rate; wanted {TARGETS[model]:g}")


def ratios(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """Each way of Matinee's beside the peer's way of as many rows."""
    peers = {name.split(", ")[1]: row for name, row in rows.items() if name[0] in "TR"}
    return {
        name: row["per_second"] / peers[name.split(", ")[1]]["per_second"]
        for name, row in rows.items()
        if name.startswith("Matinee")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="MovieLens 1M")
    parser.add_argument("--model", choices=tuple(SIDES), help="one of both")
    parser.add_argument("--repeats", type=int, default=3, help="of each side (3)")
    parser.add_argument("--steps", type=int, default=40, help="in an epoch of towers (40)")
    parser.add_argument("--cores", type=int, help="how many to use (all there are); Linux only")
    parser.add_argument("--json", action="store_true", help="instead of the tables")
    options = parser.parse_args()
    if options.cores is not None:
        if not 1 <= options.cores <= usable_cores():
            parser.error(f"--cores {options.cores}; expected 1 … {usable_cores()}")
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    models = [options.model] if options.model else list(SIDES)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        run_program(
            "matinee", "training_matinee.py", "--data", options.data.resolve(), "--files", files
        )
        found = {m: summary(measure(m, files, options.repeats, options.steps)) for m in models}
    machine = hardware()
    if options.json:
        print(json.dumps({"machine": machine, "repeats": options.repeats, "models": found}))
        return
    for model, rows in found.items():
        show(model, rows)
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine.items()))


if __name__ == "__main__":
    main()
