"""A program of its own that makes lists on a Ray cluster of several nodes, and kills some of them.

Ray forks, which a process that has JAX in it must not do, so the tests do not do this themselves.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from matinee.artifacts import load_model
from matinee.batch import BatchConfig, make, make_lists
from matinee.batch.lists import lists_of
from matinee.cluster.on_ray import RayEngine
from matinee.errors import MatineeError

CONFIG = BatchConfig(k=12, shard_users=4)
KILL_AFTER = (8, 18)
_NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
# A node that does not answer for a second is taken for dead; by default it would be fifteen.
_SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 2,
}


def main():
    """Makes `plain` and `killed` under the second argument, by the model at the first."""
    from ray.cluster_utils import Cluster

    model, root = map(Path, sys.argv[1:])
    recommender = load_model(model).recommender
    # The head works on nothing.
    head = {**_NODE, "num_cpus": 0, "include_dashboard": False, "_system_config": _SOON}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(3):
        cluster.add_node(**_NODE)

    def told_of(name, engine):
        made = make_lists(recommender, root / name, CONFIG, model="m", engine=engine)
        return [made.users, made.shards, made.kept]

    told = {"plain": told_of("plain", RayEngine(cluster.address))}
    make.lists_of = _slowly
    killing = _Killing(cluster, root / "killed")
    told |= {
        "killed": told_of("killed", killing),
        "died": killing.died,
        "seen": sorted(killing.seen),
    }
    make.lists_of = _refuse
    try:
        told_of("refused", RayEngine(cluster.address))
    except MatineeError as error:
        told["refused"] = str(error)
    cluster.shutdown()
    print(json.dumps(told))


class _Killing(RayEngine):
    """Kills a node, whose processor is at work, after some of the shards, and starts another."""

    def __init__(self, cluster, out):
        super().__init__(cluster.address)
        self.cluster, self.out = cluster, out
        self.died, self.seen = [], set()

    def map(self, *arguments):
        for count, made in enumerate(super().map(*arguments), 1):
            yield made
            self.seen.update(path.name for path in self.out.iterdir())
            if count in KILL_AFTER:
                node = next(iter(self.cluster.worker_nodes))
                raylet = node.all_processes["raylet"][0].process
                os.kill(raylet.pid, signal.SIGKILL)
                self.cluster.remove_node(node, allow_graceful=False)
                self.cluster.add_node(wait=False, **_NODE)
                self.died.append(raylet.wait())


def _slowly(*arguments):
    time.sleep(0.25)
    return lists_of(*arguments)


def _refuse(*_):
    raise MatineeError("a task refuses")
