"""Tuning looks at validation ratings alone, ends with a recipe, and survives kill -9."""

import random
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.cluster import LocalEngine
from matinee.errors import ConfigError, DataError
from matinee.tuning import measure
from matinee.tuning import tune as module
from matinee.tuning.tune import TUNABLE, tune
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS

METRICS = {"retrieval": "ndcg@10", "ranking": "rmse"}


def tuned(world, out, model="ease", **options):
    return tune(model, *world, out, data="made", **{"trials": 4, "seed": 7, **options})


@pytest.fixture(scope="module")
def ease(world, tmp_path_factory):
    out = tmp_path_factory.mktemp("ease") / "best.toml"
    return out, tuned(world, out)


def test_the_best_settings_are_a_recipe_that_says_how_they_were_found(ease):
    out, found = ease
    recipe, trials = mt.load_recipe(out), found.trials["retrieval"]
    assert recipe == found.recipe
    assert found.study == out.with_name("best.study.db")
    assert sorted(path.name for path in out.parent.iterdir()) == ["best.study.db", "best.toml"]
    best = max(trials, key=lambda trial: trial.value)
    assert recipe.retrieval.l2 == best.settings["l2"]
    assert trials[0].settings == {"l2": 400.0}
    tuning = recipe.tuning["retrieval"]
    assert (tuning.trials, tuning.metric, tuning.value) == (4, "ndcg@10", best.value)
    assert (tuning.data, tuning.protocol, tuning.seed) == ("made", "seed", 7)
    assert recipe.ranking is None


def test_a_trials_value_is_that_of_the_evaluator_on_validation_ratings(ease, ratings, catalog):
    _, found = ease
    split = mt.make_split(ratings, "seed", 7, validation=0.1)
    model = module.RETRIEVERS["ease"].fit(split.train, catalog, found.recipe.retrieval, 7).model
    expected = mt.evaluate_retriever(model, split.train, split.validation)["ndcg@10"]
    assert found.recipe.tuning["retrieval"].value == expected


def test_test_ratings_are_never_looked_at(world, tmp_path, ease, monkeypatch):
    ratings, _ = world
    make_split = module.make_split

    def without_test(*arguments, **options):
        split = make_split(*arguments, **options)
        return mt.Split("seed", split.train, split.validation, ratings.take(np.arange(0)))

    monkeypatch.setattr(module, "make_split", without_test)
    assert tuned(world, tmp_path / "best.toml").trials == ease[1].trials


def test_training_takes_what_tuning_wrote(ease, ratings, catalog):
    recipe = replace(mt.load_recipe(ease[0]), ranking=RANKER_CONFIGS["bias"])
    model = mt.train_model(ratings, catalog, recipe, seed=7)
    assert model.recipe.retrieval == recipe.retrieval
    assert model.recipe.tuning == recipe.tuning


def test_more_trials_go_on_from_those_that_are_there(world, ease, tmp_path):
    out = tmp_path / "best.toml"
    first = tuned(world, out, trials=2)
    assert first.trials["retrieval"] == ease[1].trials["retrieval"][:2]
    assert first.recipe.tuning["retrieval"].trials == 2
    assert tuned(world, out, trials=4).trials == ease[1].trials
    out.unlink()
    assert tuned(world, out, trials=1).trials == ease[1].trials
    assert mt.load_recipe(out) == ease[1].recipe


def test_both_stages_are_tuned_one_after_the_other(world, tmp_path, monkeypatch):
    shipped = mt.load_recipe("default")
    small = mt.Recipe(retrieval=RETRIEVER_CONFIGS["ease"], ranking=RANKER_CONFIGS["bias"])
    monkeypatch.setattr(module, "load_recipe", lambda name: small)
    found = tuned(world, tmp_path / "best.toml", "default", trials=3)
    assert shipped.ranking is not None
    assert {stage: len(trials) for stage, trials in found.trials.items()} == dict.fromkeys(
        METRICS, 3
    )
    recipe = mt.load_recipe(tmp_path / "best.toml")
    assert {stage: tuning.metric for stage, tuning in recipe.tuning.items()} == METRICS
    values = [trial.value for trial in found.trials["ranking"]]
    assert recipe.tuning["ranking"].value == min(values)
    best = found.trials["ranking"][values.index(min(values))]
    assert {name: getattr(recipe.ranking, name) for name in best.settings} == best.settings


