"""Steps by rows: the same training as by whole tables, but for the cost."""

from dataclasses import replace

import numpy as np
import pytest

import matinee as mt
from matinee.towers.backend import keras, ops
from matinee.towers.inputs import Batches
from matinee.towers.optimizers import Adagrad, LazyAdam

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="steps by rows are made on JAX alone"
)
OPTIONS = [
    {},
    {"mask_accidental_hits": True, "l2": 0.01},
    {"correct_popularity": True, "film_bias": True},
    {"loss": "full", "reduction": "mean", "temperature": 0.5},
    {"loss": "sampled", "negatives": 64},
]
SMALL = mt.RetrievalConfig(embedding_size=4, epochs=2, batch_size=256, unknown_rate=0.05)


def trained(train, movies, config, optimizer):
    model = mt.MovieLensRetrieval(train.users, movies, config=config, seed=3)
    model.compile(optimizer=optimizer)
    losses = model.fit(train, verbose=0).history["loss"]
    variables = [*model.trainable_variables, *model.optimizer.variables]
    return losses, [ops.convert_to_numpy(variable.value) for variable in variables]


@pytest.mark.parametrize("options", OPTIONS)
def test_training_is_that_of_whole_tables_with_lazy_adam(split, catalog, options, monkeypatch):
    # Of the last batch some rows only fill it up: these ask for user 0 and film 0, by nothing.
    config = replace(SMALL, epochs=3, reshuffle=True, **options)
    assert len(split.train) % config.batch_size
    by_rows = trained(split.train, catalog.items, config, LazyAdam(0.01))
    monkeypatch.setattr("matinee.towers.model.can_step_by_rows", lambda _: False)
    whole = trained(split.train, catalog.items, config, LazyAdam(0.01))
    assert by_rows[0] == pytest.approx(whole[0], rel=1e-5)
    for own, expected in zip(by_rows[1], whole[1], strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_training_is_that_of_kerass_adagrad(split, catalog, options):
    config = replace(SMALL, **options)
    by_rows = trained(split.train, catalog.items, config, Adagrad(0.1))
    whole = trained(split.train, catalog.items, config, keras.optimizers.Adagrad(0.1))
    assert by_rows[0] == pytest.approx(whole[0], rel=1e-5)
    for own, expected in zip(by_rows[1], whole[1], strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-5)


def prepared(users, batch, optimizer):
    films = mt.Vocabulary.of(np.arange(3_000), "movie")
    model = mt.MovieLensRetrieval(
        mt.Vocabulary.of(np.arange(users), "user"), films, config=replace(SMALL, batch_size=64)
    )
    model.compile(optimizer=optimizer)
    model.optimizer.build(model.trainable_variables)
    state = tuple(
        [variable.value for variable in variables]
        for variables in (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
    )
    return model, state, Batches(batch, 64, distinct=dict(model.distinct))[0]


def batch_of(rows):
    return {"user_index": np.int32(rows), "movie_index": np.int32(rows)}


@pytest.mark.parametrize("kind", [Adagrad, LazyAdam])
def test_rows_that_a_batch_does_not_ask_for_stay_as_they_are(kind):
    asked = np.array([5, 5, 900, 31, 7])
    model, state, batch = prepared(5_000, batch_of(asked), kind(0.1))
    before = np.array(state[0][0])
    after = np.array(model.train_step(state, batch)[1][0][0])
    assert set(np.flatnonzero((before != after).any(axis=1))) == set(asked)


@pytest.mark.parametrize("kind", [Adagrad, LazyAdam])
def test_no_step_copies_or_fills_a_whole_table(kind):
    import jax

    users = 5_000
    model, state, batch = prepared(users, batch_of(np.arange(64)), kind(0.1))
    step = jax.jit(model.train_step, donate_argnums=0).lower(state, batch).compile()
    made = [line.split("=", 1)[1] for line in step.as_text().splitlines() if "=" in line]
    whole = [line for line in made if line.strip().startswith(f"f32[{users + 1},4]")]
    assert whole
    assert not [line for line in whole if "copy(" in line or "broadcast(" in line]
