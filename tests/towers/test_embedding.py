import numpy as np
import pytest

from matinee.towers.backend import keras, ops
from matinee.towers.embedding import IdEmbedding


def table_of(layer):
    return ops.convert_to_numpy(layer.table.value)


def test_looks_rows_up_in_any_shape():
    layer = IdEmbedding(5, 3, seed=[1], name="ids")
    numbers = np.array([[0, 5], [2, 2]], np.int32)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(numbers)), table_of(layer)[numbers])


def test_starts_uniform_within_the_range_and_from_the_seed():
    layer = IdEmbedding(200, 10, seed=[1], initial_range=0.2, name="ids")
    table = table_of(layer)
    assert table.shape == (201, 10)
    assert np.abs(table).max() <= 0.2
    assert table.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.1)
    again = IdEmbedding(200, 10, seed=[1], initial_range=0.2, name="ids")
    other = IdEmbedding(200, 10, seed=[2], initial_range=0.2, name="ids")
    np.testing.assert_array_equal(table, table_of(again))
    assert not np.array_equal(table, table_of(other))


def test_rows_never_trained_become_copies_of_the_unknown_row():
    layer = IdEmbedding(4, 3, seed=[1], name="ids")
    before = table_of(layer).copy()
    layer.fill_untrained(np.array([2, 0, 1, 0]), hidden=True)
    after = table_of(layer)
    np.testing.assert_array_equal(after[[0, 2, 4]], before[[0, 2, 4]])
    np.testing.assert_array_equal(after[[1, 3]], before[[4, 4]])


def test_where_nothing_was_hidden_unknown_is_the_mean_of_the_trained_rows():
    layer = IdEmbedding(4, 3, seed=[1], name="ids")
    before = table_of(layer).copy()
    layer.fill_untrained(np.array([2, 0, 1, 0]), hidden=False)
    after = table_of(layer)
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    mean = before[[0, 2]].mean(axis=0)
    np.testing.assert_allclose(after[[1, 3, 4]], np.tile(mean, (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("hidden", [True, False])
def test_where_no_id_was_trained_the_rows_are_those_of_the_unknown_one(hidden):
    layer = IdEmbedding(2, 3, seed=[1], name="ids")
    unknown = table_of(layer)[-1].copy()
    layer.fill_untrained(np.zeros(2, np.int64), hidden=hidden)
    np.testing.assert_array_equal(table_of(layer), np.tile(unknown, (3, 1)))


class Sum(keras.Model):
    """Its loss is the sum of the vectors it is asked for."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.built = True

    def call(self, numbers):
        return self.layer(numbers)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.sum(y_pred)


def test_an_id_that_a_batch_repeats_gets_one_gradient_the_sum():
    layer = IdEmbedding(3, 1, seed=[1], name="ids")
    before = table_of(layer).copy()
    model = Sum(layer)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.1))
    model.train_on_batch(np.array([0, 0, 0, 1], np.int32))
    gradient = np.array([[3], [1], [0], [0]], np.float32)
    expected = before - 0.1 * gradient / np.sqrt(0.1 + gradient**2)
    np.testing.assert_allclose(table_of(layer), expected, atol=1e-5)


def test_a_projection_of_the_features_is_a_part_of_each_vector():
    features = np.array([[1, 0], [0, 2], [2, 1]], np.float32)
    layer = IdEmbedding(3, 4, seed=[1], features=features, name="ids")
    table = table_of(layer).copy()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.vectors()), table)
    projection = np.arange(8, dtype=np.float32).reshape(2, 4)
    layer.projection.assign(projection)
    # The unknown id has the features' mean.
    expected = table + np.vstack([features, [[1, 1]]]) @ projection
    np.testing.assert_allclose(ops.convert_to_numpy(layer.vectors()), expected, rtol=1e-6)
    numbers = np.array([[3, 1]], np.int32)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(numbers)), expected[numbers], rtol=1e-6)