@pytest.mark.parametrize("model", sorted(set(TUNABLE) - {"default", "ease"}))
def test_every_model_can_be_tuned(world, tmp_path, model):
    found = tuned(world, tmp_path / "best.toml", model, trials=1)
    (trials,) = found.trials.values()
    assert trials[0].error is None
    assert mt.load_recipe(tmp_path / "best.toml") == found.recipe
    stage = next(iter(found.trials))
    assert getattr(found.recipe, stage) == getattr(mt.load_recipe(model), stage)


def failing_at(monkeypatch, places, error):
    """Make some of the models' fits fail; the others go on."""
    evaluate, calls = measure.evaluate_retriever, []

    def evaluated(*arguments):
        calls.append(1)
        if len(calls) in places:
            raise error
        return evaluate(*arguments)

    monkeypatch.setattr(measure, "evaluate_retriever", evaluated)


def test_a_trial_that_fails_is_recorded_and_the_rest_goes_on(world, tmp_path, monkeypatch, capsys):
    failing_at(monkeypatch, {1, 3}, ValueError("too\n wild " + "x" * 1000))
    found = tuned(world, tmp_path / "best.toml")
    trials = found.trials["retrieval"]
    assert [trial.value is None for trial in trials] == [True, False, True, False]
    assert trials[0].error.startswith("ValueError: too wild x")
    assert len(trials[0].error) == 300
    assert found.recipe.tuning["retrieval"].trials == 4
    assert "trial 1 failed: ValueError: too wild" in capsys.readouterr().err


def test_models_that_diverge_fail(world, tmp_path, monkeypatch):
    fit = module.RETRIEVERS["ease"].fit

    class Diverging:
        fitted = 0

    def diverging(*arguments):
        Diverging.fitted += 1
        done = fit(*arguments)
        if Diverging.fitted == 2:
            done.model.tensors()["weights"][3, 4] = np.nan
        return done

    stage = module.RETRIEVERS["ease"]
    monkeypatch.setitem(module.RETRIEVERS, "ease", replace(stage, fit=diverging))
    trials = tuned(world, tmp_path / "best.toml").trials["retrieval"]
    assert [trial.number for trial in trials if trial.value is None] == [2]
    assert "weights has numbers that are not finite" in trials[1].error


def test_if_every_trial_fails_there_is_no_recipe(world, tmp_path, monkeypatch):
    failing_at(monkeypatch, range(100), ValueError("too wild"))
    with pytest.raises(DataError, match="none of 4 trials could be measured; the last: ValueError"):
        tuned(world, tmp_path / "best.toml")
    assert not (tmp_path / "best.toml").exists()


