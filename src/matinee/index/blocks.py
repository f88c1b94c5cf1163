"""Blocks of queries on several threads, with BLAS on one thread in each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

from threadpoolctl import threadpool_info, threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

# Work below this many scores stays in the caller's thread: starting others would cost more, and
# single queries from the many threads of a service must not touch what is the whole process's.
_WORTH_THREADS = 1 << 21
# Slices come in so many or a multiple, however many threads there are: BLAS adds up products of
# other sizes in another order, and a query should be scored alike to the last bit wherever it is.
_SHARES = 4


def in_blocks(work: Callable[[slice], None], count: int, step: int, cost: int) -> None:
    """Runs `work` on 0 … count - 1 in slices, on as many threads as BLAS would use.

    While threads of ours run, BLAS keeps to one each: a product of one tile is too small to be
    shared, and its threads would do nothing while the best are picked.

    Args:
        work: called with each slice, by several threads at once.
        count: how many queries there are.
        step: the length of a slice at most.
        cost: how many scores one query takes.
    """
    if count < 2 or count * cost < _WORTH_THREADS:
        for rows in _slices(count, -(-count // step)):
            work(rows)
        return
    with blas_on_one_thread() as threads, ThreadPoolExecutor(threads) as pool:
        rounds = -(-count // (step * _SHARES))
        # Going through the results raises what a thread raised.
        for _ in pool.map(work, _slices(count, rounds * _SHARES)):
            pass


def _slices(count: int, parts: int) -> list[slice]:
    """0 … count - 1 cut into so many parts of about the same length, none empty."""
    parts = min(parts, count)
    return [slice(count * i // parts, count * (i + 1) // parts) for i in range(parts)]


class _Limit:
    """How many threads BLAS has is the process's: the first in lowers it, the last out restores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._threads = 1
        self._limits: threadpool_limits | None = None

    def enter(self) -> int:
        """Gives the number of threads that BLAS had."""
        with self._lock:
            if not self._inside:
                libraries = cast("list[dict[str, Any]]", threadpool_info())
                counts = [int(lib["num_threads"]) for lib in libraries if lib["user_api"] == "blas"]
                self._threads = max(counts, default=1)
                self._limits = threadpool_limits(1, user_api="blas")
            self._inside += 1
            return self._threads

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._limits is not None:
                self._limits.restore_original_limits()
                self._limits = None


_limit = _Limit()


@contextmanager
def blas_on_one_thread() -> Generator[int]:
    """Holds BLAS to one thread, for whoever starts threads of their own; gives how many it had.

    All who do must do it here: limits set apart would restore each other's 1 and leave it at that.
    """
    threads = _limit.enter()
    try:
        yield threads
    finally:
        _limit.leave()
