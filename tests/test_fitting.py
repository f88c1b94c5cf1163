"""Recipes become models; one with a list ranker is saved, served and refused as a whole."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError, DataError
from matinee.fitting import fit_recipe
from matinee.ranking.lists.config import ListConfig
from matinee.ranking.lists.ranker import LambdaListRanker
from matinee.recipe import recipe_of
from tests.artifacts.checks import assert_refused, reseal
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS
from tests.fresh import run_python

RECIPE = mt.Recipe(
    candidates=30,
    retrieval=RETRIEVER_CONFIGS["ials"],
    ranking=RANKER_CONFIGS["bias"],
    list=ListConfig(candidates=30, hidden=8, members=2, epochs=5, vector_size=8),
)


@pytest.fixture(scope="module")
def model(world):
    return mt.train_model(*world, RECIPE, protocol="time", seed=7)


@pytest.fixture(scope="module")
def directory(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("list-model") / "model"
    mt.save_model(model, path)
    return path


def lists_of(recommender):
    users = recommender.train.users.ids(np.arange(5))
    lists = recommender.recommend_many(users, 8)
    lists.append(recommender.recommend(history={recommender.catalog.items.id(3): 5}))
    return [[film.movie_id for film in films] for films in lists]


def test_the_list_is_in_the_order_of_the_list_ranker(model):
    recommender = model.recommender
    assert isinstance(recommender.list_ranker, LambdaListRanker)
    queries = [mt.Query(user) for user in range(4)]
    seen = [recommender.seen(user) for user in range(4)]
    found = recommender.first_stage(queries, 30, seen)
    ranked = recommender.list_ranker.rank(queries, found)
    assert (recommender.retrieve(queries, 10, seen).items == ranked.items[:, :10]).all()
    assert (found.items[:, :10] != ranked.items[:, :10]).any()


def test_every_stage_that_has_losses_tells_them(world, split):
    _, losses = fit_recipe(RECIPE, split.train, world[1], 7)
    assert {name: len(values) for name, values in losses.items()} == {"retrieval": 4, "list": 5}


def test_one_stage_comes_as_it_is(world, split):
    found, losses = fit_recipe(mt.Recipe(ranking=RECIPE.ranking), split.train, world[1], 7)
    assert type(found).__name__ == "BiasRanker"
    assert losses == {}


@pytest.mark.parametrize("left_out", ["retrieval", "ranking"])
def test_a_list_ranker_needs_both_stages(world, left_out):
    with pytest.raises(ConfigError, match=rf"\[list\] without \[{left_out}\]"):
        fit_recipe(replace(RECIPE, **{left_out: None}), *world, 7)


def test_without_any_stage_or_times_it_is_refused(world):
    with pytest.raises(ConfigError, match=r"expected \[retrieval\], \[ranking\], or both"):
        fit_recipe(mt.Recipe(), *world, 7)
    timeless = replace(world[0], timestamp=None)
    with pytest.raises(DataError, match="expected some with times"):
        fit_recipe(RECIPE, timeless, world[1], 7)


def test_a_recipe_of_lists_goes_through_a_file():
    assert recipe_of(RECIPE.to_dict(), "mine") == RECIPE
    assert RECIPE.to_dict()["list"]["model"] == "lambda"
    shipped = mt.load_recipe("lists")
    assert shipped.list == ListConfig()
    default = mt.load_recipe("default")
    assert replace(shipped, list=None) == default
    with pytest.raises(ConfigError, match=r"mine\.list\.model = 'ease'; expected one of lambda"):
        recipe_of({"list": {"model": "ease"}}, "mine")


def test_a_fresh_process_makes_the_same_lists(model, directory):
    done = run_python(
        "import sys; import matinee as mt; from tests.test_fitting import lists_of;"
        "print(lists_of(mt.load_model(sys.argv[1]).recommender))",
        directory,
    )
    assert done.stdout.strip() == str(lists_of(model.recommender)), done.stderr


def test_diversity_is_a_recipes_own_and_comes_back(world, tmp_path):
    recipe = replace(RECIPE, list=None, diversity=0.5)
    made = mt.train_model(*world, recipe, protocol="all", seed=7)
    plain = made.recommender.recommend("7", diversity=0)
    assert made.recommender.recommend("7") == made.recommender.recommend("7", diversity=0.5)
    assert made.recommender.recommend("7") != plain
    mt.save_model(made, tmp_path / "model")
    loaded = mt.load_model(tmp_path / "model")
    assert loaded.recipe == recipe_of(recipe.to_dict(), "mine") == recipe
    assert lists_of(loaded.recommender) == lists_of(made.recommender)
    with pytest.raises(ConfigError, match="diversity = 2; expected a number from 0 to 1"):
        replace(recipe, diversity=2)


def test_a_model_whose_recipe_and_files_differ_is_refused(directory, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(directory, copy)
    recipe = {name: value for name, value in RECIPE.to_dict().items() if name != "list"}
    reseal(copy, recipe=recipe)
    assert_refused(copy, "recipe", "exactly where there is a file list.safetensors")


def test_an_altered_list_ranker_is_refused(directory, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(directory, copy)
    content = bytearray((copy / "list.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "list.safetensors").write_bytes(content)
    assert_refused(copy, "list.safetensors was altered")


def test_a_model_with_lists_may_be_replaced_by_one_without(model, directory, models, tmp_path):
    path = tmp_path / "model"
    shutil.copytree(directory, path)
    mt.save_model(models["default"], path)
    assert mt.load_model(path).recommender.list_ranker is None
    mt.save_model(model, path)
    loaded = mt.load_model(path).recommender.list_ranker
    for name, values in model.recommender.list_ranker.tensors().items():
        np.testing.assert_array_equal(loaded.tensors()[name], values)
