import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import matinee as mt


@pytest.fixture(scope="module")
def trained(csv_files, recipe_files, tmp_path_factory):
    """A model trained by the command in a process of its own, and what it printed."""
    out = tmp_path_factory.mktemp("cli") / "model"
    words = ["train", "--data", csv_files[0], "--films", csv_files[1], "--seed", "7"]
    words += ["--recipe", recipe_files["default"], "--out", out, "--json"]
    from tests.fresh import run_matinee

    return out, run_matinee(*words)


def test_trains_measures_and_saves(trained, saved_model):
    out, done = trained
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["model"] == str(out)
    assert told["data"]["protocol"] == "seed"
    assert told["metrics"].keys() == saved_model.metrics.keys()
    assert f"saved to {out}" not in done.stdout
    assert done.stderr == ""
    assert mt.load_model(out).metrics == told["metrics"]


def test_the_command_trains_the_same_model_as_the_library(trained, saved_model):
    loaded = mt.load_model(trained[0])
    ours, theirs = (m.recommender.retriever.user_vectors for m in (saved_model, loaded))
    assert ours.tobytes() == theirs.tobytes()


def test_shows_a_table_and_what_comes_next(run, csv_files, recipe_files, tmp_path):
    options = ("--data", csv_files[0], "--recipe", recipe_files["seed"], "--protocol", "time")
    done = run("train", *options, "--out", tmp_path / "model")
    assert done.code == 0
    assert "recall@100" in done.out
    assert "rmse" in done.out
    assert f"saved to {tmp_path / 'model'}; next: matinee recommend" in done.err
    assert run("evaluate", "--model", tmp_path / "model").code == 0


def test_any_models_go_all_the_way(run, data, tmp_path):
    recipe, out = tmp_path / "mine.toml", tmp_path / "model"
    recipe.write_text('[retrieval]\nmodel = "ease"\nl2 = 20\n[ranking]\nmodel = "bias"\n')
    assert run("train", *data, "--recipe", recipe, "--out", out).code == 0
    told = run("recommend", "--model", out, "--user", "7", "--json").json
    assert {film["source"] for film in told["recommendations"]} == {"ease"}
    assert len(run("similar", "1", "--model", out, "--json").json["similar"]) == 10
    manifest = run("model", "verify", out, "--json").json["manifest"]
    assert manifest["recipe"]["retrieval"] == {"model": "ease", "l2": 20.0}
    assert manifest["recipe"]["ranking"]["model"] == "bias"


def test_a_stage_that_the_recipe_leaves_open_is_that_of_the_default(run, data, tmp_path):
    out = tmp_path / "model"
    done = run("train", *data, "--recipe", "popularity", "--out", out, "--json")
    assert done.code == 0
    recipe = mt.load_model(out).recipe
    assert recipe.retrieval == mt.load_recipe("popularity").retrieval
    assert recipe.ranking == mt.load_recipe("default").ranking
    done = run("similar", "1", "--model", out, "--json")
    assert done.code == 2
    assert "does not know which films are alike" in done.error["message"]


def test_what_is_relevant_is_learned_saved_and_asked_with(run, data, tmp_path):
    out = tmp_path / "m"
    run("train", *data, "--recipe", "ease", "--relevant-from", 4, "--out", out, "--json")
    saved = mt.load_model(out)
    assert saved.recipe.relevant_from == 4
    recommender = saved.recommender
    train = recommender.train
    assert train.rating.min() < 4
    alike = mt.fit_ease(train.relevant(4), saved.recipe.retrieval)
    queries = [mt.Query(user) for user in range(len(train.users))]
    ours, theirs = recommender.retriever.retrieve(queries, 10), alike.retrieve(queries, 10)
    np.testing.assert_array_equal(ours.items, theirs.items)
    assert recommender.retriever.liked_from == 4
    # Every reason is a film that the model has read.
    for user in map(train.users.id, range(5)):
        for film in recommender.recommend(user, k=3, explain=True):
            assert all(reason.stars >= 4 for reason in film.reasons)


