"""Where the time goes: the default recipe's training, and one request, on MovieLens 100K.

    python benchmarks/profiling.py [--top 12] [--requests 300] [--folded FOLDER]

Looks at the stacks of all of Python's threads every two milliseconds and prints, for the training
of both stages and for `Recommender.recommend(user=…, k=10, explain=True)`, the functions with the
largest share of these looks; threads that wait for others are passed over. *Own* is with the
function at the top (the library's calls that it makes, NumPy's and BLAS's, are its own), *with
calls* anywhere in the stack. `--folded` writes the stacks as `training.folded` and
`request.folded`, which any flame graph tool draws.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

import matinee as mt

INTERVAL_S = 0.002
# At the top of a stack they say that the thread has nothing to do.
WAITING = {"threading.py:Condition.wait", "thread.py:_worker"} | {
    f"threading.py:Thread.{name}" for name in ("join", "_wait_for_tstate_lock")
}
Stack = tuple[str, ...]


def name_of(frame: FrameType) -> str:
    """The function of a frame, by its file below the package or its module."""
    path = Path(frame.f_code.co_filename)
    parts = path.parts
    place = "/".join(parts[parts.index("matinee") + 1 :]) if "matinee" in parts else path.name
    return f"{place}:{frame.f_code.co_qualname}"


def stack_of(frame: FrameType | None) -> Stack:
    """The functions that a frame is in, outermost first."""
    names: list[str] = []
    while frame is not None:
        names.append(name_of(frame))
        frame = frame.f_back
    return tuple(reversed(names))


@contextmanager
def looking(stacks: Counter[Stack]) -> Generator[None]:
    """Count the stacks of threads at work, outermost first, until the end of the block."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(INTERVAL_S):
            for thread, frame in sys._current_frames().items():
                if thread == threading.get_ident():
                    continue
                stack = stack_of(frame)
                if stack[-1] not in WAITING:
                    stacks[stack] += 1

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def profile(work: Callable[[], object]) -> tuple[Counter[Stack], float]:
    """The stacks of some work, and the seconds that it took."""
    stacks: Counter[Stack] = Counter()
    started = time.perf_counter()
    with looking(stacks):
        work()
    return stacks, time.perf_counter() - started


def show(title: str, stacks: Counter[Stack], top: int) -> None:
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        for name in set(stack):
            within[name] += count
    total = stacks.total()
    table = Table("function", "own", "with calls", title=title)
    for name, count in own.most_common(top):
        table.add_row(name, f"{count / total:.1%}", f"{within[name] / total:.1%}")
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--top", type=int, default=12)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--folded", type=Path, help="write the stacks into this folder")
    options = parser.parse_args()
    ratings, catalog = mt.load_movielens("100k")
    recipe = mt.load_recipe("default")
    fitted: list[mt.Recommender] = []

    def train() -> None:
        retriever = mt.fit_blend(ratings, recipe.retrieval, catalog=catalog, seed=42)
        ranker = mt.fit_factorization_machine(ratings, catalog, recipe.ranking, seed=42)
        fitted.append(mt.Recommender(catalog, retriever, ranker, ratings))

    def ask() -> None:
        for number in range(options.requests):
            fitted[0].recommend(user=ratings.users.id(number), k=10, explain=True)

    found = {"training": profile(train)}
    # What a model makes once, on the first request, is not a request's.
    fitted[0].recommend(user=ratings.users.id(0), k=10, explain=True)
    found["request"] = profile(ask)
    for name, (stacks, seconds) in found.items():
        each = seconds if name == "training" else 1000 * seconds / options.requests
        unit = "s" if name == "training" else "ms each, looked at"
        show(f"{name}: {each:.2f} {unit}; {stacks.total():,} looks", stacks, options.top)
        if options.folded:
            options.folded.mkdir(parents=True, exist_ok=True)
            lines = [f"{';'.join(stack)} {count}" for stack, count in stacks.items()]
            (options.folded / f"{name}.folded").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
