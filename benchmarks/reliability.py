"""What the service survives, at length; the tests have the same at a smaller size.

    PYTHONPATH=. python benchmarks/reliability.py kills --number 100
    PYTHONPATH=. python benchmarks/reliability.py cuts --number 500
    PYTHONPATH=. python benchmarks/reliability.py keys --number 2000
    PYTHONPATH=. python benchmarks/reliability.py swaps --number 50
    PYTHONPATH=. python benchmarks/reliability.py malformed --number 2000
    PYTHONPATH=. python benchmarks/reliability.py disk --number 20      # as root, for its mount

Each prints one line of JSON.
"""

import argparse
import json
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
from safetensors.numpy import load_file, save_file
from tests.artifacts.checks import reseal
from tests.service import killing, worlds
from tests.service.test_gate import MALFORMED
from tests.store.disks import cuts as cut_power

from matinee.store import open_store


def kills(directory, number):
    """Kill the service while eight clients write."""
    model = worlds.small_model(directory / "model")
    found = killing.kills(directory, model, [str(n) for n in range(1, 90)], number)
    ready_s = found.pop("ready_s")
    found["ready_s"] = {"median": statistics.median(ready_s), "max": max(ready_s)}
    return found


def cuts(directory, number):
    """Cut the power of a disk that forgets what was not synced."""
    checked, lost, unsound = cut_power(directory, number)
    return {"acknowledged_before_the_cuts": checked, "lost": lost, "unsound": unsound}


def keys(directory, number):
    """Send each Idempotency-Key five times at once."""
    worlds.small_model(directory / "model")
    app, together = worlds.new_app(directory), threading.Barrier(5)
    wrong = 0

    def send(_):
        nonlocal wrong
        with worlds.caller(address, worlds.ADMIN) as client:
            for key in range(number):
                together.wait()
                event = {"kind": "click", "user_id": "7", "movie_id": "3", "position": key + 1}
                headers = {"Idempotency-Key": f"key {key}"}
                answer = client.post("/v1/events", json={"events": [event]}, headers=headers)
                wrong += answer.json() != {"recorded": 1}

    with worlds.serving(app) as address, ThreadPoolExecutor(5) as pool:
        list(pool.map(send, range(5)))
        return {
            "calls": 5 * number,
            "wrong": wrong,
            "effects": app.state.site.store.counts().clicks,
        }


def damaged(models):
    """Versions that must be refused, made of the first one; their names."""
    truncated, flipped, shape = (
        Path(shutil.copytree(models / "v0", models / name))
        for name in ("truncated", "flipped", "shape")
    )
    path = truncated / "retrieval.safetensors"
    path.write_bytes(path.read_bytes()[:-1_000])
    path = flipped / "ratings.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    tensors = load_file(shape / "retrieval.safetensors")
    save_file(
        {name: np.ascontiguousarray(value[:-1]) for name, value in tensors.items()},
        shape / "retrieval.safetensors",
    )
    # Its hashes are right: only the shapes are not.
    reseal(shape)
    return [path.name for path in (truncated, flipped, shape)]


def swaps(directory, number):
    """Activate one version after another, damaged ones between, while eight clients ask."""
    for version in range(3):
        worlds.small_model(directory / "models" / f"v{version}", seed=version)
    bad = damaged(directory / "models")
    port = killing.free_port()
    process = killing.start(directory, directory / "models", port)
    killing.wait_until_ready(process, port)
    done, failed, mixed, answered, refused, memory = threading.Event(), 0, 0, 0, 0, []
    address = f"http://127.0.0.1:{port}"

    def ask(seed):
        nonlocal failed, mixed, answered
        rng = random.Random(seed)
        with httpx.Client(base_url=address, trust_env=False) as client:
            while not done.is_set():
                answer = client.get(f"/v1/users/{rng.randint(1, 120)}/recommendations")
                failed += answer.status_code != 200
                found = answer.json()
                versions = {film["model_version"] for film in found["recommendations"]}
                mixed += versions != {found["model_version"]}
                answered += 1

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    with worlds.caller(address, worlds.ADMIN) as admin:
        for swap in range(number):
            version = f"v{swap % 3}"
            assert admin.post(f"/v1/models/{version}:activate", timeout=60).is_success
            for name in bad:
                answer = admin.post(f"/v1/models/{name}:activate", timeout=60)
                now = admin.get("/readyz").json()["model_version"]
                refused += answer.status_code == 409 and now == version
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            memory.append(pages * 4096 / 1e6)
            time.sleep(0.1)
    done.set()
    for thread in threads:
        thread.join()
    process.terminate()
    process.wait()
    return {
        "swaps": number,
        "answers": answered,
        "failed": failed,
        "mixed": mixed,
        "damaged": len(bad) * number,
        "refused": refused,
        "memory_mb": {
            "after_10": round(memory[min(9, number - 1)], 1),
            "last": round(memory[-1], 1),
        },
    }


def malformed(directory, number):
    """Send what is no request, cut anywhere and with bytes altered."""
    model = worlds.small_model(directory / "model")
    port = killing.free_port()
    process = killing.start(directory, model, port)
    killing.wait_until_ready(process, port)
    rng = random.Random(0)
    for _ in range(number):
        content = bytearray(rng.choice(MALFORMED))
        for _ in range(rng.randrange(4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.settimeout(0.02)
                connection.sendall(bytes(content[: rng.randrange(1, len(content) + 1)]))
                connection.recv(1024)
        except OSError:
            pass
    alive = process.poll() is None
    ready_s = killing.wait_until_ready(process, port)
    process.terminate()
    process.wait()
    return {"requests": number, "deaths": int(not alive), "ready_after_s": round(ready_s, 3)}


def disk(directory, number):
    """Fill the small disk of a service while it is written to, and make room again."""
    model = worlds.small_model(directory / "model")
    place = directory / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=True)
    process = None
    found = dict.fromkeys(("writes_503", "reads_200", "recovered"), 0)
    try:
        port = killing.free_port()
        process = killing.start(place, model, port)
        killing.wait_until_ready(process, port)
        with worlds.caller(f"http://127.0.0.1:{port}", worlds.ADMIN) as admin:

            def write():
                answer = admin.put("/v1/users/7/ratings/3", json={"stars": rng.randint(1, 5)})
                return answer.status_code

            rng = random.Random(0)
            for _ in range(number):
                fill(place)
                # What fits into the log's file as it is may still be written.
                statuses = [write() for _ in range(200)]
                found["writes_503"] += 503 in statuses and set(statuses) <= {200, 503}
                list_of_7 = admin.get("/v1/users/7/recommendations")
                found["reads_200"] += list_of_7.status_code == 200
                make_room(place)
                found["recovered"] += write() == 200
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        store = open_store(f"sqlite:///{place / 'ratings.db'}")
        found["damage"] = store.check()
        store.close()
        subprocess.run(["umount", place], check=True)
    return {"times_full": number, **found}


def fill(place):
    """Take all room there is."""
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))


def make_room(place):
    """Give it back."""
    (place / "ballast").unlink()


PARTS = {part.__name__: part for part in (kills, cuts, keys, swaps, malformed, disk)}


def main():
    """Run a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--number", type=int, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        began_s = time.perf_counter()
        found = PARTS[given.part](Path(directory), given.number)
        found["took_s"] = round(time.perf_counter() - began_s, 1)
    print(json.dumps({given.part: found}))


if __name__ == "__main__":
    main()
