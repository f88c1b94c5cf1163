"""A service that is killed while clients write, and what is left of their writes."""

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import httpx

from matinee.store import open_store
from tests.service.worlds import ADMIN, KEYS

_SERVE = "from matinee.cli import main; main()"


def start(directory, model, port, *options):
    """Start `matinee serve` in a process of its own."""
    config = directory / "service.toml"
    keys = "[" + ", ".join(f'"{key}"' for key in KEYS) + "]"
    config.write_text(
        f'model = "{model}"\nstore = "sqlite:///{directory / "ratings.db"}"\n'
        f"port = {port}\nkeys = {keys}\nrate_per_s = 1e6\nburst = 1000000\n"
        'log_level = "warning"\n'
    )
    # Not a pipe: nobody reads it meanwhile, and a full one would stop the service.
    with log_of(directory).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _SERVE, "serve", "--config", str(config), *options],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def log_of(directory):
    """Where the service writes its log."""
    return directory / "service.log"


def free_port():
    """A port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        return place.getsockname()[1]


def wait_until_ready(process, port, patience_s=60.0):
    """Wait for `/readyz`; the seconds that took."""
    began_s = time.perf_counter()
    while time.perf_counter() - began_s < patience_s:
        if process.poll() is not None:
            raise RuntimeError("it ended before it was ready")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in connection.recv(100):
                    return time.perf_counter() - began_s
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("not ready")


@dataclass
class Client:
    """Writes ratings and events, one after the other, and remembers what was acknowledged.

    Attributes:
        name: its user's id.
        ratings: acknowledged stars by film.
        written: every acknowledged rating, as (film, stars, time): its answer names its event.
        unsure: stars by film of the ratings that were under way whenever the service went, since
            one of that film was acknowledged: any of them may have been kept.
        keys: keys of events that were acknowledged.
        pending: the key and film of an event that was not.
    """

    name: str
    movies: list[str]
    ratings: dict[str, float] = field(default_factory=dict)
    written: set[tuple[str, float, float]] = field(default_factory=set)
    unsure: dict[str, set[float]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    pending: int | None = None
    count: int = 0

    def write(self, port):
        """Write until the service is gone."""
        address = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {ADMIN}"}
        with httpx.Client(
            base_url=address, headers=headers, trust_env=False, verify=False
        ) as client:
            try:
                while True:
                    self._event(client)
                    self._rating(client)
            except httpx.TransportError:
                return

    def _rating(self, client):
        self.count += 1
        movie = self.movies[self.count % len(self.movies)]
        stars = 1.0 + self.count * 7 % 5
        self.unsure.setdefault(movie, set()).add(stars)
        answer = client.put(f"/v1/users/{self.name}/ratings/{movie}", json={"stars": stars})
        assert answer.status_code == 200, answer.text
        self.ratings[movie] = stars
        self.written.add((movie, answer.json()["stars"], answer.json()["at_s"]))
        del self.unsure[movie]

    def _event(self, client):
        # What was not acknowledged is sent again under the same key.
        key = self.pending if self.pending is not None else len(self.keys) + 1
        self.pending = key
        event = {"kind": "click", "user_id": self.name, "movie_id": "1", "position": key}
        answer = client.post(
            "/v1/events",
            json={"events": [event]},
            headers={"Idempotency-Key": f"{self.name} {key}"},
        )
        assert answer.json() == {"recorded": 1}, answer.text
        self.keys.add(key)
        self.pending = None


def kills(directory, model, movies, number, clients=8, seed=0):
    """Kill the service `number` times while clients write.

    Returns:
        A dictionary: `acknowledged` writes, `lost` and `doubled` ones, `damage` found in the store,
        and `ready_s`, the seconds of each start until it was ready.
    """
    writers = [Client(f"client-{n}", movies) for n in range(clients)]
    rng, port, ready_s = random.Random(seed), free_port(), []
    for _ in range(number):
        process = start(directory, model, port)
        ready_s.append(wait_until_ready(process, port))
        threads = [threading.Thread(target=one.write, args=(port,)) for one in writers]
        before = sum(one.count for one in writers)
        for thread in threads:
            thread.start()
        while sum(one.count for one in writers) < before + clients:
            time.sleep(0.005)
        time.sleep(0.3 * rng.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        for thread in threads:
            thread.join()
    return {"ready_s": ready_s} | _left(directory, writers)


def _left(directory, writers):
    store = open_store(f"sqlite:///{directory / 'ratings.db'}")
    lost = doubled = acknowledged = 0
    for one in writers:
        stored = {rating.movie_id: rating.stars for rating in store.ratings_of(one.name)}
        for movie, stars in one.ratings.items():
            lost += stored.get(movie) not in {stars, *one.unsure.get(movie, ())}
        events = store.export_user(one.name).events
        # A rating that is set already is acknowledged with the event that had set it.
        kept = {(e["movie_id"], e["stars"], e["at_s"]) for e in events if e["kind"] == "rate"}
        lost += len(one.written - kept)
        clicks = [e["position"] for e in events if e["kind"] == "click"]
        lost += len(one.keys - set(clicks))
        doubled += len(clicks) - len(set(clicks))
        acknowledged += one.count + len(one.keys)
    found = {"acknowledged": acknowledged, "lost": lost, "doubled": doubled}
    found["damage"] = store.check()
    store.close()
    return found
