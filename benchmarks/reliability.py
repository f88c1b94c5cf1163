"""What the service survives, at length; the tests have the same at a smaller size.

    PYTHONPATH=. python benchmarks/reliability.py kills --number 100
    PYTHONPATH=. python benchmarks/reliability.py cuts --number 500
    PYTHONPATH=. python benchmarks/reliability.py keys --number 2000
    PYTHONPATH=. python benchmarks/reliability.py swaps --number 50
    PYTHONPATH=. python benchmarks/reliability.py malformed --number 2000

Each prints one line of JSON.
"""

import argparse
import json
import random
import socket
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from tests.service import killing, worlds
from tests.service.test_gate import MALFORMED
from tests.store.disks import cuts as cut_power


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


def swaps(directory, number):
    """Activate one version after another while eight clients ask for lists."""
    for version in range(3):
        worlds.small_model(directory / "models" / f"v{version}", seed=version)
    port = killing.free_port()
    process = killing.start(directory, directory / "models", port)
    killing.wait_until_ready(process, port)
    done, failed, mixed, answered, memory = threading.Event(), 0, 0, 0, []
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
            assert admin.post(f"/v1/models/v{swap % 3}:activate", timeout=60).is_success
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


PARTS = {part.__name__: part for part in (kills, cuts, keys, swaps, malformed)}


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
