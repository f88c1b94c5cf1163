import pytest
from hypothesis import given
from hypothesis import strategies as st

import matinee as mt
from matinee.errors import ConfigError, NotFoundError
from matinee.ranking.bias import BiasConfig
from matinee.recipe import RECIPES, Tuning, complete, recipe_of, save_recipe
from matinee.retrieval.ease import EaseConfig
from matinee.retrieval.popularity import PopularityConfig
from matinee.stages import RANKERS, RETRIEVERS

TUNING = Tuning(30, "ndcg@10", 0.4375, "100k", "seed", 42)


def model_of(config, stages):
    return next((name for name, s in stages.items() if s.config is type(config)), None)


@pytest.mark.parametrize(
    ("name", "retriever", "ranker"),
    [
        ("default", "blend", "fm"),
        ("seed", "two-tower", "two-tower"),
        ("two-tower", "two-tower", None),
        ("two-tower-ranking", None, "two-tower"),
        ("blend", "blend", None),
        ("popularity", "popularity", None),
        ("popularity-recent", "popularity", None),
        ("item-knn", "item-knn", None),
        ("ease", "ease", None),
        ("ials", "ials", None),
        ("bias", None, "bias"),
        ("mf", None, "mf"),
        ("fm", None, "fm"),
        ("lists", "blend", "fm"),
    ],
)
def test_shipped_recipes_name_their_models(name, retriever, ranker):
    recipe = mt.load_recipe(name)
    assert name in RECIPES
    assert model_of(recipe.retrieval, RETRIEVERS) == retriever
    assert model_of(recipe.ranking, RANKERS) == ranker


def test_the_seed_recipe_is_the_seed_programs_hyperparameters():
    recipe = mt.load_recipe("seed")
    assert recipe == mt.Recipe(False, 10, "stars", mt.RetrievalConfig(), mt.RankingConfig())
    assert (recipe.retrieval.embedding_size, recipe.ranking.embedding_size) == (32, 32)
    assert (recipe.retrieval.epochs, recipe.retrieval.batch_size) == (3, 4096)
    assert (recipe.retrieval.optimizer, recipe.retrieval.learning_rate) == ("adagrad", 0.1)
    assert (recipe.retrieval.loss, recipe.retrieval.reduction) == ("in-batch", "sum")
    assert recipe.ranking.hidden == (256, 64)


def test_the_default_recipe_leaves_seen_films_out():
    assert mt.load_recipe("default").exclude_seen


def test_the_two_tower_recipes_regularize_and_have_biases():
    assert mt.load_recipe("two-tower").retrieval.l2 > 0
    assert mt.load_recipe("two-tower").retrieval.film_bias
    assert mt.load_recipe("two-tower-ranking").ranking.biases


def test_recipes_of_one_model_have_the_settings_of_the_shipped_ones():
    assert mt.load_recipe("blend").retrieval == mt.load_recipe("default").retrieval
    assert mt.load_recipe("fm").ranking == mt.load_recipe("default").ranking
    assert mt.load_recipe("popularity").retrieval.window_days is None
    assert mt.load_recipe("popularity-recent").retrieval.window_days > 0
    for name in ("blend", "item-knn", "ease", "ials"):
        assert mt.load_recipe(name).retrieval == RETRIEVERS[name].config()
    for name in ("bias", "mf", "fm"):
        assert mt.load_recipe(name).ranking == RANKERS[name].config()


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_ones_own(tmp_path):
    text = "candidates = 50\n[retrieval]\nl2 = 1\n[ranking]\nhidden = [8]\n"
    recipe = mt.load_recipe(str(write(tmp_path, text)))
    assert recipe.candidates == 50
    assert recipe.retrieval == mt.RetrievalConfig(l2=1.0)
    assert recipe.ranking == mt.RankingConfig(hidden=(8,))


def test_a_file_may_name_its_models(tmp_path):
    text = '[retrieval]\nmodel = "ease"\nl2 = 7\n[ranking]\nmodel = "bias"\n'
    assert mt.load_recipe(write(tmp_path, text)) == mt.Recipe(
        retrieval=EaseConfig(7.0), ranking=BiasConfig()
    )
    text = '[retrieval]\nmodel = "popularity"\nwindow_days = 30\n'
    recipe = mt.load_recipe(write(tmp_path, text))
    assert recipe == mt.Recipe(retrieval=PopularityConfig(30.0))
    assert recipe.ranking is None


def test_a_stage_that_is_left_open_is_completed_by_the_default():
    default, ease = mt.load_recipe("default"), mt.load_recipe("ease")
    assert complete(ease).retrieval == ease.retrieval
    assert complete(ease).ranking == default.ranking
    assert complete(mt.Recipe(candidates=7)) == mt.Recipe(
        True, 7, "list", default.retrieval, default.ranking, default.tuning
    )
    assert complete(default) == default


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
        ('[retrieval]\nmodel = "eas"', r"retrieval\.model = 'eas'; expected one of .*mean ease\?"),
        ('[retrieval]\nmodel = "mf"', r"'mf'; expected one of two-tower, blend, popularity"),
        ("[ranking]\nmodel = 3", "model = 3; expected one of two-tower, bias, mf"),
        ('[retrieval]\nmodel = "ease"\nepochs = 3', r"'epochs' in .*retrieval; .*valid: l2$"),
        ('[retrieval]\nmodel = "ease"\nl2 = 0', "ease.l2 = 0.0; expected above 0"),
        ('[retrieval]\nmodel = "popularity"\nwindow_days = "x"', "'x'; expected float"),
        ('[retrieval]\nmodel = "popularity"\nwindow_days = true', "True; expected float"),
        ("tuning = 3", "tuning = 3; expected a table"),
        ("[tuning]\ntrials = 3", "tuning = 'trials'; expected tables retrieval and ranking"),
        ("[tuning.retrieval]\ntrials = 3", "expected metric among them"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(tmp_path, text, message):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        mt.load_recipe(write(tmp_path, text))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'fancy'; expected one of default, seed, .*\.toml"):
        mt.load_recipe("fancy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"no file .*nowhere\.toml"):
        mt.load_recipe(str(tmp_path / "nowhere.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="TOML"):
        mt.load_recipe(str(tmp_path / "binary.toml"))


@pytest.mark.parametrize("name", RECIPES)
def test_its_dictionary_and_its_file_make_it_again(name, tmp_path):
    recipe = mt.load_recipe(name)
    assert recipe_of(recipe.to_dict(), "recipe") == recipe
    save_recipe(recipe, tmp_path / "again.toml", "As shipped.")
    assert (tmp_path / "again.toml").read_text().startswith("# As shipped.\nexclude_seen = ")
    assert mt.load_recipe(tmp_path / "again.toml") == recipe


@given(st.floats(min_value=1e-300, max_value=1e300), st.text(), st.integers(1, 10**9))
def test_any_numbers_and_text_come_back_from_a_file(tmp_path_factory, l2, data, trials):
    tuning = Tuning(trials, "ndcg@10", l2, data, "seed", 0)
    recipe = mt.Recipe(retrieval=EaseConfig(l2), tuning={"retrieval": tuning, "ranking": TUNING})
    path = tmp_path_factory.mktemp("any") / "recipe.toml"
    save_recipe(recipe, path)
    assert mt.load_recipe(path) == recipe


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "recipe.toml"
    save_recipe(mt.load_recipe("ease"), path)
    before = path.read_bytes()

    def failing(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "write_text", failing)
    with pytest.raises(OSError, match="disk full"):
        save_recipe(mt.load_recipe("mf"), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["recipe.toml"]
