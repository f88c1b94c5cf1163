"""Processes of a Ray cluster that work on one thing together, and all end if one of them dies."""

from __future__ import annotations

import os
import socket
import time
from importlib import import_module
from queue import SimpleQueue
from typing import Any, NamedTuple

from matinee import interrupts
from matinee.cluster.engines import Peers, Report, Result, Shared, Together
from matinee.config import require
from matinee.errors import MatineeError, WorkerLostError

_LOOK_UP_S = 1.0
# Whoever waits for a dead process fails too, perhaps earlier than Ray knows who it was.
_BLAME_S = 15.0


class _Place(NamedTuple):
    """Where a process is: its machine, a free port of it, and its id there."""

    host: str
    port: int
    process: int


class _Worker:
    """One of the processes; `run` and `reported` go on at once."""

    def __init__(self) -> None:
        self._reports: SimpleQueue[list[Any]] = SimpleQueue()

    def place(self) -> _Place:
        """Where it is."""
        host: str = import_module("ray").util.get_node_ip_address()
        with socket.socket() as free:
            free.bind(("", 0))
            return _Place(host, free.getsockname()[1], os.getpid())

    def run(self, function: Together[Any, Any], shared: Any, peers: Peers) -> Any:
        """What the function returns."""
        try:
            return function(shared, peers, lambda told: self._reports.put([told]))
        finally:
            self._reports.put([])

    def reported(self) -> list[Any]:
        """The next report by itself, as soon as there is one; nothing after the last."""
        return self._reports.get()


def run_group(
    ray: Any, function: Together[Shared, Result], shared: Shared, workers: int, report: Report
) -> Result:
    """See `Engine.together`.

    Args:
        ray: the module, connected.
        function: what to run.
        shared: what all of them need.
        workers: how many processes, each on a processor of its own.
        report: called with what process 0 reports.
    """
    there = int(ray.cluster_resources().get("CPU", 0))
    require(workers <= there, "workers", workers, f"at most {there}, the cluster's processors")
    options = {"num_cpus": 1, "max_concurrency": 2, "scheduling_strategy": "SPREAD"}
    worker: Any = ray.remote(**options)(_Worker)
    members = [worker.remote() for _ in range(workers)]
    try:
        places = ray.get([member.place.remote() for member in members])
        address = f"{places[0].host}:{places[0].port}"
        kept = ray.put(shared)
        running = [
            member.run.remote(function, kept, Peers(rank, workers, address))
            for rank, member in enumerate(members)
        ]
        return _watched(ray, members[0], running, places, report)
    except ray.exceptions.RayActorError as error:
        raise WorkerLostError(f"a worker died before it began ({_reason(error)})") from error
    finally:
        for member in members:
            ray.kill(member)


def _watched(ray: Any, first: Any, running: list[Any], places: list[_Place], report: Report) -> Any:
    """The result of process 0; passes its reports on, and stops if any process fails."""
    told: Any = first.reported.remote()
    waiting = [told, *running]
    while waiting:
        interrupts.check()
        done, waiting = ray.wait(waiting, num_returns=1, timeout=_LOOK_UP_S)
        try:
            news = ray.get(done)
        except Exception as error:
            # Only process 0 reports.
            rank = running.index(done[0]) if done[0] in running else 0
            raise _blamed(ray, {rank: error} | _failed(ray, running), places) from error
        if done == [told] and news[0]:
            report(news[0][0])
            told = first.reported.remote()
            waiting.append(told)
    return ray.get(running[0])


def _failed(ray: Any, running: list[Any]) -> dict[int, Exception]:
    """What went wrong in which process, as soon as one is known to have died, or time is up."""
    found: dict[int, Exception] = {}
    waiting, end = running, time.monotonic() + _BLAME_S
    while waiting and not _died(ray, found) and (left := end - time.monotonic()) > 0:
        ended, waiting = ray.wait(waiting, num_returns=1, timeout=left)
        for reference in ended:
            try:
                ray.get(reference)
            except Exception as error:
                found[running.index(reference)] = error
    return found


def _died(ray: Any, failed: dict[int, Exception]) -> list[int]:
    return [rank for rank, e in failed.items() if isinstance(e, ray.exceptions.RayActorError)]


def _blamed(ray: Any, failed: dict[int, Exception], places: list[_Place]) -> MatineeError:
    """The error to raise, by what went wrong in which process, the earliest first."""
    lost = _died(ray, failed)
    rank = lost[0] if lost else next(iter(failed))
    error, place = failed[rank], places[rank]
    who = f"worker {rank} of {len(places)} (process {place.process} on {place.host})"
    if lost:
        return WorkerLostError(
            f"{who} died, so the others were ended; look at that machine's memory and at Ray's "
            "logs, then start again: with a checkpoint it goes on from the last one"
        )
    if isinstance(error, MatineeError):
        return error
    return WorkerLostError(f"{who} failed ({_reason(error)})")


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
