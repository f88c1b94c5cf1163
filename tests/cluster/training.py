"""A program of its own that trains on a Ray cluster of several nodes, and kills a worker.

Ray forks, which a process that has JAX in it must not do, so the tests do not do this themselves.
"""

import json
import os
import signal
import sys
from pathlib import Path

from matinee.cluster import Team, engines
from matinee.cluster.on_ray import RayEngine
from matinee.errors import MatineeError
from matinee.retrieval.config import RetrievalConfig
from tests import synthetic

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
# 13 batches of 185 an epoch, of which the workers get 93 and 92.
CONFIG = RetrievalConfig(
    embedding_size=6, epochs=4, batch_size=185, reshuffle=True, learning_rate=0.05, film_bias=True
)
# Die in this epoch, counted from 0, before its first batch.
FATAL = 2


def main():
    """Prints the losses of each training; a checkpoint is written under the argument."""
    from ray.cluster_utils import Cluster

    root = Path(sys.argv[1])
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    cluster.add_node(**NODE)
    engine = RayEngine(cluster.address)
    with engine.connected():
        from matinee.retrieval import together

        told = {"whole": _trained(Team(engine, 2))}
        train, path = together._train, root / "checkpoint"
        together._train = _dying
        try:
            _trained(Team(engine, 2), path)
        except MatineeError as error:
            told["error"] = [type(error).__name__, str(error)]
        together._train = train
        told["kept"] = path.exists()
        told["resumed"] = _trained(Team(engine, 2), path)
        try:
            _trained(Team(engine, 3))
        except MatineeError as error:
            told["too many"] = str(error)
    cluster.shutdown()
    print(json.dumps(told))


def _trained(team, checkpoint=None):
    from matinee.retrieval.together import fit_together

    retriever, losses = fit_together(
        *synthetic.dataset(), CONFIG, seed=3, checkpoint=checkpoint, team=team
    )
    return [losses, {name: array.tolist() for name, array in retriever.tensors().items()}]


def _dying(job, peers: engines.Peers, report):
    from matinee.retrieval import together
    from matinee.towers.progress import TrainingBar

    began = TrainingBar.on_epoch_begin

    def begin(self, epoch, logs=None):
        if (epoch, peers.rank) == (FATAL, 1):
            os.kill(os.getpid(), signal.SIGKILL)
        began(self, epoch, logs)

    TrainingBar.on_epoch_begin = begin
    return together._train(job, peers, report)
