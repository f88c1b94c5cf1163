"""The service beside Cornac's: the same users' lists, asked for by the same client.

    python benchmarks/against_cornac.py --model models/ml-100k [--repeats 3] [--seconds 20]

Cornac 3.0.1 serves a saved model by Flask (`cornac.serving.app`). It runs twice: by Flask's own
server, as its documentation starts it, and by one gunicorn worker of two threads, as Flask's
documentation advises. Its model is BPR with 64 factors, trained here on all of MovieLens 100K, and
saved with its ratings so that `remove_seen=true` works. A request is ten films for a random one of
the 943 users, without those they rated. Cornac answers with ids alone; Matinee with titles, years,
genres, predicted stars, a source and reasons, and reads its store for what is newer.

Every service has one process on the first core, the client the second. The sides take turns; each
is asked by eight clients who wait for their answers (requests a second), then at a steady rate of
200 a second (latencies from when each request was due; see `load.py`).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import load
import matinee as mt
from against_tfrs import HERE, LOCKS, environment_python
from asking import capacity, ready, steady

SIDES = ("matinee", "cornac, flask", "cornac, gunicorn")
PATHS = {
    "matinee": "/v1/users/{}/recommendations?n=10",
    "cornac": "/recommend?uid={}&k=10&remove_seen=true",
}
FIRST_CORE = "import os; os.sched_setaffinity(0, {0}); "
TRAIN = """
import sys
from pathlib import Path
import cornac
rows = [line.split() for line in Path(sys.argv[1]).read_text().splitlines()]
data = cornac.data.Dataset.from_uir([(user, film, float(stars)) for user, film, stars in rows])
model = cornac.models.BPR(k=64, max_iter=200, seed=42)
print(model.fit(data).save(sys.argv[2], save_trainset=True))
"""
FLASK = "from flask.cli import main; main()"
GUNICORN = "from gunicorn.app.wsgiapp import run; run()"


def request_of(side):
    """Makes a side's request for a random user's list."""
    path = PATHS[side.split(",")[0]]

    def make(rng):
        target = path.format(rng.randint(1, load.USERS))
        return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    return make


def cornac_model(directory, python):
    """Train Cornac's model on the ratings; the file it is saved in."""
    ratings, _ = mt.load_movielens("100k")
    users, films = ratings.users.ids(ratings.user_index), ratings.items.ids(ratings.item_index)
    rows = zip(users, films, ratings.rating, strict=True)
    (directory / "ratings").write_text("\n".join(f"{u} {f} {s:g}" for u, f, s in rows))
    command = [python, "-c", TRAIN, directory / "ratings", directory]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return said.split()[-1]


def start(side, model, directory, port, cornac):
    """A side's service on the first core."""
    if side == "matinee":
        return load.start(model, directory, port)
    python, saved = cornac
    settings = {
        "FLASK_APP": "cornac.serving.app",
        "MODEL_PATH": saved,
        "MODEL_CLASS": "cornac.models.BPR",
        "OMP_NUM_THREADS": "1",
    }
    if side.endswith("flask"):
        command = [python, "-c", FIRST_CORE + FLASK, "run", "--port", str(port)]
    else:
        options = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2"]
        command = [python, "-c", FIRST_CORE + GUNICORN, *options, "cornac.serving.app:app"]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment | settings, cwd=directory, **quiet)


def asked(side, port, seconds):
    """A side's figures."""
    make = request_of(side)
    ready(port, PATHS[side.split(",")[0]].format(1))
    steady(port, 50.0, 2.0, make, seed=1)
    most = capacity(port, seconds / 2, make)
    return {"capacity_per_s": most} | load.described(steady(port, 200.0, seconds, make), 200.0)


def main():
    """Run the sides in turn; print one line of JSON for each, of medians over the repeats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=8766)
    given = parser.parse_args()
    LOCKS["cornac"] = HERE / "cornac.txt"
    python = environment_python("cornac")
    found = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as directory:
        cornac = python, cornac_model(Path(directory), python)
        if (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(0, {1})
        for repeat in range(given.repeats):
            for place, side in enumerate(SIDES):
                port = given.port + repeat * len(SIDES) + place
                process = start(side, given.model, Path(directory), port, cornac)
                try:
                    found[side].append(asked(side, port, given.seconds))
                finally:
                    process.terminate()
                    process.wait()
                print(side, found[side][-1], file=sys.stderr, flush=True)
    for side, runs in found.items():
        names = ("capacity_per_s", "p50_ms", "p99_ms", "answered", "refused")
        medians = {name: round(statistics.median(run[name] for run in runs), 1) for name in names}
        print(json.dumps({"side": side} | medians | {"machine_load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
