"""One model trained by two processes of a real Ray cluster, one of which is killed meanwhile."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from matinee.cluster import ALONE, HERE, Team
from matinee.errors import ConfigError, ModelFileError
from matinee.retrieval.together import fit_together
from tests.cluster.training import CONFIG, FATAL
from tests.fresh import run_python


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the program on the cluster said."""
    pytest.importorskip("ray", reason='Ray is not installed: pip install "matinee[ray]"')
    code, out = "from tests.cluster.training import main; main()", tmp_path_factory.mktemp("run")
    done = run_python(code, out, cwd=Path(__file__).parents[2], timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"root": out}


@pytest.fixture(scope="module")
def alone(world):
    """What one process makes of the same."""
    return fit_together(*world, CONFIG, seed=3)


def test_two_processes_train_as_one(told, alone):
    (losses, tensors), (retriever, expected) = told["whole"], alone
    assert len(losses) == CONFIG.epochs
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert expected[-1] < 0.99 * expected[0]
    for name, tensor in retriever.tensors().items():
        np.testing.assert_allclose(tensors[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tables", ["copies", "rows"])
def test_a_killed_worker_is_named_and_ends_the_job(told, tables):
    kind, text = told[tables]["error"]
    assert kind == "WorkerLostError"
    assert re.match(r"worker 1 of 2 \(process \d+ on [\d.]+\) died", text)
    assert "start again" in text


def test_the_job_goes_on_from_its_checkpoint(told):
    # The same workers add up the same parts in the same order.
    assert told["copies"]["resumed"] == told["whole"]


def test_workers_that_divide_the_tables_train_as_one(told, alone):
    (losses, tensors), (retriever, expected) = told["rows"]["resumed"], alone
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for name, tensor in retriever.tensors().items():
        np.testing.assert_allclose(tensors[name], tensor, rtol=1e-3, atol=1e-4)


def test_a_worker_holds_all_rows_or_its_share_of_them(told, world):
    sizes = {"user_model": len(world[0].users), "movie_model": len(world[1].items)}
    for tables, workers in (("copies", 1), ("rows", 2)):
        for held in told[tables]["held"]:
            for name, size in sizes.items():
                rows, width = -(-(size + 1) // workers), CONFIG.embedding_size
                assert held[f"{name}/table"] == [[rows, width]]
                assert held[f"adagrad/{name}_table_accumulator"] == [[rows, width]]
            assert held["retrieval/film_bias"] == [[sizes["movie_model"]]]
    # So there is a table with a row that only fills it up.
    assert any(size % 2 == 0 for size in sizes.values())


def test_one_process_goes_on_from_what_two_have_kept(told, world, alone):
    for tables in ("copies", "rows"):
        path = told["root"] / f"{tables}-kept"
        _, losses = fit_together(*world, CONFIG, seed=3, checkpoint=path)
        np.testing.assert_allclose(losses, alone[1], rtol=1e-5)


def test_there_may_be_no_more_workers_than_processors(told):
    assert "workers = 3; expected at most 2" in told["too many"]


def test_one_process_goes_on_likewise(world, alone, tmp_path, monkeypatch):
    path, epochs = tmp_path / "checkpoint", []

    class Stopping:
        def connected(self):
            raise NotImplementedError

        def together(self, function, job, workers, report):
            def stop(now):
                report(now)
                epochs.append(len(now.progress.losses))
                if len(epochs) == FATAL:
                    raise KeyboardInterrupt

            return HERE.together(function, job, workers, stop)

    with pytest.raises(KeyboardInterrupt):
        fit_together(*world, CONFIG, seed=3, checkpoint=path, team=Team(Stopping(), 1))
    assert epochs == [1, FATAL]
    for _ in range(2):  # The second time all epochs are there already.
        retriever, losses = fit_together(*world, CONFIG, seed=3, checkpoint=path)
        assert losses == alone[1]
        for name, tensor in alone[0].tensors().items():
            np.testing.assert_array_equal(retriever.tensors()[name], tensor)
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match="other ratings, settings, seed"):
        fit_together(*world, CONFIG, seed=4, checkpoint=path)
    assert path.read_bytes() == before


def test_without_a_cluster_there_is_one_worker(world):
    assert ALONE.workers == 1
    with pytest.raises(ConfigError, match="workers = 2; expected 1 without a cluster"):
        fit_together(*world, CONFIG, seed=3, team=Team(HERE, 2))


def test_one_worker_has_nobody_to_divide_tables_with():
    with pytest.raises(ConfigError, match="workers = 1; expected at least 2 where tables are div"):
        Team(HERE, 1, shard_tables=True)
