import shutil

import matinee as mt
from tests.artifacts.checks import reseal


def test_verify_lists_the_files_of_a_whole_model(run, model):
    done = run("model", "verify", model)
    assert (done.code, done.err) == (0, "")
    assert "is whole" in done.out
    for name in ("retrieval.safetensors", "users.parquet", "protocol seed, seed 7"):
        assert name in done.out
    told = run("model", "verify", model, "--json").json
    assert told["ok"] is True
    assert told["model"] == str(model)
    assert len(told["manifest"]["files"]) == 5


def test_verify_exits_with_5_at_a_damaged_file(run, model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    with (tmp_path / "model" / "users.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\1\2")
    done = run("model", "verify", tmp_path / "model")
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith(f"error: {tmp_path / 'model'}: users.parquet was altered")
    assert done.err.count("\n") == 1
    told = run("model", "verify", tmp_path / "model", "--json")
    assert (told.code, told.out, told.error["type"]) == (5, "", "ModelFileError")


def test_no_model_exits_with_5_whatever_is_asked(run, tmp_path):
    for words in (
        ("model", "verify", tmp_path),
        ("recommend", "--model", tmp_path, "--user", "1"),
        ("similar", "--model", tmp_path, "Heat"),
        ("search", "--model", tmp_path, "Heat"),
        ("evaluate", "--model", tmp_path),
    ):
        done = run(*words)
        assert (done.code, done.out) == (5, "")
        assert "no model at" in done.err


def test_users_features_do_not_get_in_the_way(run, models, tmp_path):
    mt.save_model(models["seed"], tmp_path / "model")
    assert run("model", "verify", tmp_path / "model").code == 0


def test_a_manifest_that_makes_no_sense_exits_with_5_in_one_line(run, model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    reseal(tmp_path / "model", seed=-1)
    done = run("model", "verify", tmp_path / "model")
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith(
        f"error: {tmp_path / 'model' / 'manifest.json'}: seed = -1; expected"
    )
    assert done.err.count("\n") == 1
