"""What work is given to: this process, or whatever else maps a function over tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from matinee import interrupts
from matinee.config import require

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")
# Tells whoever gave out the work how far it has come.
Report = Callable[[Any], None]


@dataclass(frozen=True)
class Peers:
    """Processes that work on one thing together, seen by one of them.

    Attributes:
        rank: its own number, from 0.
        count: how many they are.
        address: where number 0 can be met, as `HOST:PORT`; "" where there is but one.
    """

    rank: int = 0
    count: int = 1
    address: str = ""


# What processes do together: what all of them have, who they are, and where to report.
Together = Callable[[Shared, Peers, Report], Result]


class Engine(Protocol):
    """Runs functions, which belong to modules, with arguments and results that pickle keeps."""

    def connected(self) -> AbstractContextManager[None]:
        """Stays connected to whoever works; else each piece of work does so anew."""
        ...

    def map(
        self, function: Callable[[Shared, Task], Result], shared: Shared, tasks: Mapping[int, Task]
    ) -> Iterator[tuple[int, Result]]:
        """The results of all tasks, each with its number, in any order.

        Args:
            function: of what is shared and of one task; made again elsewhere if its process dies,
                so it must give the same again and change nothing.
            shared: what every task needs, such as a model: it travels once.
            tasks: by their numbers.
        """
        ...

    def together(
        self, function: Together[Shared, Result], shared: Shared, workers: int, report: Report
    ) -> Result:
        """Run a function in so many processes at once, which know each other.

        Args:
            function: of what is shared, the process's place among its peers, and `report`.
            shared: what all of them need.
            workers: how many processes.
            report: called here with whatever process 0 reports.

        Returns:
            The result of process 0.

        Raises:
            WorkerLostError: one of them died; the others were ended.
        """
        ...


class LocalEngine:
    """One task after the other in this process, on all its threads."""

    def connected(self) -> AbstractContextManager[None]:
        """See `Engine.connected`; there is nobody else."""
        return nullcontext()

    def map(
        self, function: Callable[[Shared, Task], Result], shared: Shared, tasks: Mapping[int, Task]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`; in the order of the tasks."""
        for number, task in tasks.items():
            interrupts.check()
            yield number, function(shared, task)

    def together(
        self, function: Together[Shared, Result], shared: Shared, workers: int, report: Report
    ) -> Result:
        """See `Engine.together`; this process is all there is.

        Raises:
            ConfigError: more workers than one.
        """
        require(workers == 1, "workers", workers, "1 without a cluster (--engine ray)")
        return function(shared, Peers(), report)


@dataclass(frozen=True)
class Team:
    """Who trains one model.

    Attributes:
        engine: what runs the processes.
        workers: how many of them.
        shard_tables: divide the rows of the model's tables among them, or give each a copy.
    """

    engine: Engine
    workers: int
    shard_tables: bool = False

    def __post_init__(self) -> None:
        require(self.workers >= 1, "workers", self.workers, "at least 1")
        require(
            self.workers > 1 or not self.shard_tables,
            "workers",
            self.workers,
            "at least 2 where tables are divided among them (--shard-tables)",
        )


HERE = LocalEngine()
ALONE = Team(HERE, 1)
