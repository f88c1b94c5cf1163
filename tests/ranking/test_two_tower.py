"""MovieLensRanking and TwoTowerModel used the seed program's way."""

from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.ranking.fm.features import film_features
from matinee.towers.backend import keras, ops
from tests.recorded import recorded_orders

SMALL = mt.RankingConfig(embedding_size=4, hidden=(8, 4), epochs=2, batch_size=256)
OPTIONS = mt.RankingConfig(
    embedding_size=4,
    hidden=(8,),
    epochs=2,
    batch_size=256,
    biases=True,
    bias_l2=0.01,
    l2=0.01,
    dropout=0.2,
    unknown_rate=0.05,
)

BIASED = mt.RankingConfig(
    embedding_size=4, hidden=(8,), epochs=1, batch_size=256, biases=True, unknown_rate=0.0
)
RICH = replace(OPTIONS, crosses=2, history=6, feature_size=3)


def trained(train, movies, config=SMALL, seed=3, **options):
    model = mt.MovieLensRanking(train.users, movies, config=config, seed=seed)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    model.fit(train, verbose=0, **options)
    return model


def array(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module")
def model(split, catalog):
    return trained(split.train, catalog.items)


@pytest.fixture(scope="module")
def biased_model(split, catalog):
    return trained(split.train, catalog.items, OPTIONS)


@pytest.fixture(scope="module")
def rich_model(split, catalog):
    return mt.train_ranking(split.train, catalog, RICH, seed=3)


@pytest.mark.parametrize("which", ["model", "biased_model"])
def test_evaluate_gives_the_root_of_the_mean_squared_error(request, split, which):
    model, test = request.getfixturevalue(which), split.test
    measured = model.evaluate(test, return_dict=True, verbose=0)
    assert list(measured) == [
        "root_mean_squared_error",
        "loss",
        "regularization_loss",
        "total_loss",
    ]
    errors = array(model(test))[:, 0].astype(np.float64) - test.rating
    rmse = np.sqrt((errors**2).mean())
    assert measured["root_mean_squared_error"] == pytest.approx(rmse, rel=1e-5)
    assert measured["loss"] == pytest.approx(rmse**2, rel=1e-4)
    total = measured["loss"] + measured["regularization_loss"]
    assert measured["total_loss"] == pytest.approx(total, rel=1e-6)
    assert (measured["regularization_loss"] > 0) == (which == "biased_model")
    assert model.evaluate(test, verbose=0) == pytest.approx(list(measured.values()))


def test_training_brings_the_error_down(split, catalog):
    model = mt.MovieLensRanking(split.train.users, catalog.items, config=SMALL, seed=3)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    before = model.evaluate(split.train, return_dict=True, verbose=0)
    history = model.fit(split.train, epochs=6, verbose=0)
    after = model.evaluate(split.train, return_dict=True, verbose=0)
    assert after["root_mean_squared_error"] < before["root_mean_squared_error"] - 0.5
    assert len(history.history["root_mean_squared_error"]) == 6


@pytest.mark.parametrize("which", ["model", "biased_model"])
def test_ids_a_pair_and_numbers_all_ask_the_same(request, which):
    model = request.getfixturevalue(which)
    by_id = array(model({"user_id": ["1", "2", "zz"], "movie_id": [3, 4, 5]}))
    by_array = array(
        model({"user_id": np.array(["1", "2", "zz"]), "movie_id": np.array([3, 4, 5])})
    )
    by_pair = array(model.ranking_model((["1", "2", "zz"], ["3", "4", "5"])))
    by_number = array(
        model(
            {
                "user_index": np.array([0, 1, 120], np.int32),
                "movie_index": np.array([2, 3, 4], np.int32),
            }
        )
    )
    assert by_id.shape == (3, 1)
    for other in (by_array, by_pair, by_number):
        np.testing.assert_array_equal(by_id, other)


def test_validation_ratings_are_measured_after_each_epoch(split, catalog):
    model = mt.MovieLensRanking(split.train.users, catalog.items, config=SMALL, seed=3)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    history = model.fit(split.train, validation_data=split.test, epochs=2, verbose=0).history
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    for name, value in measured.items():
        assert len(history[f"val_{name}"]) == 2
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-2)


def test_validation_does_not_change_the_training(model, split, catalog):
    watched = trained(split.train, catalog.items, validation_data=split.test)
    tables = [array(m.ranking_model.user_embeddings.table.value) for m in (model, watched)]
    np.testing.assert_allclose(*tables, atol=1e-5)


@pytest.mark.parametrize("which", ["model", "biased_model"])
@pytest.mark.parametrize("batch_size", [None, 100])
def test_predicts_each_row_of_ratings_and_of_ids(request, split, which, batch_size):
    model, test = request.getfixturevalue(which), split.test
    stars = model.predict(test, verbose=0, batch_size=batch_size)
    assert stars.shape == (len(test), 1)
    np.testing.assert_allclose(stars, array(model(test)), atol=1e-5)
    by_id = {
        "user_id": test.users.ids(test.user_index),
        "movie_id": test.items.ids(test.item_index),
    }
    np.testing.assert_array_equal(model.predict(by_id, verbose=0, batch_size=batch_size), stars)


