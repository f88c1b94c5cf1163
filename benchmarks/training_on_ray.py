"""One model trained by several processes of a Ray cluster, beside one process.

    python benchmarks/training_on_ray.py [--workers 2] [--json]

The two-tower retriever on MovieLens 100K, once with each loss: 50 steps (5 epochs of 10), by one
process and by as many workers, each on a node of its own of a local cluster (`ray.cluster_utils`),
with a copy of the tables in each and with their rows divided among them. Reported is how far the
loss after each step differs at most from that of one process. Then the same training is begun with
a checkpoint, one of the workers is killed with SIGKILL in its fourth epoch, and the job is started
again; the losses of its epochs are compared with those of the training that nobody disturbed. It
needs Ray: pip install "matinee[ray]".
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import matinee as mt
from matinee.cluster import ALONE, Peers, Report, Team
from matinee.cluster.on_ray import RayEngine
from matinee.errors import WorkerLostError

NODE = {"num_cpus": 1, "object_store_memory": 256 << 20}
STEPS, EPOCHS, SEED, FATAL = 10, 5, 42, 3


def configs(ratings: mt.Ratings) -> dict[str, mt.RetrievalConfig]:
    size = -(-len(ratings) // STEPS)
    recipes = {"in-batch": "seed", "full": "two-tower"}
    return {
        loss: replace(
            mt.load_recipe(recipe).retrieval,
            loss=loss,
            epochs=EPOCHS,
            batch_size=size,
            mask_accidental_hits=False,
            correct_popularity=False,
        )
        for loss, recipe in recipes.items()
    }


def step_losses(job: tuple[Any, ...], peers: Peers, report: Report) -> list[float]:
    """The mean loss of the epoch so far, after each step."""
    from matinee.retrieval.fit import new_model
    from matinee.towers.backend import keras
    from matinee.towers.optimizers import make_optimizer
    from matinee.towers.parallel import join

    ratings, catalog, config, shard_tables = job
    join(peers, shard_tables)
    model = new_model(ratings, catalog, config, SEED)
    model.compile(optimizer=make_optimizer(config.optimizer, config.learning_rate))
    losses: list[float] = []
    noting = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: losses.append(float(logs["loss"]))
    )
    model.fit(ratings, verbose=0, callbacks=[noting])
    return losses


def losses_of(team: Team, data: tuple[Any, ...]) -> list[float]:
    job = (*data, team.shard_tables)
    return team.engine.together(step_losses, job, team.workers, lambda _: None)


def dying(job: Any, peers: Peers, report: Report) -> Any:
    """As a worker trains, until the last one kills itself."""
    from matinee.retrieval import together
    from matinee.towers.progress import TrainingBar

    ended = TrainingBar.on_train_batch_end

    def end(self: Any, batch: int, logs: Any = None) -> None:
        if (self._epoch, batch, peers.rank) == (FATAL, STEPS // 2, peers.count - 1):
            os.kill(os.getpid(), signal.SIGKILL)
        ended(self, batch, logs)

    TrainingBar.on_train_batch_end = end
    return together._train(job, peers, report)


def killed_and_resumed(data: Any, config: mt.RetrievalConfig, team: Team) -> dict[str, Any]:
    from matinee.retrieval import together

    path, train = Path(tempfile.mkdtemp()) / "checkpoint", together._train
    whole = together.fit_together(*data, config, seed=SEED, team=team)[1]
    together._train = dying
    try:
        together.fit_together(*data, config, seed=SEED, team=team, checkpoint=path)
        error = "none"
    except WorkerLostError as lost:
        error = str(lost)
    together._train = train
    again = together.fit_together(*data, config, seed=SEED, team=team, checkpoint=path)[1]
    return {"error": error, "whole": whole, "resumed": again}


def main() -> None:
    from ray.cluster_utils import Cluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--json", action="store_true", help="instead of the table")
    options = parser.parse_args()
    data = mt.load_movielens("100k")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    for _ in range(options.workers - 1):
        cluster.add_node(**NODE)
    engine = RayEngine(cluster.address)
    told: dict[str, Any] = {}
    # Connected before anything imports JAX, as Ray forks.
    with engine.connected():
        for name, config in configs(data[0]).items():
            one, copies, rows = (
                np.array(losses_of(team, (*data, config)))
                for team in (
                    ALONE,
                    Team(engine, options.workers),
                    Team(engine, options.workers, shard_tables=True),
                )
            )
            told[name] = {
                "steps": len(one),
                "first": one[0],
                "last": one[-1],
                "copies": np.abs(copies / one - 1).max(),
                "rows": np.abs(rows / one - 1).max(),
            }
        told["killed"] = killed_and_resumed(data, config, Team(engine, options.workers))
    cluster.shutdown()
    if options.json:
        print(json.dumps(told))
        return
    killed = told.pop("killed")
    for name, own in told.items():
        print(
            f"{name:8} loss {own['first']:.5g} to {own['last']:.5g} in {own['steps']} steps; "
            f"largest relative difference {own['copies']:.1e}, "
            f"with tables divided {own['rows']:.1e}"
        )
    print(f"killed: {killed['error']}")
    print(f"losses undisturbed: {killed['whole']}")
    print(f"losses resumed:     {killed['resumed']}")


if __name__ == "__main__":
    main()
