"""What protects the service: how often somebody may call, and how much may wait."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee.service.problems import OverloadedError

T = TypeVar("T")
FULL = "more requests wait than can be answered soon; try again later"
# How long a list may wait for its turn; three times what a queue of the usual length takes.
PATIENCE_S = 0.12
# Of so many callers the newest are remembered; an older one starts afresh.
_CALLERS = 10_000


class RateLimit:
    """A bucket of `burst` tokens for every caller, filled by `rate_per_s`.

    Args:
        rate_per_s: calls a second that are allowed for long.
        burst: calls that are allowed at once.
        clock: seconds that never go back.
    """

    def __init__(
        self, rate_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Take a token; 0, or the seconds until there is one."""
        now_s = self._clock()
        tokens, then_s = self._buckets.pop(caller, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._rate_per_s)
        allowed = tokens >= 1.0
        self._buckets[caller] = (tokens - 1.0 if allowed else tokens, now_s)
        if len(self._buckets) > _CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self._rate_per_s


class Pool:
    """Threads for work of one kind, and a bound on what waits for them.

    Args:
        name: of the threads.
        threads: how many.
        queue: how many calls may be under way or wait, beyond one a thread.
    """

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._most = threads + queue
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether another call would be refused."""
        return self.waiting >= self._most

    async def run(self, work: Callable[[], T]) -> T:
        """Call a function on one of the threads; from one event loop alone.

        Raises:
            OverloadedError: too much waits already.
        """
        if self.is_full:
            raise OverloadedError(FULL)
        self.waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        # Whoever asked may have gone; the work is done and counted all the same.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self.waiting -= 1
        if not future.cancelled():
            future.exception()

    def close(self) -> None:
        """Finish what is under way."""
        self._executor.shutdown()


class Turns:
    """Short work on the event loop itself, one call a round, and a bound on what waits.

    A call of a millisecond or two is done sooner there than handed to a thread and back: whoever
    computes holds Python's lock, so the loop would wait all the same. Between two calls the loop
    reads and answers whatever has arrived, so what is accepted waits for the calls before it, and
    everything else for one. Where half of what may wait does wait, a call that waited too long
    is refused when its turn comes: by then whoever asked does better to ask again, and those behind
    it get theirs sooner. Fewer than that are no overload, but a process that was held up once.

    Args:
        queue: how many calls may wait.
        patience_s: how long each may while many do.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        queue: int,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = queue
        self._patience_s = patience_s
        self._clock = clock
        self._turns: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many calls are under way."""
        return len(self._turns)

    async def run(self, work: Callable[[], T]) -> T:
        """Call a function when those before it are done; from one event loop alone.

        Raises:
            OverloadedError: too much waits already, or it waited too long.
        """
        if self.waiting >= self._most:
            raise OverloadedError(FULL)
        since_s = self._clock()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            if self._turns[0] is turn:
                turn.set_result(None)
                await asyncio.sleep(0)
            await turn
            waited_s = self._clock() - since_s
            if waited_s > self._patience_s and 2 * self.waiting > self._most:
                raise OverloadedError(FULL)
            return work()
        finally:
            self._turns.remove(turn)
            if self._turns and not self._turns[0].done():
                # Whoever waits for it goes on in the next round.
                self._turns[0].set_result(None)


class Admitted:
    """How many requests of one kind the application has in hand, and a bound on them.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether another one would be too many."""
        return self.count >= self._most

    def counted(self, app: ASGIApp) -> ASGIApp:
        """An application that is counted from now on, until it has answered.

        While it waits for a body it is not: one that does not come must take nobody's place.
        """
        self.count += 1

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            async def uncounted() -> Message:
                self.count -= 1
                try:
                    return await receive()
                finally:
                    self.count += 1

            try:
                await app(scope, uncounted, send)
            finally:
                self.count -= 1

        return answering
