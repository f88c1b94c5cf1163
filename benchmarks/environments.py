"""Peers beside Matinee: each in an environment of its own, each measurement in a new process.

Part of `against_tfrs.py` and `training.py`; nothing to run. An environment has exactly the packages
that its hash-pinned list names, and is made when it is first asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = HERE / ".environments"
LOCKS = {
    "tfrs": HERE / "tfrs.txt",
    "rectools": HERE / "rectools.txt",
    "matinee": ROOT / "requirements" / "base.txt",
}
_OWN_SETTINGS = {
    "tfrs": {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
    "matinee": {"PYTHONPATH": str(ROOT / "src")},
}
# Whatever tunes one side or the other; none gets any of it. All stay off a GPU.
_TUNING = (
    "TF_",
    "XLA_",
    "JAX_",
    "KERAS_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "POLARS_",
    "PYTHON",
    "CUDA_",
)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def environment_python(side: str) -> Path:
    """The Python of a side's environment, which is made first if it is missing or outdated."""
    folder = ENVIRONMENTS / side
    python = folder / "bin" / "python"
    stamp = folder / ".ready"
    wanted = hashlib.sha256(LOCKS[side].read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say(f"making the environment of {side} (once; a few minutes)")
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*pip, "--requirement", LOCKS[side]], check=True)
    stamp.write_text(wanted)
    return python


def child_settings(side: str) -> dict[str, str]:
    """Environment variables of a measured process."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_TUNING)}
    return {**plain, "CUDA_VISIBLE_DEVICES": "-1", **_OWN_SETTINGS.get(side, {})}


def run_program(side: str, program: str, *arguments: str | Path) -> tuple[dict[str, object], float]:
    """Run one side's program, which prints one line of JSON.

    Returns:
        its answer, and the seconds from the start of the process to the answer.

    Raises:
        SystemExit: it failed; the message ends with what it said last.
    """
    command = [environment_python(side), HERE / program, *arguments]
    with tempfile.TemporaryFile("w+") as log:
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=child_settings(side)
        ) as process:
            answer = process.stdout.readline() if process.stdout else ""
            elapsed = time.perf_counter() - started
        if process.returncode or not answer:
            log.seek(0)
            last = "".join(log.readlines()[-15:])
            raise SystemExit(f"{program} ended with code {process.returncode}; it said:\n{last}")
    return json.loads(answer), elapsed


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware() -> dict[str, object]:
    """What the figures were measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return {
        "cpu": model,
        "cores": usable_cores(),
        "ram_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