def test_the_stars_of_a_list_are_those_of_its_films(model):
    stars = model.stars("7", ["3", "90", "1"])
    assert (stars.shape, stars.dtype) == ((3,), np.float32)
    pairs = {"user_id": ["7"] * 3, "movie_id": ["3", "90", "1"]}
    np.testing.assert_array_equal(stars, array(model(pairs))[:, 0])


def test_a_second_fit_goes_on_with_another_order(split, catalog, monkeypatch):
    orders = recorded_orders(monkeypatch)
    model = trained(split.train, catalog.items, epochs=1)
    before = array(model.ranking_model.user_embeddings.table.value).copy()
    model.fit(split.train, epochs=1, verbose=0)
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(before, array(model.ranking_model.user_embeddings.table.value))
    again = trained(split.train, catalog.items, epochs=1)
    again.fit(split.train, epochs=1, verbose=0)
    assert [order.tolist() for order in orders[:2]] == [order.tolist() for order in orders[2:]]
    tables = [array(m.ranking_model.user_embeddings.table.value) for m in (model, again)]
    np.testing.assert_allclose(*tables, atol=1e-5)


@pytest.mark.parametrize("config", [replace(SMALL, unknown_rate=0.0), BIASED], ids=["seed", "bias"])
def test_where_nobody_is_hidden_unknown_is_the_mean_of_those_who_rated(split, catalog, config):
    train = split.train.take(split.train.user_index != 5)
    towers = trained(train, catalog.items, config).ranking_model
    users = np.bincount(train.user_index, minlength=len(train.users)) > 0
    films = train.item_counts() > 0
    tables = [(towers.user_embeddings, users), (towers.movie_embeddings, films)]
    if config.biases:
        tables += [(towers.user_bias, users), (towers.movie_bias, films)]
    for layer, rated in tables:
        table = array(layer.table.value)
        np.testing.assert_allclose(table[-1], table[:-1][rated].mean(axis=0), atol=1e-6)
        np.testing.assert_array_equal(table[:-1][~rated], table[[-1] * int((~rated).sum())])


def test_films_of_another_catalogue_are_refused(split):
    foreign = mt.Catalog.of_ids(mt.Vocabulary.of(range(1, 80), "movie"))
    for fit in (mt.fit_ranking, mt.train_ranking):
        with pytest.raises(ConfigError, match="expected the same films"):
            fit(split.train, foreign, SMALL, seed=1)


def test_fitting_gives_the_tables_of_the_trained_model(split, catalog):
    model = mt.train_ranking(split.train, catalog, OPTIONS, seed=1)
    assert isinstance(model, mt.MovieLensRanking)
    tables = [mt.fit_ranking(split.train, catalog, OPTIONS, seed=1).tensors()]
    tables.append(mt.ranker_of(model, split.train.scale).tensors())
    assert tables[0].keys() == tables[1].keys()
    for name, table in tables[0].items():
        np.testing.assert_allclose(table, tables[1][name], atol=1e-5)


def test_the_configuration_is_given_by_name(split, catalog):
    for kind in (mt.MovieLensRanking, mt.TwoTowerModel):
        with pytest.raises(TypeError, match="positional"):
            kind(split.train.users, catalog.items, SMALL)


def test_the_layers_are_those_of_the_seed_program(split, catalog):
    towers = mt.TwoTowerModel(split.train.users, catalog.items)
    shapes = [tuple(layer.kernel.shape) for layer in towers.ratings.layers]
    assert shapes == [(64, 256), (256, 64), (64, 1)]
    assert tuple(towers.user_embeddings.table.shape) == (121, 32)
    assert tuple(towers.movie_embeddings.table.shape) == (91, 32)


def test_with_biases_the_mean_is_that_of_the_training_stars(biased_model, split):
    assert float(array(biased_model.ranking_model.mean.value)) == pytest.approx(
        split.train.rating.mean(), rel=1e-5
    )


def test_whoever_has_no_training_rating_is_predicted_as_unknown(split, catalog):
    train = split.train.take(split.train.user_index != 5)
    for config in (SMALL, OPTIONS):
        model = trained(train, catalog.items, config)
        stars = array(model({"user_id": ["6", "nobody"], "movie_id": ["1", "1"]}))
        assert stars[0] == stars[1]


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="promised for JAX alone")
@pytest.mark.parametrize(
    ("which", "config"), [("model", SMALL), ("biased_model", OPTIONS), ("rich_model", RICH)]
)
def test_one_seed_gives_the_same_weights_bit_for_bit(request, split, catalog, which, config):
    first, again = (
        request.getfixturevalue(which),
        mt.train_ranking(split.train, catalog, config, seed=3),
    )
    for a, b in zip(first.weights, again.weights, strict=True):
        assert np.array_equal(array(a.value), array(b.value))


