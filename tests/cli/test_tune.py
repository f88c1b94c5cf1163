import json
import os
import signal
import subprocess
import sys

import pytest

import matinee as mt
from tests.fresh import run_matinee


def test_tells_the_best_settings_and_every_trial(run, data, tmp_path):
    out = tmp_path / "best.toml"
    done = run("tune", "bias", *data, "--trials", "3", "--out", out, "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["model"], told["out"]) == ("bias", str(out))
    assert told["study"] == str(tmp_path / "best.study.db")
    stage = told["stages"]["ranking"]
    assert (stage["model"], stage["metric"]) == ("bias", "rmse")
    assert [trial["number"] for trial in stage["trials"]] == [1, 2, 3]
    values = [trial["value"] for trial in stage["trials"]]
    assert stage["value"] == min(values)
    assert stage["settings"] == stage["trials"][values.index(min(values))]["settings"]
    ranking = mt.load_recipe(out).to_dict()["ranking"]
    assert ranking == {"model": "bias", **stage["settings"]}
    assert run("tune", "bias", *data, "--trials", "3", "--out", out, "--json").json == told


def test_shows_a_table_and_what_comes_next(run, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("tune", "ease", *data, "--trials", "2")
    assert done.code == 0
    assert "ease, best of 2 trials: ndcg@10 0." in done.out
    assert "l2" in done.out
    assert "retrieval, trial 1: ndcg@10 0." in done.err
    assert "next: matinee train --recipe tuned-ease.toml" in done.err
    assert {path.name for path in tmp_path.iterdir()} == {"tuned-ease.toml", "tuned-ease.study.db"}
    recipe = tmp_path / "mine.toml"
    both = (tmp_path / "tuned-ease.toml").read_text() + '[ranking]\nmodel = "bias"\n'
    recipe.write_text(both)
    assert run("train", *data, "--recipe", recipe, "--out", tmp_path / "model").code == 0
    assert mt.load_model(tmp_path / "model").recipe.tuning["retrieval"].trials == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fancy"], "model = 'fancy'; expected one of default, two-tower"),
        (["ease", "--protocol", "u9"], "protocol = 'u9'; expected one of"),
        (["ease", "--out", "best.json"], "expected a .toml file in a directory"),
        (["ease", "--trials", "0"], "--trials"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_loaded(run, words, message):
    done = run("tune", *words, "--data", "nowhere.csv")
    assert done.code == 2
    assert message in done.err


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_leaves_a_study_that_goes_on(csv_files, tmp_path):
    out = tmp_path / "best.toml"
    code = (
        "import time\n"
        "from matinee.tuning import measure as module\n"
        "evaluate, calls = module.evaluate_retriever, []\n"
        "def slowly(*arguments):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3:\n"
        "        print('third', flush=True)\n"
        "        time.sleep(60)\n"
        "    return evaluate(*arguments)\n"
        "module.evaluate_retriever = slowly\n"
        "from matinee.cli import main; main()"
    )
    words = ["tune", "ease", "--data", csv_files[0], "--trials", "4", "--out", out, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "third\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert f"the trials that ended are kept in {tmp_path / 'best.study.db'}; give the same" in err
    assert mt.load_recipe(out).tuning["retrieval"].trials == 2
    done = run_matinee(*words)
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)["stages"]["retrieval"]["trials"]
    assert [trial["error"] for trial in trials] == [None] * 4
