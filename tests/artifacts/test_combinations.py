"""Any retriever with any ranker: saved, loaded, and the same."""

import shutil
from dataclasses import replace
from itertools import product

import pytest
from safetensors.numpy import load_file, save_file

import matinee as mt
from matinee.stages import RANKERS, RETRIEVERS
from tests.artifacts.checks import EVERY_FILE, assert_refused, everybodys_top, reseal
from tests.everyone import RANKER_CONFIGS, RETRIEVER_CONFIGS
from tests.fresh import run_python

PAIRS = list(product(RETRIEVERS, RANKERS))


@pytest.fixture(scope="module")
def pairs(everyone, saved_model, tmp_path_factory):
    """A model of each pair, and where it was saved."""
    retrievers, rankers = everyone
    own, recipe = saved_model.recommender, saved_model.recipe
    made = {}
    for first, second in PAIRS:
        recommender = mt.Recommender(
            own.catalog, retrievers[first], rankers[second], own.train, candidates=10
        )
        settings = replace(
            recipe,
            candidates=10,
            retrieval=RETRIEVER_CONFIGS.get(first, recipe.retrieval),
            ranking=RANKER_CONFIGS.get(second, recipe.ranking),
        )
        model = replace(saved_model, recommender=recommender, recipe=settings)
        made[first, second] = model, tmp_path_factory.mktemp(f"{first}-{second}") / "model"
        mt.save_model(*made[first, second])
    return made


def test_a_fresh_process_gives_everybody_the_same_films_byte_for_byte(pairs):
    done = run_python(
        "import sys, hashlib; from pathlib import Path; import matinee as mt\n"
        "from tests.artifacts.checks import everybodys_top\n"
        "for path in sys.argv[1:]: print(everybodys_top(mt.load_model(path)).hex())\n"
        "assert not {'keras', 'jax', 'tensorflow'} & sys.modules.keys()",
        *(directory for _, directory in pairs.values()),
    )
    assert done.returncode == 0, done.stderr
    expected = [everybodys_top(model).hex() for model, _ in pairs.values()]
    assert done.stdout.split() == expected


def test_the_recipe_comes_back_and_names_the_models(pairs):
    for (first, second), (model, directory) in pairs.items():
        loaded = mt.load_model(directory)
        assert loaded.recipe == model.recipe
        named = loaded.recipe.to_dict()
        assert (named["retrieval"]["model"], named["ranking"]["model"]) == (first, second)
        assert loaded.recommender.retriever.source == first
        films = loaded.recommender.recommend(user="7", k=3)
        assert [film.source for film in films] == [first] * 3


def test_nothing_is_written_but_tables_and_tensors(pairs):
    for _, directory in pairs.values():
        assert sorted(path.name for path in directory.iterdir()) == sorted(EVERY_FILE)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_one_models_tensors_under_anothers_name_are_refused(pairs, tmp_path, first, second):
    _, directory = pairs[first, second]
    for file, others in (
        ("retrieval.safetensors", [pairs[name, second] for name in RETRIEVERS if name != first]),
        ("ranking.safetensors", [pairs[first, name] for name in RANKERS if name != second]),
    ):
        for number, (_, other) in enumerate(others):
            copy = shutil.copytree(directory, tmp_path / f"{file}-{number}")
            shutil.copy(other / file, copy)
            reseal(copy)
            assert_refused(copy, file, "expected")


def test_tensors_of_other_shapes_are_refused_though_the_hashes_fit(pairs, tmp_path):
    for (first, second), (_, directory) in pairs.items():
        for file in ("retrieval.safetensors", "ranking.safetensors"):
            tensors = load_file(directory / file)
            for key in tensors:
                copy = shutil.copytree(directory, tmp_path / f"{first}-{second}-{file}-{key}")
                save_file(tensors | {key: tensors[key][None].repeat(2, axis=0)}, copy / file)
                reseal(copy)
                assert_refused(copy, file, key, "expected float32")


@pytest.mark.parametrize("wrong", [-5.0, 90.0, 1e6])
def test_neighbours_that_are_no_films_are_refused_though_the_hashes_fit(pairs, tmp_path, wrong):
    _, directory = pairs["item-knn", "bias"]
    copy = shutil.copytree(directory, tmp_path / "copy")
    tensors = load_file(copy / "retrieval.safetensors")
    tensors["neighbors"][3, 0] = wrong
    save_file(tensors, copy / "retrieval.safetensors")
    reseal(copy)
    assert_refused(copy, str(copy))
