"""Shards on a Ray cluster: the model once in the object store, a task a shard."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from matinee import interrupts
from matinee.batch.engines import lists_of
from matinee.errors import ConfigError, MatineeError
from matinee.recommender import Recommender
from matinee.types import IntArray, TopK

# Tasks for each processor that are given out at once: one runs, one waits. More would only fill
# the object store with lists that are still to be written.
_AHEAD = 2
# How often a shard is tried again whose worker or node died.
_RETRIES = 20
_LOOK_UP_S = 1.0


class RayEngine:
    """Makes shards as tasks of a Ray cluster.

    Every node needs the same versions of Python and Matinee. The model goes into the object store
    once, whence each node's workers map its arrays without a copy. Lists come back to the caller,
    who writes them: so workers need no shared disk, and one that dies leaves nothing behind. Its
    shard is made again elsewhere, with the same result.

    Args:
        address: of the cluster, as `ray.init` takes it; None uses the one that this process is
            connected to, or starts one on this machine for the time of the work.

    Raises:
        ConfigError: Ray is not installed.
    """

    def __init__(self, address: str | None = None) -> None:
        # Nothing is reported to anybody, unless somebody asked for it.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._ray = _import_ray()
        self._address = address

    def lists(
        self, recommender: Recommender, shards: Mapping[int, IntArray], k: int
    ) -> Iterator[tuple[int, TopK]]:
        """See `Engine.lists`; shards come as they are done.

        Raises:
            ConfigError: there is no cluster at the address.
            MatineeError: a shard's worker died too often.
        """
        ray = self._ray
        waiting = iter(shards.items())
        left, running = len(shards), dict[Any, int]()
        with self._connected():
            model = ray.put(recommender)
            task: Any = ray.remote(num_cpus=1, max_retries=_RETRIES)(lists_of)
            while left:
                interrupts.check()
                room = int(_AHEAD * max(1, ray.cluster_resources().get("CPU", 1)))
                for number, users in _first(waiting, room - len(running)):
                    running[task.remote(model, users, k)] = number
                done, _ = ray.wait(list(running), num_returns=1, timeout=_LOOK_UP_S)
                for reference in done:
                    number = running.pop(reference)
                    left -= 1
                    yield number, self._result(reference)

    def _result(self, reference: Any) -> TopK:
        try:
            return self._ray.get(reference)
        except MatineeError:
            raise
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            raise MatineeError(
                f"a shard could not be made on Ray after {_RETRIES} retries ({reason}); look at "
                "the workers' memory and logs; what is written is kept"
            ) from error

    @contextmanager
    def _connected(self) -> Generator[None]:
        ray = self._ray
        if self._address is None and ray.is_initialized():
            yield
            return
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self._address is None:
            # By this name Ray starts a cluster even where another one runs.
            options |= {"address": "local", "include_dashboard": False}
        else:
            options["address"] = self._address
        try:
            ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"no Ray cluster at {self._address or 'this machine'} ({reason}); start one "
                "(ray start --head), or leave the address out for one on this machine"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _first(waiting: Iterator[tuple[int, IntArray]], count: int) -> Iterator[tuple[int, IntArray]]:
    """As many of those waiting, if there are any."""
    for _, shard in zip(range(count), waiting, strict=False):
        yield shard


def _import_ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise ConfigError(
            "the engine ray needs Ray, which is not installed; "
            'install it: pip install "matinee[ray]"'
        ) from error
