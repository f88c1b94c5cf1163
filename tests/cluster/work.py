"""A program of its own that reads data and makes trials on a Ray cluster, whose workers die.

Ray forks, which a process that has JAX in it must not do, so the tests do not do this themselves.
"""

import json
import os
import signal
import sys
from pathlib import Path

from matinee.cluster.on_ray import RayEngine
from matinee.data import sources
from matinee.data.sources import parts
from matinee.tuning import tune as tuning
from matinee.tuning.measure import outcome_of
from tests import synthetic

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
MARKS = "MATINEE_TEST_MARKS"
TRIALS = {"trials": 4, "at_once": 4, "seed": 7}
_read = parts.read_part


def main():
    """Reads the directory of the first argument; the study is written under the second."""
    from ray.cluster_utils import Cluster

    directory, root = map(Path, sys.argv[1:])
    os.environ[MARKS] = str(root)
    head = {**NODE, "num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(**NODE)
    engine = RayEngine(cluster.address)
    with engine.connected():
        parts.read_part = _dying_read
        ratings, _ = sources.load_data(directory, engine=engine)
        tuning.outcome_of = _dying_trial
        found = tuning.tune(
            "ease", *synthetic.dataset(), root / "best.toml", engine=engine, **TRIALS
        )
    cluster.shutdown()
    trials = [[dict(own.settings), own.value, own.error] for own in found.trials["retrieval"]]
    died = sorted(path.name for path in root.glob("died-*"))
    print(json.dumps({"ratings": ratings.fingerprint(), "trials": trials, "died": died}))


def _dying_read(asked, path):
    _die_once("died-reading")
    return _read(asked, path)


def _dying_trial(measure, settings):
    _die_once("died-trying")
    return outcome_of(measure, settings)


def _die_once(name):
    try:
        (Path(os.environ[MARKS]) / name).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
