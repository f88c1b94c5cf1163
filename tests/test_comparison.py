"""Models side by side: what is refused, and when; the rest is in `tests/cli/test_evaluate.py`."""

import pytest

import matinee as mt
from matinee.errors import ConfigError, LeakageError


@pytest.mark.parametrize(("protocol", "seeds"), [("time", (7,)), ("seed", (7, 8))])
def test_a_leak_is_found_before_anything_is_trained(
    ratings, catalog, model_directories, monkeypatch, protocol, seeds
):
    def trains(*_):
        pytest.fail("something was trained")

    monkeypatch.setattr("matinee.comparison.fit_recipe", trains)
    models = ["popularity", model_directories["seed"]]
    with pytest.raises(LeakageError, match=f"protocol {protocol}, seed {seeds[-1]}"):
        mt.compare(models, ratings, catalog, protocol=protocol, seeds=seeds)


def test_a_catalogue_of_other_films_is_refused(ratings):
    other = mt.Catalog.of_titles([1, 2], ["One", "Two"])
    with pytest.raises(ConfigError, match="same films"):
        mt.compare(["popularity"], ratings, other)


def test_models_are_told_apart_by_their_text(ratings, catalog, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[retrieval]\nmodel = "popularity"\n')
    found = mt.compare([path, "popularity"], ratings, catalog)
    assert list(found.evaluation.measured) == [str(path), "popularity"]
    with pytest.raises(ConfigError, match="each model once"):
        mt.compare([path, str(path)], ratings, catalog)
