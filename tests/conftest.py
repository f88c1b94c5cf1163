"""What many tests share: the synthetic world, models trained on it once, and MovieLens 100K."""

import os
from pathlib import Path

import pytest

import matinee as mt
from tests import synthetic
from tests.everyone import fit_everyone

RECIPES = {
    # The shape of the seed's recipe: in-batch loss, no bias anywhere, seen films recommended.
    "seed": """
        exclude_seen = false
        candidates = 10
        order = "stars"
        [retrieval]
        embedding_size = 6
        epochs = 12
        batch_size = 256
        [ranking]
        embedding_size = 6
        hidden = [16, 8]
        epochs = 12
        batch_size = 256
    """,
    # The shape of the default recipe: every option switched on.
    "default": """
        exclude_seen = true
        candidates = 20
        [retrieval]
        embedding_size = 6
        epochs = 15
        batch_size = 256
        loss = "auto"
        mask_accidental_hits = true
        correct_popularity = true
        reduction = "mean"
        optimizer = "adam"
        learning_rate = 0.02
        temperature = 0.7
        film_bias = true
        l2 = 0.001
        unknown_rate = 0.05
        [ranking]
        embedding_size = 6
        hidden = [8]
        epochs = 15
        batch_size = 256
        optimizer = "adam"
        learning_rate = 0.01
        biases = true
        bias_l2 = 0.01
        l2 = 0.01
        dropout = 0.1
        unknown_rate = 0.05
        crosses = 1
        history = 8
        feature_size = 3
    """,
}


def pytest_configure(config):
    if os.environ.get("KERAS_BACKEND") == "tensorflow":
        # Keras reads TensorFlow's variables by an interface that NumPy 2 wants changed.
        config.addinivalue_line(
            "filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning"
        )


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch):
    """Eighty columns without colour, whatever terminal the tests run in."""
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(scope="session")
def world():
    """Ratings and catalogue of the synthetic world."""
    return synthetic.dataset()


@pytest.fixture(scope="session")
def ratings(world):
    return world[0]


@pytest.fixture(scope="session")
def catalog(world):
    return world[1]


@pytest.fixture(scope="session")
def split(ratings):
    return mt.make_split(ratings, "seed", 7)


@pytest.fixture(scope="session")
def csv_files(tmp_path_factory):
    """Paths of the synthetic world's ratings.csv and films.csv."""
    return synthetic.write_csv(tmp_path_factory.mktemp("csv"))


@pytest.fixture(scope="session")
def recipe_files(tmp_path_factory):
    """Path of a small recipe by the name of the recipe whose shape it has."""
    directory = tmp_path_factory.mktemp("recipes")
    for name, text in RECIPES.items():
        (directory / f"{name}.toml").write_text(text, encoding="utf-8")
    return {name: directory / f"{name}.toml" for name in RECIPES}


@pytest.fixture(scope="session")
def models(world, csv_files, recipe_files):
    """A small trained model by the name of the recipe whose shape it has."""
    source = {"source": str(csv_files[0]), "films": str(csv_files[1]), "on_bad_rows": "raise"}
    return {
        name: mt.train_model(*world, mt.load_recipe(str(path)), seed=7, source=source)
        for name, path in recipe_files.items()
    }


@pytest.fixture(scope="session")
def saved_model(models):
    """The small model of the default recipe's shape."""
    return models["default"]


@pytest.fixture(scope="session", params=list(RECIPES))
def any_model(request, models):
    """Each of the small models in turn."""
    return models[request.param]


@pytest.fixture(scope="session")
def everyone(models, split, catalog):
    """A trained retriever of every kind, and a ranker, by name: two dictionaries."""
    retrievers, rankers = fit_everyone(split.train, catalog)
    own = models["default"].recommender
    return {"two-tower": own.retriever, **retrievers}, {"two-tower": own.ranker, **rankers}


@pytest.fixture(scope="session")
def model_directories(models, tmp_path_factory):
    """Where each of the small models was saved; not to be changed."""
    root: Path = tmp_path_factory.mktemp("models")
    for name, model in models.items():
        mt.save_model(model, root / name)
    return {name: root / name for name in models}


@pytest.fixture(scope="session")
def movielens():
    """Ratings and catalogue of the real MovieLens 100K, from the cache or the network."""
    return mt.load_movielens("100k")
