"""Data and trials on a real Ray cluster of several nodes, some of whose workers are killed."""

import json
from pathlib import Path

import pytest

from matinee.data.prepared import load_prepared
from matinee.data.sources import load_data, load_ratings
from matinee.tuning.tune import tune
from tests.cluster.work import TRIALS
from tests.fresh import run_matinee, run_python

pytest.importorskip("ray", reason='Ray is not installed: pip install "matinee[ray]"')


@pytest.fixture(scope="module")
def directory(csv_files, tmp_path_factory):
    """The synthetic world's ratings, cut into five files."""
    header, *rows = csv_files[0].read_text().splitlines(keepends=True)
    out = tmp_path_factory.mktemp("parts")
    for number in range(5):
        first, last = (len(rows) * end // 5 for end in (number, number + 1))
        (out / f"{number}.csv").write_text("".join([header, *rows[first:last]]))
    return out


@pytest.fixture(scope="module")
def told(directory, tmp_path_factory):
    """What the program on the cluster said."""
    code, out = "from tests.cluster.work import main; main()", tmp_path_factory.mktemp("work")
    done = run_python(code, directory, out, cwd=Path(__file__).parents[2], timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_workers_died_in_both(told):
    assert told["died"] == ["died-reading", "died-trying"]


def test_a_cluster_reads_what_one_process_reads_of_one_file(told, csv_files, directory):
    assert told["ratings"] == load_ratings(csv_files[0]).fingerprint()
    assert load_data(directory)[0].fingerprint() == told["ratings"]


def test_a_cluster_tries_what_one_process_tries(told, world, tmp_path):
    found = tune("ease", *world, tmp_path / "best.toml", **TRIALS).trials["retrieval"]
    for own, (settings, value, error) in zip(found, told["trials"], strict=True):
        assert (own.settings, error) == (settings, None)
        assert own.value == pytest.approx(value, rel=1e-6)


def test_the_command_line_prepares_on_a_cluster_of_its_own(directory, csv_files, tmp_path):
    out = tmp_path / "prepared"
    done = run_matinee("data", "prepare", "--data", directory, "--out", out, "--engine", "ray")
    assert done.returncode == 0, done.stderr
    assert load_prepared(out)[0].fingerprint() == load_ratings(csv_files[0]).fingerprint()
