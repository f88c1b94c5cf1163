"""Requests at a steady rate, whatever the answers do; then at several times the capacity.

    python benchmarks/load.py --model models/ml-100k                 # two minutes at 200 a second
    python benchmarks/load.py --model models/ml-100k --overload 5    # five times the capacity
    python benchmarks/load.py --model models/ml-100k --seconds 1200  # a soak

It starts `matinee serve` on the first core and asks from the second, without coordinated omission
(`asking.py` says how). Nine of ten requests are lists of known users, one of twenty the list of a
visitor's history, one of twenty a rating.
The slope of memory is a straight line's through what is resident after the first third of the time.
Beside the figures stands the load of the machine, which counts what else ran on it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from asking import capacity, ready, steady
from matinee.service.keys import hash_of_key

KEY = "mk_load"
USERS, FILMS = 943, 300


def a_request(rng):
    """The bytes of one request."""
    chance = rng.random()
    method, path, body = "GET", f"/v1/users/{rng.randint(1, USERS)}/recommendations?n=10", ""
    if chance < 0.05:
        films = rng.sample(range(1, FILMS), 5)
        history = [{"movie_id": str(film), "stars": rng.randint(3, 5)} for film in films]
        method, path = "POST", "/v1/recommendations"
        body = json.dumps({"history": history})
    elif chance < 0.1:
        method = "PUT"
        path = f"/v1/users/load-{rng.randint(1, 50)}/ratings/{rng.randint(1, FILMS)}"
        body = json.dumps({"stars": rng.randint(1, 5)})
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def percentile(values, share):
    """The value that this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def described(answers, rate):
    """What a run gave, as a dictionary."""
    accepted = [answer for answer in answers if answer.status == 200]
    refused = [answer.told for answer in answers if answer.status in (429, 503)]
    others = [answer.status for answer in answers if answer.status not in (200, 429, 503)]
    return {
        "rate_per_s": round(rate, 1),
        "requests": len(answers),
        "answered": len(accepted),
        "refused": len(refused),
        "refused_with_retry_after": sum(refused),
        "errors": dict(Counter(others)),
        **times(accepted),
        "by_method": {
            kind: {"answered": sum(one.kind == kind for one in accepted)}
            | times([one for one in accepted if one.kind == kind])
            for kind in sorted({one.kind for one in accepted})
        },
        "begun_late_p99_ms": round(1e3 * percentile([one.late for one in answers], 0.99), 1),
    }


def times(answers):
    """Their latencies, in milliseconds."""
    seconds = [answer.seconds for answer in answers]
    return {
        "p50_ms": round(1e3 * percentile(seconds, 0.5), 2),
        "p99_ms": round(1e3 * percentile(seconds, 0.99), 2),
        "max_ms": round(1e3 * max(seconds, default=float("nan")), 1),
    }


def start(model, directory, port):
    """The service, on the first core."""
    environment = os.environ | {
        "MATINEE_MODEL": str(model),
        "MATINEE_STORE": f"sqlite:///{directory / 'ratings.db'}",
        "MATINEE_PORT": str(port),
        "MATINEE_KEYS": f"load:admin:{hash_of_key(KEY)}",
        "MATINEE_RATE_PER_S": "1000000",
        "MATINEE_BURST": "1000000",
        "MATINEE_LOG_LEVEL": "warning",
        "OMP_NUM_THREADS": "1",
    }
    code = "import os; os.sched_setaffinity(0, {0}); from matinee.cli import main; main()"
    return subprocess.Popen([sys.executable, "-c", code, "serve"], env=environment)


def cpu_s(process):
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process):
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watch(threading.Thread):
    """Notes the resident memory of a process every other second, until told to stop."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.done, self.seen = process, threading.Event(), []
        self.began_s = time.perf_counter()

    def run(self):
        while not self.done.wait(2.0):
            self.seen.append((time.perf_counter() - self.began_s, memory_mb(self.process)))

    def described(self):
        """The first and last, and the slope, as a dictionary."""
        self.done.set()
        self.join()
        if len(self.seen) < 6:
            return {}
        times_s, sizes = zip(*self.seen[len(self.seen) // 3 :], strict=True)
        slope = statistics.linear_regression(times_s, sizes).slope
        return {
            "memory_mb": [round(self.seen[0][1], 1), round(self.seen[-1][1], 1)],
            "memory_mb_per_min": round(60 * slope, 3),
        }


def main():
    """Run it, print one line of JSON a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--overload", type=float, help="how many times the capacity")
    parser.add_argument("--port", type=int, default=8765)
    given = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as directory:
        process = start(given.model, Path(directory), given.port)
        try:
            ready(given.port)
            steady(given.port, 50.0, 3.0, a_request, seed=1)
            rate = given.rate
            if given.overload:
                most = capacity(given.port, 8.0, a_request)
                print(json.dumps({"capacity_per_s": round(most, 1)}))
                rate = given.overload * most
            watch = Watch(process)
            watch.start()
            computed_s = cpu_s(process)
            answers = steady(given.port, rate, given.seconds, a_request)
            found = described(answers, rate) | watch.described()
            found["cpu_ms_per_request"] = round(
                1e3 * (cpu_s(process) - computed_s) / len(answers), 2
            )
            print(json.dumps(found | {"machine_load": round(os.getloadavg()[0], 1)}))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
