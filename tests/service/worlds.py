"""A small model on disk, and the service around it."""

import socket
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn

import matinee as mt
from matinee.pipeline import train_model
from matinee.recipe import Recipe
from matinee.service.app import create_app
from matinee.service.keys import hash_of_key
from matinee.service.protocol import Protocol
from matinee.service.settings import Settings
from tests import synthetic
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS

ADMIN, WRITER, USER_7 = "mk_admin", "mk_writer", "mk_seven"
KEYS = (
    f"root:admin:{hash_of_key(ADMIN)}",
    f"app:writer:{hash_of_key(WRITER)}",
    f"seven:user=7:{hash_of_key(USER_7)}",
)


def small_model(directory, seed=7, retriever="ease", ranker="mf", data=0):
    """Train a small model and save it; a tenth of a second."""
    ratings, catalog = synthetic.dataset(data)
    recipe = Recipe(
        retrieval=RETRIEVER_CONFIGS[retriever], ranking=RANKER_CONFIGS[ranker], candidates=10
    )
    model = train_model(ratings, catalog, recipe, protocol="all", seed=seed)
    mt.save_model(model, directory)
    return directory


def settings(directory, model=None, **changes):
    """Settings of a service whose files are in a directory."""
    values = {
        "model": str(model or directory / "model"),
        "store": f"sqlite:///{directory / 'ratings.db'}",
        "keys": KEYS,
        "rate_per_s": 1e6,
        "burst": 1_000_000,
    }
    return Settings(**(values | changes))


def new_app(directory, model=None, **changes):
    """The app of `settings`."""
    return create_app(settings(directory, model, **changes))


@contextmanager
def serving(app):
    """Serve an app on a free port, by a thread; its address."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, http=Protocol, loop="asyncio")
        )
        thread = threading.Thread(target=server.run, args=([place],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield "http://{}:{}".format(*place.getsockname())
        finally:
            server.should_exit = True
            thread.join()


def caller(address, key=None):
    """A client of a served app."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=address, headers=headers, trust_env=False, verify=False)


@contextmanager
def client(app, key=None):
    """Serve an app, and be its client."""
    with serving(app) as address, caller(address, key) as found:
        yield found
