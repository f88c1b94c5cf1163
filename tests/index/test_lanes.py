"""Vectors in groups: the same products as a table's."""

import numpy as np
import pytest

from matinee.index.lanes import LANES, Lanes


@pytest.mark.parametrize("size", [0, 1, LANES - 1, LANES, LANES + 1, 5 * LANES])
@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_few_and_many_queries_have_the_products_of_a_table(size, count):
    rng = np.random.default_rng(size)
    vectors, queries = (rng.integers(-3, 4, (rows, 5)).astype(np.float32) for rows in (size, count))
    bias = rng.integers(-3, 4, size).astype(np.float32)
    extended = np.column_stack([queries, np.ones(count, np.float32)])
    lanes = Lanes(vectors, bias)
    np.testing.assert_array_equal(lanes.scores(queries), queries @ vectors.T)
    np.testing.assert_array_equal(lanes.scores(extended), queries @ vectors.T + bias)
    np.testing.assert_array_equal(Lanes(vectors, None).scores(extended), queries @ vectors.T)


def test_columns_are_those_of_the_groups_in_their_order():
    vectors = np.arange(80, dtype=np.float32).reshape(40, 2)
    columns = Lanes(vectors, None).columns(np.array([1, 0]), 2)
    np.testing.assert_array_equal(columns[:, :8], vectors[32:].T)
    np.testing.assert_array_equal(columns[:, 8:32], 0)
    np.testing.assert_array_equal(columns[:, 32:], vectors[:32].T)
