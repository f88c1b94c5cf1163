"""Lists on a real Ray cluster of several nodes, some of which are killed meanwhile."""

import json
from pathlib import Path

import polars as pl
import pytest

from matinee.batch import make_lists
from matinee.cluster.on_ray import RayEngine
from matinee.errors import ConfigError
from tests.batch.cluster import CONFIG, KILL_AFTER
from tests.fresh import run_matinee, run_python

pytest.importorskip("ray", reason='Ray is not installed: pip install "matinee[ray]"')

NAMES = {f"lists-{number:05}-of-00030.parquet" for number in range(30)}


@pytest.fixture(scope="module")
def told(model_directories, tmp_path_factory):
    """What the program on the cluster said, and where its lists are."""
    out = tmp_path_factory.mktemp("cluster")
    code = "from tests.batch.cluster import main; main()"
    root = Path(__file__).parents[2]
    done = run_python(code, model_directories["default"], out, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"out": out}


@pytest.fixture
def locally(recommender, tmp_path, read):
    """The lists as one process makes them."""
    make_lists(recommender, tmp_path, CONFIG, model="m")
    return read(tmp_path)


def test_a_cluster_makes_the_same_lists(told, read, locally):
    assert told["plain"] == [120, 30, 0]
    assert read(told["out"] / "plain").equals(locally)


def test_killed_nodes_change_nothing(told, read, locally):
    assert told["died"] == [-9] * len(KILL_AFTER)
    assert told["killed"] == [120, 30, 0]
    assert read(told["out"] / "killed").equals(locally)
    assert {path.name for path in (told["out"] / "killed").iterdir()} == NAMES | {"manifest.json"}
    # Nor was there anything else meanwhile but what this process was just writing.
    assert {name for name in told["seen"] if not name.startswith(".lists-")} <= NAMES


def test_an_error_in_a_task_is_its_own(told):
    assert "a task refuses" in told["refused"]
    assert not list((told["out"] / "refused").iterdir())


def test_no_cluster_at_the_address(recommender, tmp_path):
    with pytest.raises(ConfigError, match="no Ray cluster at nowhere"):
        make_lists(recommender, tmp_path, CONFIG, model="m", engine=RayEngine("nowhere"))


def test_the_command_line_starts_a_cluster_of_its_own(model_directories, tmp_path):
    out = tmp_path / "lists"
    words = ("--model", model_directories["default"], "--out", out, "--k", 7, "--json")
    done = run_matinee("batch", *words, "--engine", "ray")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["users"] == 120
    assert len(pl.read_parquet(out / "*.parquet")) == 7 * 120
