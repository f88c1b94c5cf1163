"""Work on a Ray cluster: what tasks share once in the object store, a process for each task."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from matinee import interrupts
from matinee.cluster.engines import Report, Result, Shared, Task, Together
from matinee.cluster.group import run_group
from matinee.errors import ConfigError, MatineeError, WorkerLostError

# Tasks for each processor that are given out at once: one runs, one waits. More would only fill
# the object store with results that are still to be used.
_AHEAD = 2
# How often a task is tried again whose worker or node died.
_RETRIES = 20
_LOOK_UP_S = 1.0


class RayEngine:
    """Runs functions in the processes of a Ray cluster.

    Every node needs the same versions of Python and Matinee. What is shared goes into the object
    store once, whence each node's workers map its arrays without a copy. Results come back to the
    caller, who alone writes files: so workers need no shared disk, and one that dies leaves nothing
    behind. Its task is made again elsewhere, with the same result.

    Args:
        address: of the cluster, as `ray.init` takes it; None starts one on this machine for
            the time of the work. A process that is connected already stays so.

    Raises:
        ConfigError: Ray is not installed.
    """

    def __init__(self, address: str | None = None) -> None:
        # Nothing is reported to anybody, unless somebody asked for it.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._ray = _import_ray()
        self._address = address

    def map(
        self, function: Callable[[Shared, Task], Result], shared: Shared, tasks: Mapping[int, Task]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`; results come as they are done.

        Raises:
            ConfigError: there is no cluster at the address.
            WorkerLostError: the workers of one task died too often.
        """
        ray = self._ray
        waiting = iter(tasks.items())
        left, running = len(tasks), dict[Any, int]()
        with self.connected():
            kept = ray.put(shared)
            remote: Any = ray.remote(num_cpus=1, max_retries=_RETRIES)(function)
            while left:
                interrupts.check()
                room = int(_AHEAD * max(1, ray.cluster_resources().get("CPU", 1)))
                # Not past those that are to be given out, for each is taken from the iterator.
                for _ in range(min(room - len(running), left - len(running))):
                    number, task = next(waiting)
                    running[remote.remote(kept, task)] = number
                done, _ = ray.wait(list(running), num_returns=1, timeout=_LOOK_UP_S)
                for reference in done:
                    number = running.pop(reference)
                    left -= 1
                    yield number, self._result(reference)

    def together(
        self, function: Together[Shared, Result], shared: Shared, workers: int, report: Report
    ) -> Result:
        """See `Engine.together`; each process takes one processor.

        Raises:
            ConfigError: there is no cluster at the address, or it has fewer processors.
            WorkerLostError: a worker died.
        """
        with self.connected():
            return run_group(self._ray, function, shared, workers, report)

    def _result(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except MatineeError:
            raise
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(
                f"a task could not be done on Ray after {_RETRIES} retries ({_reason(error)}); "
                "look at the workers' memory and logs; what is written is kept"
            ) from error

    @contextmanager
    def connected(self) -> Generator[None]:
        """Stay connected meanwhile, instead of for one piece of work.

        A process that is to start a cluster must do so before it imports JAX: Ray forks, and JAX
        has threads.

        Raises:
            ConfigError: there is no cluster at the address.
        """
        ray = self._ray
        if ray.is_initialized():
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
            raise ConfigError(
                f"no Ray cluster at {self._address or 'this machine'} ({_reason(error)}); start "
                "one (ray start --head), or leave the address out for one on this machine"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _import_ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise ConfigError(
            "the engine ray needs Ray, which is not installed; "
            'install it: pip install "matinee[ray]"'
        ) from error
