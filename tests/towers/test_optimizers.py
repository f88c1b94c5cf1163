from typing import get_args

import numpy as np
import pytest

from matinee.config import OptimizerName
from matinee.towers.backend import keras, ops
from matinee.towers.optimizers import LazyAdam, RowGradient, make_optimizer


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_makes_the_optimizer_of_that_name_and_rate(name):
    optimizer = make_optimizer(name, 0.25)
    assert isinstance(optimizer, keras.optimizers.Optimizer)
    assert type(optimizer).__name__.lower() == name.replace("-", "")
    assert float(optimizer.learning_rate) == 0.25


def stepped(kind, gradients):
    """A table and a bias after some steps."""
    table = keras.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
    bias = keras.Variable(np.arange(4, dtype=np.float32))
    optimizer = kind(learning_rate=0.1)
    optimizer.build([table, bias])
    for of_table, of_bias in gradients:
        optimizer.apply([ops.convert_to_tensor(of_table), ops.convert_to_tensor(of_bias)])
    return [ops.convert_to_numpy(variable.value) for variable in (table, bias)]


def gradients_of(steps):
    rng = np.random.default_rng(1)
    return [
        (rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=4).astype(np.float32))
        for _ in range(steps)
    ]


def test_lazy_adam_is_adam_where_every_row_has_a_gradient():
    given = gradients_of(5)
    for lazy, whole in zip(
        stepped(LazyAdam, given), stepped(keras.optimizers.Adam, given), strict=True
    ):
        np.testing.assert_allclose(lazy, whole, rtol=1e-5)


def test_lazy_adam_leaves_rows_without_a_gradient_alone_and_their_moments():
    given = gradients_of(3)
    for of_table, of_bias in given[1:]:
        of_table[2], of_bias[2] = 0, 0
    once = stepped(LazyAdam, given[:1])
    for after, first in zip(stepped(LazyAdam, given), once, strict=True):
        np.testing.assert_array_equal(after[2], first[2])
        assert (after[[0, 1, 3]] != first[[0, 1, 3]]).all()


def test_lazy_adam_moves_a_row_with_one_gradient_of_0_in_it_as_adam_does():
    given = gradients_of(2)
    for of_table, _ in given:
        of_table[1, 0] = 0
    lazy, whole = stepped(LazyAdam, given)[0], stepped(keras.optimizers.Adam, given)[0]
    np.testing.assert_allclose(lazy, whole, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="rows alone are changed on JAX")
def test_lazy_adam_by_rows_is_lazy_adam_even_where_a_row_that_is_asked_for_has_no_gradient():
    dense = [of_table for of_table, _ in gradients_of(3)]
    dense[1][0] = 0
    dense[2][[1, 3]] = 0
    by_rows = [
        RowGradient(np.array([0, 1, 2, 3]), dense[0]),
        RowGradient(np.array([0, 1, 2, 3]), dense[1]),
        # Row 1 is not asked for; row 2 fills up.
        RowGradient(
            np.array([0, 2, 3, 2]), np.stack([*dense[2][[0, 2, 3]], np.zeros(3, np.float32)])
        ),
    ]
    tables = []
    for given in (dense, by_rows):
        table = keras.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))
        optimizer = LazyAdam(learning_rate=0.1)
        optimizer.build([table])
        for gradient in given:
            optimizer.update_step(gradient, table, 0.1)
            optimizer.iterations.assign_add(1)
        tables.append(ops.convert_to_numpy(table.value))
    np.testing.assert_allclose(*tables, rtol=1e-6)
