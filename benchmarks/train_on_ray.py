"""A two-tower model trained by several processes of a local Ray cluster, one of which is killed.

    python benchmarks/train_on_ray.py [--workers 2] [--data 100k] [--json]

Fifty steps of the recipe's two towers (five epochs of ten batches) are trained by this process, by
as many workers as asked for, and by the same number of which one is killed with SIGKILL in the
third epoch; that job ends with an error, and the next one goes on from its checkpoint. Printed are
the losses of each epoch, how far they differ from this process's, relatively, and the seconds.
It needs Ray: pip install "matinee[ray]".
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import matinee as mt
from matinee.cluster import ALONE, Peers, Team
from matinee.cluster.on_ray import RayEngine
from matinee.errors import WorkerLostError
from matinee.retrieval import together

NODE = {"num_cpus": 1, "object_store_memory": 256 << 20}
STEPS, EPOCHS, FATAL = 50, 5, 2
train_together = together._train


def dying(job: Any, peers: Peers, report: Any) -> Any:
    """As training is, but the last worker is killed as the third epoch begins."""
    from matinee.towers.progress import TrainingBar

    began = TrainingBar.on_epoch_begin

    def begin(self: Any, epoch: int, logs: Any = None) -> None:
        if (epoch, peers.rank) == (FATAL, peers.count - 1):
            os.kill(os.getpid(), signal.SIGKILL)
        began(self, epoch, logs)

    TrainingBar.on_epoch_begin = begin
    return train_together(job, peers, report)


def fitted(data: Any, team: Team, checkpoint: Path | None = None) -> tuple[list[float], float]:
    """The losses of the epochs, and the seconds."""
    ratings, catalog = data
    size = -(-len(ratings) * EPOCHS // STEPS)
    config = replace(
        mt.load_recipe("two-tower").retrieval, batch_size=size, epochs=EPOCHS, loss="in-batch"
    )
    started = time.perf_counter()
    _, losses = together.fit_together(
        ratings, catalog, config, seed=42, checkpoint=checkpoint, team=team
    )
    return list(losses), time.perf_counter() - started


def on_cluster(data: Any, workers: int, folder: Path) -> dict[str, Any]:
    """The same on a cluster, whole, killed and gone on."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    for _ in range(workers - 1):
        cluster.add_node(**NODE)
    team, found = Team(RayEngine(cluster.address), workers), {}
    with team.engine.connected():
        found[f"{workers} workers"] = fitted(data, team)
        together._train = dying
        try:
            fitted(data, team, folder / "checkpoint")
        except WorkerLostError as error:
            found["error"] = str(error)
        together._train = train_together
        found["killed, then gone on"] = fitted(data, team, folder / "checkpoint")
    cluster.shutdown()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", default="100k")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    data = mt.load_data(options.data)
    with tempfile.TemporaryDirectory() as folder:
        # Before this process has run JAX, which must not be forked after that.
        found = on_cluster(data, options.workers, Path(folder))
    error = found.pop("error", "the job of the killed worker did not end with an error")
    found["one process"] = fitted(data, ALONE)
    alone = found["one process"][0]
    if options.json:
        print(json.dumps({"losses": found, "error": error}))
        return
    for name, (losses, seconds) in found.items():
        away = max(abs(own / one - 1) for own, one in zip(losses, alone, strict=True))
        shown = " ".join(f"{loss:.6f}" for loss in losses)
        print(f"{name:22} {shown}  differ by at most {away:.1e}; {seconds:.1f} s")
    print(f"the killed job: {error}")


if __name__ == "__main__":
    main()
