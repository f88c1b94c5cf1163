"""One stage or peer of `scale.py` in a process of its own, watched.

Part of `scale.py`, which starts it: `python scale_measure.py NAME FOLDER RATINGS STEPS` prints one
line of JSON. NAME is a stage, `peer:` and a stage, or `probe`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scale_stages import STAGES, Found, Job, peak_mib

_LOOK_S = 0.1


class StoppedError(Exception):
    """A process was ended, or failed; the text says why."""


def alone(name: str, job: Job, limit_gib: float | None = None, timeout_s: float = 0) -> Found:
    """What the process says, with the seconds that all of it took.

    Args:
        name: what to measure.
        job: with which sizes.
        limit_gib: of resident memory, at which the process is killed (Linux only); None lets it be.
        timeout_s: after which the process is killed; 0 waits for ever.

    Raises:
        StoppedError: it was killed, or failed.
    """
    words = [sys.executable, __file__, name, str(job.folder), str(job.ratings)]
    started = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen([*words, str(job.towers_steps)], stdout=out, stderr=log) as process,
    ):
        try:
            while not _ended(process):
                if limit_gib is not None and _resident_gib(process.pid) > limit_gib:
                    raise StoppedError(f"over {limit_gib:g} GiB")
                if 0 < timeout_s < time.perf_counter() - started:
                    raise StoppedError(f"over {timeout_s:g} s")
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            log.seek(0)
            print(f"{name} of {job.ratings:,} ratings failed:\n{log.read()}", file=sys.stderr)
            raise StoppedError("failed")
        out.seek(0)
        found = json.loads(out.read().splitlines()[-1])
    return found | {"process_s": time.perf_counter() - started}


def _ended(process: subprocess.Popen) -> bool:
    try:
        process.wait(_LOOK_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _resident_gib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmRSS")), 0.0)


def main() -> None:
    name, folder, ratings, steps = sys.argv[1:]
    job = Job(Path(folder), int(ratings), int(steps))
    if name == "probe":
        from scale_limits import probe

        found = probe(job)
    elif name.startswith("peer:"):
        from peers import PEERS

        found = PEERS[name.removeprefix("peer:")].run(job)
    else:
        found = STAGES[name](job)
    print(json.dumps(found | {"process_mib": peak_mib()}, default=float))


if __name__ == "__main__":
    main()