def test_long_training_is_kept_in_a_file(run, data, tmp_path):
    settings = tmp_path / "s.toml"
    settings.write_text(
        '[retrieval]\nmodel = "sequence"\nembedding_size = 8\nblocks = 1\nmax_length = 16\n'
        "epochs = 2\nbatch_size = 8\npatience = 0\n"
        '[ranking]\nmodel = "bias"\n'
    )
    kept = tmp_path / "run.ckpt"
    words = ["train", *data, "--recipe", settings, "--checkpoint", kept, "--json"]
    first = json.loads(run(*words, "--out", tmp_path / "a").out)
    assert kept.stat().st_size > 0
    again = json.loads(run(*words, "--out", tmp_path / "b").out)
    assert first["metrics"] == again["metrics"]


def test_a_checkpoint_for_a_model_without_one_is_refused(run, data, tmp_path):
    words = ["train", *data, "--recipe", "ease", "--out", tmp_path / "m"]
    done = run(*words, "--checkpoint", tmp_path / "run.ckpt")
    assert done.code == 2
    assert "expected one of two-tower, sequence" in done.err


def test_goes_on_from_an_older_model(run, data, tmp_path):
    settings, old, new = tmp_path / "s.toml", tmp_path / "old", tmp_path / "new"
    settings.write_text(
        '[retrieval]\nmodel = "ials"\nembedding_size = 8\nsweeps = 8\n[ranking]\nmodel = "bias"\n'
    )
    words = ["train", *data, "--resume-from", old, "--out", new]
    run("train", *data, "--recipe", settings, "--protocol", "time", "--out", old)
    assert run(*words, "--protocol", "all").code == 0
    assert mt.load_model(new).recipe == mt.load_model(old).recipe
    assert len(mt.load_model(new).recommender.train) > len(mt.load_model(old).recommender.train)
    for option in (("--recipe", "ease"), ("--checkpoint", tmp_path / "c")):
        done = run(*words, "--protocol", "all", *option)
        assert done.code == 2
        assert f"{option[0]} with --resume-from, which keeps its recipe" in done.err
    done = run(*words, "--protocol", "seed", "--json")
    assert "was trained on" in done.error["message"]


def test_refuses_to_overwrite_before_it_trains(run, data, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for out in (tmp_path, tmp_path / "thesis.txt", tmp_path / "thesis.txt" / "model"):
        done = run("train", *data, "--out", out, "--json")
        assert done.code == 5
        assert "nothing was written" in done.error["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unknown_recipe_or_protocol_is_refused(run, data, tmp_path):
    done = run("train", *data, "--recipe", "fancy", "--out", tmp_path / "model")
    assert (done.code, done.out) == (2, "")
    assert "unknown recipe 'fancy'" in done.err
    done = run("train", *data, "--protocol", "u9", "--out", tmp_path / "model")
    assert done.code == 2
    assert "protocol = 'u9'; expected one of" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_diverges_is_not_saved(run, data, tmp_path):
    recipe = tmp_path / "wild.toml"
    recipe.write_text(
        "[retrieval]\nepochs = 1\n[ranking]\nepochs = 3\nlearning_rate = 1e30\nhidden = [8]\n"
    )
    done = run("train", *data, "--recipe", recipe, "--out", tmp_path / "model", "--json")
    assert done.code in (3, 5)
    assert "finite" in done.error["message"]
    assert not (tmp_path / "model").exists()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_leaves_the_old_model_and_nothing_half_written(
    csv_files, tmp_path, model_directories
):
    recipe = tmp_path / "long.toml"
    recipe.write_text("[retrieval]\nepochs = 1000000\nbatch_size = 256\n")
    models = tmp_path / "models"
    mt.save_model(mt.load_model(model_directories["seed"]), models / "old")
    before = {path.name: path.read_bytes() for path in (models / "old").iterdir()}
    # Says when training has begun, so that the signal comes in the middle of it.
    code = (
        "import sys, keras\n"
        "keras.callbacks.CallbackList.on_epoch_end = lambda *a, **k: print('epoch', flush=True)\n"
        "from matinee.cli import main; main()"
    )
    words = ["train", "--data", csv_files[0], "--recipe", recipe, "--out", models / "old"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax")},
    )
    try:
        assert process.stdout.readline() == "epoch\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err == "interrupted; nothing was left half-written\n"
    assert [path.name for path in models.iterdir()] == ["old"]
    assert {path.name: path.read_bytes() for path in (models / "old").iterdir()} == before