def test_ctrl_c_in_the_middle_loses_no_trial(world, tmp_path, monkeypatch, ease):
    out = tmp_path / "best.toml"
    with monkeypatch.context() as patch:
        failing_at(patch, {3}, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            tuned(world, out)
    assert mt.load_recipe(out).tuning["retrieval"].trials == 2
    assert tuned(world, out).trials == ease[1].trials


class Backwards(LocalEngine):
    """Ends what was begun last first."""

    def map(self, function, shared, tasks):
        return super().map(function, shared, dict(reversed(tasks.items())))


def test_trials_of_a_wave_may_end_in_any_order(world, tmp_path):
    whole = tuned(world, tmp_path / "whole.toml", trials=14, at_once=4)
    again = tuned(world, tmp_path / "again.toml", trials=14, at_once=4, engine=Backwards())
    assert again.trials == whole.trials
    assert again.recipe == whole.recipe
    one_by_one = tuned(world, tmp_path / "one.toml", trials=14)
    settings = [trial.settings for trial in whole.trials["retrieval"]]
    assert settings != [trial.settings for trial in one_by_one.trials["retrieval"]]
    assert len({str(own) for own in settings}) == 14


@pytest.mark.parametrize("engine", [LocalEngine(), Backwards()])
def test_a_wave_that_was_cut_off_is_completed(world, tmp_path, monkeypatch, engine):
    whole = tuned(world, tmp_path / "whole.toml", trials=14, at_once=4)
    out = tmp_path / "cut.toml"
    for place in (3, 6, 2):
        with monkeypatch.context() as patch:
            failing_at(patch, {place}, KeyboardInterrupt())
            with pytest.raises(KeyboardInterrupt):
                tuned(world, out, trials=14, at_once=4, engine=engine)
    assert tuned(world, out, trials=14, at_once=4).trials == whole.trials


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"at_once": 2}, "begun with trials at once 1"),
        ({"seed": 8}, "begun with seed 7"),
        ({"protocol": "time"}, "begun with protocol seed"),
        ({"model": "item-knn"}, "begun with model ease"),
    ],
)
def test_a_study_of_something_else_is_refused(world, tmp_path, options, word):
    out = tmp_path / "best.toml"
    tuned(world, out, trials=1)
    before = out.read_bytes()
    with pytest.raises(ConfigError, match=word):
        tuned(world, out, **options)
    fewer = world[0].take(np.arange(2000)), world[1]
    with pytest.raises(ConfigError, match=r"begun with training ratings [0-9a-f]+; now asked"):
        tuned(fewer, out)
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("model", "out", "options", "word"),
    [
        ("seed", "best.toml", {}, "model = 'seed'; expected one of default, two-tower"),
        ("popularity", "best.toml", {}, "model = 'popularity'; expected one of default"),
        ("ease", "best.json", {}, "expected a .toml file in a directory"),
        ("ease", "mine.toml/best.toml", {}, "expected a .toml file in a directory"),
        ("ease", "mine.toml", {}, "mine.toml exists, and no trials beside it"),
        ("ease", "best.toml", {"trials": 0}, "trials = 0; expected at least 1"),
        ("ease", "best.toml", {"protocol": "u1"}, "protocol u1 is defined by the 100,000"),
    ],
)
def test_what_cannot_be_tuned_is_refused_and_nothing_written(
    world, tmp_path, model, out, options, word
):
    (tmp_path / "mine.toml").write_text("candidates = 3\n")
    with pytest.raises((ConfigError, DataError), match=word):
        tuned(world, tmp_path / out, model, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


PROGRAM = """
import sys, time
from pathlib import Path
from matinee.tuning import measure, tune as module
from tests import synthetic
evaluate = measure.evaluate_retriever

def slowly(*arguments):
    print("measuring", flush=True)
    time.sleep(0.05)
    return evaluate(*arguments)

measure.evaluate_retriever = slowly
found = module.tune("ease", *synthetic.dataset(), Path(sys.argv[1]), trials=14, seed=7)
print("done")
"""


def test_killed_five_times_at_random_it_loses_no_trial(world, tmp_path):
    whole = tuned(world, tmp_path / "whole.toml", trials=14)
    chance, out = random.Random(5), tmp_path / "cut.toml"
    begun = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, out], stdout=subprocess.PIPE, text=True
        )
        for _ in range(chance.randint(1, 3)):
            begun += process.stdout.readline() == "measuring\n"
        time.sleep(chance.uniform(0, 0.12))
        process.kill()
        process.communicate(timeout=60)
    assert begun >= 5
    after = tuned(world, out, trials=14)
    assert after.trials == whole.trials
    assert mt.load_recipe(out).retrieval == mt.load_recipe(tmp_path / "whole.toml").retrieval