def test_another_seed_gives_other_weights(model, split, catalog):
    other = trained(split.train, catalog.items, seed=4)
    tables = [array(m.ranking_model.user_embeddings.table.value) for m in (model, other)]
    assert not np.allclose(*tables, atol=1e-3)


@pytest.mark.parametrize("which", ["model", "biased_model", "rich_model"])
def test_the_rankers_stars_are_those_of_the_keras_model(request, split, which):
    model = request.getfixturevalue(which)
    ranker = mt.ranker_of(model, (1.0, 5.0))
    users = np.array([0, 7, len(model.users)], np.int32)
    items = np.arange(len(model.movies) + 1, dtype=np.int32)
    queries = [mt.Query(user_index=0), mt.Query(user_index=7), mt.Query()]
    got = ranker.predict(queries, np.tile(items, (3, 1)))
    expected = array(
        model({"user_index": users.repeat(len(items)), "movie_index": np.tile(items, 3)})
    )
    np.testing.assert_allclose(got, np.clip(expected.reshape(3, -1), 1, 5), atol=1e-5)


def test_the_layers_are_as_wide_as_what_they_read(rich_model):
    # A user's and a film's id and features, 4 + 3 each, and 4 + 1 numbers of the history.
    towers = rich_model.ranking_model
    assert tuple(towers.crosses.kernels.shape) == (2, 19, 19)
    assert [tuple(la.kernel.shape) for la in towers.ratings.layers if hasattr(la, "kernel")] == [
        (19, 8),
        (8, 1),
    ]


def test_the_history_is_what_a_user_rated_last(rich_model, split):
    train, attention = split.train, rich_model.ranking_model.attention
    own = np.flatnonzero(train.user_index == 7)[::-1][: RICH.history]
    assert array(attention.films.value)[7].tolist() == train.item_index[own].tolist()
    assert array(attention.stars.value)[7].tolist() == train.rating[own].tolist()


def test_a_rating_says_nothing_of_itself_and_something_of_the_others(rich_model, split):
    attention = rich_model.ranking_model.attention
    films, stars = (array(table.value).copy() for table in (attention.films, attention.stars))
    itself, other = films[7, :2].astype(np.int32)
    pairs = {"user_index": np.full(2, 7, np.int32), "movie_index": np.array([itself, other])}
    before = array(rich_model(pairs))[:, 0]
    changed = stars.copy()
    changed[7, 0] = 6 - changed[7, 0] if changed[7, 0] != 3 else 5
    attention.read(films, changed)
    after = array(rich_model(pairs))[:, 0]
    attention.read(films, stars)
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_training_hides_who_somebody_is_and_still_tells_what_they_rated(rich_model, model, split):
    columns = rich_model.encode_all(split.test)
    np.testing.assert_array_equal(columns["user_row"], columns["user_index"])
    assert set(rich_model.unknown()) == {"user_index", "movie_index", "user_row"}
    assert set(model.unknown()) == {"user_index", "movie_index"}
    hidden = columns | {"user_index": np.full(len(split.test), len(model.users), np.int32)}
    nobody = hidden | {"user_row": hidden["user_index"]}
    stars = [array(rich_model(asked))[:, 0] for asked in (columns, hidden, nobody)]
    assert not np.allclose(stars[0], stars[1], atol=1e-3)
    assert not np.allclose(stars[1], stars[2], atol=1e-3)


def test_films_without_a_rating_differ_by_their_features(split, catalog):
    unrated = np.array([3, 40, 77], np.int32)
    train = split.train.take(~np.isin(split.train.item_index, unrated))
    config = replace(OPTIONS, feature_size=3)
    ranker = mt.fit_ranking(train, catalog, config, seed=3)
    stars = ranker.predict([mt.Query(user_index=5)], unrated[None])[0]
    alike = film_features(catalog)[unrated]
    assert len(np.unique(stars.round(5))) == len(np.unique(alike, axis=0)) > 1


@pytest.mark.parametrize("sides", [None, (np.zeros((3, 1)), np.zeros((90, 2)))])
def test_settings_that_read_features_ask_for_them(split, catalog, sides):
    with pytest.raises(ConfigError, match=r"feature_size = 3.*expected those of \[120, 90\]"):
        mt.MovieLensRanking(split.train.users, catalog.items, config=RICH, sides=sides)


def test_stars_that_are_missing_are_asked_for(split, catalog):
    model = mt.MovieLensRanking(split.train.users, catalog.items, config=SMALL)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    with pytest.raises(ConfigError, match="user_rating"):
        model.fit({"user_id": ["1"], "movie_id": ["1"]}, verbose=0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("embedding_size", 0),
        ("epochs", 0),
        ("batch_size", -1),
        ("hidden", (8, 0)),
        ("learning_rate", 0.0),
        ("optimizer", "sgd"),
        ("l2", -1.0),
        ("bias_l2", -1.0),
        ("dropout", 1.0),
        ("unknown_rate", -0.1),
        ("crosses", -1),
        ("history", -1),
        ("feature_size", -1),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(setting, value):
    with pytest.raises(ConfigError, match=f"ranking.{setting}"):
        mt.RankingConfig(**{setting: value})
