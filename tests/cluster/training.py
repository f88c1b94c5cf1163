"""A program of its own that trains on a Ray cluster of several nodes, and kills a worker.

Ray forks, which a process that has JAX in it must not do, so the tests do not do this themselves.
"""

import json
import os
import shutil
import signal
import sys
from functools import partial
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

        train, told = together._train, {"whole": _trained(Team(engine, 2))}
        for name, team in (("copies", Team(engine, 2)), ("rows", Team(engine, 2, True))):
            path = root / name
            together._train = _dying
            try:
                _trained(team, path)
            except MatineeError as error:
                told[name] = {"error": [type(error).__name__, str(error)]}
            together._train = partial(_spied, train, root)
            shutil.copy(path, root / f"{name}-kept")
            told[name]["resumed"] = _trained(team, path)
            told[name]["held"] = [
                json.loads((root / f"held-{rank}").read_text()) for rank in range(2)
            ]
        together._train = train
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


def _spied(train, root, job, peers: engines.Peers, report):
    """Notes which shape of which variable a process has of its own when it has trained."""
    from matinee.retrieval.two_tower import MovieLensRetrieval

    gathered = MovieLensRetrieval.gathered

    def spy(model):
        held = {
            variable.path: [list(shard.data.shape) for shard in variable.value.addressable_shards]
            for variable in (*model.variables, *model.optimizer.variables)
        }
        (root / f"held-{peers.rank}").write_text(json.dumps(held))
        return gathered(model)

    MovieLensRetrieval.gathered = spy
    return train(job, peers, report)


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
