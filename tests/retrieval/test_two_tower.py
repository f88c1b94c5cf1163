"""MovieLensRetrieval used the seed program's way: compile, fit, evaluate."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.towers.backend import keras, ops
from tests.recorded import recorded_orders

KS = (1, 5, 10, 50, 100)
SMALL = mt.RetrievalConfig(embedding_size=4, epochs=2, batch_size=256, unknown_rate=0.05)
OPTIONS = mt.RetrievalConfig(
    embedding_size=4,
    epochs=2,
    batch_size=256,
    loss="full",
    film_bias=True,
    l2=0.01,
    temperature=0.5,
    reduction="mean",
)


def trained(train, movies, config=SMALL, seed=3, **options):
    model = mt.MovieLensRetrieval(train.users, movies, config=config, seed=seed)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    history = model.fit(train, verbose=0, **options)
    return model, history


def array(tensor):
    return ops.convert_to_numpy(tensor)


def weights_of(model):
    return [array(variable.value) for variable in model.weights]


@pytest.fixture(scope="module")
def model(split, catalog):
    return trained(split.train, catalog.items)[0]


@pytest.fixture(scope="module")
def full_model(split, catalog):
    return trained(split.train, catalog.items, OPTIONS)[0]


def test_evaluate_names_the_accuracies_of_the_seed_program_and_then_the_losses(model, split):
    names = [f"factorized_top_k/top_{k}_categorical_accuracy" for k in KS]
    names += ["loss", "regularization_loss", "total_loss"]
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    assert list(measured) == names
    assert all(np.isfinite(value) for value in measured.values())
    assert model.evaluate(split.test, verbose=0) == pytest.approx(list(measured.values()))


def test_the_losses_add_up(model, full_model, split):
    for trained_model, regularized in ((model, False), (full_model, True)):
        measured = trained_model.evaluate(split.test, return_dict=True, verbose=0)
        total = measured["loss"] + measured["regularization_loss"]
        assert measured["total_loss"] == pytest.approx(total, rel=1e-6)
        assert (measured["regularization_loss"] > 0) == regularized


@pytest.fixture(scope="module")
def cold_model(split, catalog):
    """A temperature so low that the bias, which it does not divide, must not be scaled too."""
    config = replace(OPTIONS, temperature=0.1, loss="in-batch", optimizer="adam")
    return trained(split.train, catalog.items, config)[0]


@pytest.mark.parametrize("which", ["model", "full_model", "cold_model"])
@pytest.mark.parametrize("batch_size", [None, 100])
def test_accuracy_is_what_counting_over_the_exported_tables_gives(
    request, split, which, batch_size
):
    model = request.getfixturevalue(which)
    retriever = mt.retriever_of(model, split.train.scale)
    scores = retriever.user_vectors[split.test.user_index] @ retriever.index.vectors.T
    scores += retriever.index.bias
    own = scores[np.arange(len(split.test)), split.test.item_index]
    ranks = (scores >= own[:, None]).sum(axis=1) - 1
    measured = model.evaluate(split.test, return_dict=True, verbose=0, batch_size=batch_size)
    for k in KS:
        got = measured[f"factorized_top_k/top_{k}_categorical_accuracy"]
        # Two products may round one tie apart.
        assert got == pytest.approx((ranks < k).mean(), abs=1.5 / len(ranks))


def test_training_lowers_the_loss_and_finds_more_films(split, catalog):
    model = mt.MovieLensRetrieval(split.train.users, catalog.items, config=SMALL, seed=3)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    name = "factorized_top_k/top_10_categorical_accuracy"
    before = model.evaluate(split.train, return_dict=True, verbose=0)
    history = model.fit(split.train, epochs=8, verbose=0)
    after = model.evaluate(split.train, return_dict=True, verbose=0)
    assert len(history.history["loss"]) == 8
    assert after["loss"] < before["loss"]
    assert after[name] > 1.5 * before[name]


def test_built_from_plain_ids_it_takes_dictionaries(split):
    users = [str(user) for user in range(1, 121)]
    movies = [str(movie) for movie in range(1, 91)]
    model = mt.MovieLensRetrieval(users, movies, config=SMALL)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    features = {"user_id": np.array(["1", "2", "3"]), "movie_id": np.array(["7", "8", "9"])}
    model.fit(features, epochs=1, verbose=0)
    vectors = model({"user_id": ["1", "nobody"], "movie_id": ["7", "no film"]})
    assert vectors["user"].shape == vectors["movie"].shape == (2, 4)
    np.testing.assert_array_equal(
        array(vectors["user"])[1], array(model.user_model.table.value)[-1]
    )
    np.testing.assert_array_equal(
        array(vectors["movie"])[1], array(model.movie_model.table.value)[-1]
    )


def test_the_defaults_are_those_of_the_seed_program(split, catalog):
    model = mt.MovieLensRetrieval(split.train.users, catalog.items)
    assert (model.config.embedding_size, model.config.epochs, model.config.batch_size) == (
        32,
        3,
        4096,
    )
    assert array(model.user_model.table.value).shape == (121, 32)
    assert array(model.movie_model.table.value).shape == (91, 32)


def test_the_unknown_rows_are_trained_only_where_unknowns_are_drawn(split, catalog):
    for rate, is_trained in ((0.0, False), (0.2, True)):
        config = mt.RetrievalConfig(embedding_size=4, epochs=1, batch_size=256, unknown_rate=rate)
        model = mt.MovieLensRetrieval(split.train.users, catalog.items, config=config, seed=3)
        before = [array(t.table.value)[-1].copy() for t in (model.user_model, model.movie_model)]
        model.compile(optimizer=keras.optimizers.Adagrad(0.1))
        model.fit(split.train, verbose=0)
        tables = [array(t.table.value) for t in (model.user_model, model.movie_model)]
        rated = [
            np.bincount(split.train.user_index, minlength=len(split.train.users)) > 0,
            split.train.item_counts() > 0,
        ]
        # Where nothing is hidden, the mean of the trained rows stands for the unknown one.
        means = [table[:-1][own].mean(axis=0) for table, own in zip(tables, rated, strict=True)]
        for start, table, mean in zip(before, tables, means, strict=True):
            assert not np.array_equal(start, table[-1])
            assert np.allclose(table[-1], mean, atol=1e-6) != is_trained


def test_whoever_has_no_training_rating_gets_the_unknown_row(split, catalog):
    train = split.train.take(split.train.user_index != 5)
    model, _ = trained(train, catalog.items)
    users = array(model.user_model.table.value)
    movies = array(model.movie_model.table.value)
    unrated = np.flatnonzero(train.item_counts() == 0)
    assert len(unrated)
    np.testing.assert_array_equal(users[5], users[-1])
    np.testing.assert_array_equal(movies[unrated], np.tile(movies[-1], (len(unrated), 1)))


def test_the_full_softmax_trains_a_film_that_nobody_rated(full_model, split):
    unrated = int(np.flatnonzero(split.train.item_counts() == 0)[0])
    bias = array(full_model.film_bias.value)
    assert bias[unrated] < np.median(bias)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mask_accidental_hits": True, "correct_popularity": True, "film_bias": True, "l2": 0.1},
        {"loss": "full", "reduction": "mean", "film_bias": True, "l2": 0.1},
    ],
    ids=["in-batch", "in-batch with options", "full"],
)
def test_grouping_what_a_batch_repeats_does_not_change_the_training(split, options):
    movies = mt.Vocabulary.of(range(1, 301), "movie")
    config = mt.RetrievalConfig(embedding_size=4, epochs=1, batch_size=256, **options)
    tables = []
    for grouped in (False, True):
        model = mt.MovieLensRetrieval(split.train.users, movies, config=config, seed=3)
        model.compile(optimizer=keras.optimizers.Adagrad(0.1))
        if not grouped:
            model.distinct = {}
        model.fit(split.train, verbose=0)
        tables.append([array(tower.table.value) for tower in (model.user_model, model.movie_model)])
    for plain, grouped in zip(*tables, strict=True):
        np.testing.assert_allclose(plain, grouped, atol=1e-3)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="promised for JAX alone")
@pytest.mark.parametrize("config", [SMALL, OPTIONS], ids=["in-batch", "full"])
def test_one_seed_gives_the_same_weights_bit_for_bit(split, catalog, config):
    first, again = (weights_of(trained(split.train, catalog.items, config)[0]) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_another_seed_gives_other_weights(model, split, catalog):
    other, _ = trained(split.train, catalog.items, seed=4)
    assert not np.allclose(
        array(model.user_model.table.value), array(other.user_model.table.value), atol=1e-3
    )


def test_popularity_correction_and_mask_change_the_training(model, split, catalog):
    biased, _ = trained(split.train, catalog.items, replace(SMALL, film_bias=True))
    for option, plain in (("correct_popularity", biased), ("mask_accidental_hits", model)):
        config = replace(plain.config, **{option: True})
        other, _ = trained(split.train, catalog.items, config)
        assert not np.allclose(
            array(plain.user_model.table.value), array(other.user_model.table.value), atol=1e-4
        )


def test_evaluating_ratings_of_a_foreign_film_counts_a_miss(model, split, catalog):
    movies = mt.Vocabulary.of([999], "movie")
    zeros = np.zeros(1, np.int32)
    foreign = mt.Ratings.of(split.train.users, movies, zeros, zeros, np.array([5], np.float32))
    measured = model.evaluate(foreign, return_dict=True, verbose=0)
    assert all(measured[f"factorized_top_k/top_{k}_categorical_accuracy"] == 0 for k in KS)


def test_features_without_ids_are_refused(model):
    with pytest.raises(ConfigError, match="user_id"):
        model({"user": ["1"]})


def test_validation_ratings_are_measured_after_each_epoch(split, catalog):
    model, history = trained(split.train, catalog.items, validation_data=split.test)
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    for name in ("loss", "regularization_loss", "total_loss", *measured):
        assert len(history.history[f"val_{name}"]) == SMALL.epochs
    assert history.history["val_loss"][-1] == pytest.approx(measured["loss"], rel=1e-2)


def test_validation_does_not_change_the_training(model, split, catalog):
    watched, _ = trained(split.train, catalog.items, validation_data=split.test)
    tables = [array(m.user_model.table.value) for m in (model, watched)]
    np.testing.assert_allclose(*tables, atol=1e-5)


@pytest.mark.parametrize("batch_size", [None, 100])
def test_predicts_the_vectors_of_each_row_of_ratings(model, split, batch_size):
    vectors = model.predict(split.test, verbose=0, batch_size=batch_size)
    users, movies = array(model.user_model.table.value), array(model.movie_model.table.value)
    np.testing.assert_array_equal(vectors["user"], users[split.test.user_index])
    np.testing.assert_array_equal(vectors["movie"], movies[split.test.item_index])


@pytest.mark.parametrize(
    "features",
    [
        {"user_index": [0, 1], "movie_index": [0]},
        {"user_index": [0.5], "movie_index": [0]},
        {"user_index": [0], "movie_index": [91]},
        {"user_index": [121], "movie_index": [0]},
        {"user_index": [-1], "movie_index": [0]},
        {"user_id": [], "movie_id": []},
        {"user_id": ["1", "2"], "movie_id": ["1"]},
    ],
    ids=str,
)
def test_features_that_do_not_fit_are_refused_everywhere(split, catalog, features):
    model = mt.MovieLensRetrieval(split.train.users, catalog.items, config=SMALL)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    calls = [
        lambda: model.fit(features, epochs=1, verbose=0),
        lambda: model.evaluate(features, verbose=0),
        lambda: model.predict(features, verbose=0),
    ]
    for call in calls:
        with pytest.raises(ConfigError):
            call()
    with pytest.raises(ConfigError, match=r"one length|runs from|user_index"):
        model.fit(split.train, validation_data=features, epochs=1, verbose=0)


def test_a_second_fit_goes_on_with_another_order(split, catalog, monkeypatch):
    orders = recorded_orders(monkeypatch)
    model, _ = trained(split.train, catalog.items, epochs=1)
    before = array(model.user_model.table.value).copy()
    model.fit(split.train, epochs=1, verbose=0)
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(before, array(model.user_model.table.value))
    again, _ = trained(split.train, catalog.items, epochs=1)
    again.fit(split.train, epochs=1, verbose=0)
    assert [order.tolist() for order in orders[:2]] == [order.tolist() for order in orders[2:]]
    tables = [array(m.user_model.table.value) for m in (model, again)]
    np.testing.assert_allclose(*tables, atol=1e-5)


def test_a_second_fit_does_not_forget_whom_the_first_trained(split, catalog):
    first = split.train.take(split.train.user_index != 5)
    second = split.train.take(split.train.user_index != 6)
    model, _ = trained(first, catalog.items, epochs=1)
    users = array(model.user_model.table.value)
    np.testing.assert_array_equal(users[5], users[-1])
    model.fit(second, epochs=1, verbose=0)
    users = array(model.user_model.table.value)
    for user in (5, 6):
        assert not np.array_equal(users[user], users[-1])


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_corrected_an_unrated_film_counts_as_rare(split, catalog, rate):
    config = replace(SMALL, correct_popularity=True, film_bias=True, unknown_rate=rate)
    model, _ = trained(split.train, catalog.items, config)
    bias, counts = array(model.film_bias.value), split.train.item_counts()
    lowest = -np.log(rate * len(split.train)) if rate else bias[counts > 0].min()
    np.testing.assert_allclose(bias[counts == 0], min(lowest, 0.0), rtol=1e-5)
    movies = array(model.movie_model.table.value)
    unrated = np.flatnonzero(counts == 0)
    np.testing.assert_array_equal(movies[unrated], np.tile(movies[-1], (len(unrated), 1)))


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.2])
def test_the_unknown_film_is_as_likely_in_a_batch_as_films_are_hidden(split, catalog, rate):
    config = replace(SMALL, unknown_rate=rate, epochs=1)
    log_q = array(trained(split.train, catalog.items, config)[0].log_probability.value)
    if rate:
        assert log_q[-1] == pytest.approx(np.log(rate), abs=0.1)
    counts = split.train.item_counts()
    shares = np.maximum(counts, 1) / len(split.train) * (1 - rate)
    np.testing.assert_allclose(np.exp(log_q[:-1]), shares, rtol=1e-5)
    # One rating stands for a film that has none, so the sum is a little above 1.
    assert np.exp(log_q).sum() == pytest.approx(1.0, abs=((counts == 0).sum() + 2) / counts.sum())


@pytest.mark.parametrize(
    ("loss", "batch_size", "softmax"),
    [
        ("auto", 90, "full"),
        ("auto", 89, "in-batch"),
        ("full", 89, "full"),
        ("in-batch", 90, "in-batch"),
    ],
)
def test_auto_is_the_full_softmax_while_the_catalogue_is_not_larger_than_the_batch(
    split, catalog, loss, batch_size, softmax
):
    config = replace(SMALL, loss=loss, batch_size=batch_size, epochs=1)
    model = mt.MovieLensRetrieval(split.train.users, catalog.items, config=config, seed=3)
    assert model.softmax == softmax
    assert set(model.unknown()) == (
        {"user_index"} if softmax == "full" else {"user_index", "movie_index"}
    )


@pytest.mark.parametrize("batch_size", [256, 64])
def test_auto_trains_as_the_loss_that_it_picks(split, catalog, batch_size):
    options = {"mask_accidental_hits": True, "correct_popularity": True, "film_bias": True}
    config = replace(SMALL, batch_size=batch_size, epochs=1)
    explicit = (
        replace(config, loss="full", film_bias=True)
        if batch_size == 256
        else replace(config, loss="in-batch", **options)
    )
    tables = [
        array(trained(split.train, catalog.items, one)[0].user_model.table.value)
        for one in (replace(config, loss="auto", **options), explicit)
    ]
    np.testing.assert_allclose(*tables, atol=1e-6)


MIXED = {"negatives": 200, "in_batch_negatives": 20, "hard_negatives": 10}


@pytest.mark.parametrize("mixed", [{"negatives": 5_000}, MIXED])
def test_the_sampled_softmax_estimates_the_full_one(split, catalog, mixed):
    losses = []
    for options in ({"loss": "full"}, {"loss": "sampled", **mixed}):
        config = replace(OPTIONS, temperature=0.2, reduction="mean", **options)
        model = mt.MovieLensRetrieval(split.train.users, catalog.items, config=config, seed=3)
        model.compile(optimizer="sgd")
        model.prepare(model.encode_all(split.train))
        rng = np.random.default_rng(0)
        for tower in (model.user_model, model.movie_model):
            tower.table.assign(rng.normal(0, 0.3, tower.table.shape).astype(np.float32))
        losses.append(model.evaluate(split.train, return_dict=True)["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_the_sampled_softmax_trains_about_as_well_as_the_full_one(full_model, split, catalog):
    config = replace(full_model.config, loss="sampled", **MIXED)
    model, _ = trained(split.train, catalog.items, config)
    assert set(model.unknown()) == {"user_index"}
    metric = "factorized_top_k/top_10_categorical_accuracy"
    full, found = (
        one.evaluate(split.test, return_dict=True)[metric] for one in (full_model, model)
    )
    assert found > 0.8 * full > 0
    retriever = mt.retriever_of(model, split.train.scale)
    np.testing.assert_array_equal(retriever.movie_offset, array(model.film_bias.value))


@pytest.mark.parametrize("option", ["mask_accidental_hits", "correct_popularity"])
def test_the_full_softmax_has_nothing_to_correct(option):
    with pytest.raises(ConfigError, match=r"retrieval\.loss = 'full'; expected in-batch or auto"):
        mt.RetrievalConfig(loss="full", film_bias=True, **{option: True})
    for loss in ("auto", "in-batch"):
        assert getattr(mt.RetrievalConfig(loss=loss, film_bias=True, **{option: True}), option)


def test_popularity_is_taken_out_of_the_vectors_only_where_a_bias_takes_it():
    with pytest.raises(ConfigError, match=r"retrieval\.film_bias = False; expected true where"):
        mt.RetrievalConfig(correct_popularity=True)


def test_films_of_another_catalogue_are_refused(split):
    foreign = mt.Catalog.of_ids(mt.Vocabulary.of(range(1, 80), "movie"))
    for fit in (mt.fit_retrieval, mt.train_retrieval):
        with pytest.raises(ConfigError, match="expected the same films"):
            fit(split.train, foreign, SMALL, seed=1)


def test_fitting_gives_the_tables_of_the_trained_model(split, catalog):
    model = mt.train_retrieval(split.train, catalog, OPTIONS, seed=1)
    assert isinstance(model, mt.MovieLensRetrieval)
    tables = [mt.fit_retrieval(split.train, catalog, OPTIONS, seed=1).tensors()]
    tables.append(mt.retriever_of(model, split.train.scale).tensors())
    for name, table in tables[0].items():
        np.testing.assert_allclose(table, tables[1][name], atol=1e-5)


def test_the_configuration_is_given_by_name(split, catalog):
    with pytest.raises(TypeError, match="positional"):
        mt.MovieLensRetrieval(split.train.users, catalog.items, SMALL)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("embedding_size", 0),
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("temperature", 0.0),
        ("initial_range", 0.0),
        ("loss", "hinge"),
        ("optimizer", "sgd"),
        ("reduction", "max"),
        ("l2", -0.1),
        ("unknown_rate", 1.0),
        ("learning_rate", float("inf")),
        ("temperature", float("nan")),
        ("l2", float("nan")),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(setting, value):
    with pytest.raises(ConfigError, match=f"retrieval.{setting}"):
        mt.RetrievalConfig(**{setting: value})


def test_the_retrievers_scores_are_those_of_the_keras_model(full_model, split):
    model, retriever = full_model, mt.retriever_of(full_model, split.train.scale)
    queries = [mt.Query(user_index=3), mt.Query()]
    n_films = len(model.movies)
    vectors = model(
        {
            "user_index": np.array([3, len(model.users)], np.int32).repeat(n_films),
            "movie_index": np.tile(np.arange(n_films, dtype=np.int32), 2),
        }
    )
    products = (array(vectors["user"]) * array(vectors["movie"])).sum(axis=1)
    bias = array(model.film_bias.value)
    expected = products.reshape(2, n_films) / model.config.temperature + bias
    found = retriever.retrieve(queries, n_films)
    for row in range(2):
        np.testing.assert_allclose(found.scores[row], expected[row, found.items[row]], atol=1e-5)


def test_a_newcomers_offset_is_what_the_loss_added_to_the_logits(model, full_model, split):
    plain = mt.retriever_of(model, split.train.scale)
    shares = np.maximum(split.train.item_counts(), 1) / len(split.train)
    # A film in the batch is hidden at times, and then it is the unknown one.
    shares = shares * (1 - SMALL.unknown_rate)
    np.testing.assert_allclose(plain.movie_offset, np.log(shares), rtol=1e-5)
    full = mt.retriever_of(full_model, split.train.scale)
    np.testing.assert_array_equal(full.movie_offset, array(full_model.film_bias.value))
    assert plain.liked_from == 3.0


@pytest.mark.parametrize("loss", ["full", "in-batch"])
def test_films_and_users_without_ratings_have_what_their_features_let_expect(
    ratings, catalog, loss
):
    kinds = np.arange(120) % 3
    told = replace(ratings, user_features=pl.DataFrame({"club": kinds.astype(str)}))
    cold_films, cold_users = np.arange(90) >= 75, np.arange(120) >= 108
    train = told.take(~(cold_films[told.item_index] | cold_users[told.user_index]))
    config = replace(OPTIONS, loss=loss, epochs=40, film_features=True, user_features=True)
    retriever = mt.fit_retrieval(train, catalog, config, seed=3)
    users = np.arange(96, 120)
    found = retriever.retrieve([mt.Query(int(user)) for user in users], 5, allow=cold_films)
    # Film i is of kind i % 3, and user u likes those of kind (u + 1) % 3.
    right = (found.items % 3 == (users[:, None] + 1) % 3).mean(axis=1)
    assert right[:12].mean() > 0.7
    assert right[12:].mean() > 0.7
