import pytest

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from matinee.recipe import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_recipes_load(name):
    assert isinstance(mt.load_recipe(name), mt.Recipe)


def test_the_seed_recipe_is_the_seed_programs_hyperparameters():
    recipe = mt.load_recipe("seed")
    assert recipe == mt.Recipe(exclude_seen=False, candidates=10)
    assert (recipe.retrieval.embedding_size, recipe.ranking.embedding_size) == (32, 32)
    assert (recipe.retrieval.epochs, recipe.retrieval.batch_size) == (3, 4096)
    assert (recipe.retrieval.optimizer, recipe.retrieval.learning_rate) == ("adagrad", 0.1)
    assert (recipe.retrieval.loss, recipe.retrieval.reduction) == ("in-batch", "sum")
    assert recipe.ranking.hidden == (256, 64)


def test_the_default_recipe_regularizes_has_biases_and_leaves_seen_films_out():
    recipe = mt.load_recipe("default")
    assert recipe.exclude_seen
    assert recipe.ranking.biases
    assert recipe.retrieval.l2 > 0


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("candidates = 50\n[retrieval]\nl2 = 1\n[ranking]\nhidden = [8]\n")
    recipe = mt.load_recipe(str(path))
    assert recipe.candidates == 50
    assert recipe.retrieval == mt.RetrievalConfig(l2=1.0)
    assert recipe.ranking == mt.RankingConfig(hidden=(8,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("candidate = 5", "unknown setting 'candidate'.*candidates"),
        ("[retrieval]\nembeding_size = 5", r"'embeding_size' in .*retrieval.*embedding_size"),
        ("candidates = 0", "candidates = 0; expected at least 1"),
        ("candidates = true", "candidates = True; expected int"),
        ("candidates = 1.5", "candidates = 1.5; expected int"),
        ("exclude_seen = 1", "exclude_seen = 1; expected bool"),
        ("retrieval = 3", "retrieval = 3; expected a table"),
        ('[retrieval]\nl2 = "much"', "l2 = 'much'; expected float"),
        ("[retrieval]\nepochs = 0", "retrieval.epochs = 0; expected 1 … "),
        ("[ranking]\nhidden = 8", "hidden = 8; expected a list"),
        ('[ranking]\nhidden = ["a"]', "hidden = 'a'; expected int"),
        ("candidates = [\n1 2]", r"mine\.toml is not TOML.*line 2"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        mt.load_recipe(str(path))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'fancy'; expected default or seed, or .*\.toml"):
        mt.load_recipe("fancy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"no file .*nowhere\.toml"):
        mt.load_recipe(str(tmp_path / "nowhere.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="TOML"):
        mt.load_recipe(str(tmp_path / "binary.toml"))


def test_its_dictionary_makes_it_again(recipe_files):
    from matinee.config import build

    recipe = mt.load_recipe(str(recipe_files["default"]))
    assert build(mt.Recipe, recipe.to_dict(), "recipe") == recipe
