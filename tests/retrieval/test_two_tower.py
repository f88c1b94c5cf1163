"""RetrievalModel used the seed program's way: compile, fit, evaluate."""

import numpy as np
import pytest

import matinee as mt
from matinee.errors import ConfigError
from matinee.towers.backend import keras, ops

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
    model = mt.RetrievalModel(train.users, movies, config, seed=seed)
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


def test_evaluate_names_the_loss_and_the_accuracies_of_the_seed_program(model, split):
    names = ["loss", *(f"factorized_top_k/top_{k}_categorical_accuracy" for k in KS)]
    measured = model.evaluate(split.test, return_dict=True, verbose=0)
    assert list(measured) == names
    assert all(np.isfinite(value) for value in measured.values())
    assert model.evaluate(split.test, verbose=0) == pytest.approx(list(measured.values()))


@pytest.mark.parametrize("which", ["model", "full_model"])
@pytest.mark.parametrize("batch_size", [None, 100])
def test_accuracy_is_what_counting_over_the_exported_tables_gives(
    request, split, which, batch_size
):
    model = request.getfixturevalue(which)
    retriever = mt.retriever_of(model, split.train.scale)
    queries = retriever.user_vectors[split.test.user_index] * model.config.temperature
    scores = queries @ retriever.index.vectors.T
    if model.film_bias is not None:
        scores += array(model.film_bias.value)
    own = scores[np.arange(len(split.test)), split.test.item_index]
    ranks = (scores >= own[:, None]).sum(axis=1) - 1
    measured = model.evaluate(split.test, return_dict=True, verbose=0, batch_size=batch_size)
    for k in KS:
        got = measured[f"factorized_top_k/top_{k}_categorical_accuracy"]
        # Two products may round one tie apart.
        assert got == pytest.approx((ranks < k).mean(), abs=1.5 / len(ranks))


def test_training_lowers_the_loss_and_finds_more_films(split, catalog):
    model = mt.MovieLensRetrieval(split.train.users, catalog.items, SMALL, seed=3)
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
    model = mt.MovieLensRetrieval(users, movies, SMALL)
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
        model = mt.RetrievalModel(split.train.users, catalog.items, config, seed=3)
        before = [array(t.table.value)[-1].copy() for t in (model.user_model, model.movie_model)]
        model.compile(optimizer=keras.optimizers.Adagrad(0.1))
        model.fit(split.train, verbose=0)
        after = [array(t.table.value)[-1] for t in (model.user_model, model.movie_model)]
        changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        assert changed == [is_trained, is_trained]


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
    # Ids are grouped only where the configured batch is large beside the catalogue.
    movies = mt.Vocabulary.of(range(1, 301), "movie")
    tables = []
    for configured in (100, 512):
        config = mt.RetrievalConfig(embedding_size=4, epochs=1, batch_size=configured, **options)
        model, _ = trained(split.train, movies, config, batch_size=256)
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
    for option in ("correct_popularity", "mask_accidental_hits"):
        config = mt.RetrievalConfig(
            embedding_size=4, epochs=2, batch_size=256, unknown_rate=0.05, **{option: True}
        )
        other, _ = trained(split.train, catalog.items, config)
        assert not np.allclose(
            array(model.user_model.table.value), array(other.user_model.table.value), atol=1e-4
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
    np.testing.assert_allclose(plain.movie_offset, np.log(shares), rtol=1e-5)
    full = mt.retriever_of(full_model, split.train.scale)
    np.testing.assert_array_equal(full.movie_offset, array(full_model.film_bias.value))
    assert plain.liked_from == 3.0
