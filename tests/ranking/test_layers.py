"""The layers of Keras and their NumPy arithmetic, against each other and by hand."""

import numpy as np
import pytest

from matinee.ranking.arithmetic import attended, crossed, dense
from matinee.ranking.layers import Attention, Crosses, FeatureVectors
from matinee.towers.backend import ops


def array(tensor):
    return ops.convert_to_numpy(tensor)


def floats(*values):
    return np.array(values, np.float32)


def test_a_cross_layer_by_hand():
    # 2 * (2 + 2 * 3 + 1) + 2 and 3 * (0 + 3 + 0) + 3.
    kernel, bias = floats([1, 0], [2, 1]), floats(1, 0)
    assert crossed(floats([2, 3]), kernel[None], bias[None]).tolist() == [[20.0, 12.0]]
    # The second layer multiplies by the first one's inputs again: 2 * 20 + 20, 3 * 12 + 12.
    kernels, biases = np.stack([kernel, np.eye(2, dtype=np.float32)]), np.stack([bias, 0 * bias])
    assert crossed(floats([2, 3]), kernels, biases).tolist() == [[60.0, 48.0]]


def test_cross_layers_are_the_same_in_keras():
    layer = Crosses(3, 5, seed=[1, 2], name="crosses")
    layer.biases.assign(np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32))
    first = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    expected = crossed(first, array(layer.kernels.value), array(layer.biases.value))
    np.testing.assert_allclose(array(layer(first)), expected, rtol=1e-4, atol=1e-5)


def test_dense_layers_cut_off_below_zero_but_for_the_last():
    layers = [(floats([1, -1]), floats(0, 0)), (floats([-1], [1]), floats(0.5))]
    assert dense(floats([2]), layers).tolist() == [[-1.5]]


def test_attention_by_hand():
    vectors, stars = floats([[1], [3]]), floats([2, -1])
    there = np.array([[[True, True], [True, False], [False, False]]])
    said = attended(floats([[0], [0], [0]]), vectors, stars, there, floats([1]))
    # Where nothing is alike each weight is 1 / (1 + films): a third, a half, and nothing at all.
    np.testing.assert_allclose(said, [[[4 / 3, 1 / 3], [0.5, 1.0], [0.0, 0.0]]], rtol=1e-6)
    # a = 2 * 0.5 * (1, 3) = (1, 3).
    said = attended(floats([[2]]), vectors, stars, there[:, :1], floats([0.5]))
    one, three = np.exp([1, 3]) / (1 + np.exp([1, 3]).sum())
    np.testing.assert_allclose(said[0, 0], [one + 3 * three, 2 * one - three], rtol=1e-5)


def test_attention_to_what_is_very_alike_stays_finite():
    said = attended(
        floats([[100]]), floats([[100]]), floats([2]), np.array([[[True]]]), floats([1])
    )
    assert said.tolist() == [[[100.0, 2.0]]]


@pytest.mark.parametrize("scale", [0.1, 30.0])
def test_attention_is_the_same_in_keras(scale):
    rng = np.random.default_rng(3)
    layer = Attention(4, 6, 3, seed=[1, 2], name="attention")
    candidates, vectors = rng.normal(size=(5, 3)), rng.normal(size=(5, 6, 3)) * scale
    stars, there = rng.normal(size=(5, 6)), rng.random((5, 6)) < 0.5
    there[0] = False
    given = [column.astype(np.float32) for column in (candidates, vectors, stars)]
    got = array(layer(*given, there))
    kernel = array(layer.kernel.value)
    expected = attended(given[0][:, None], given[1], given[2], there[:, None], kernel)[:, 0]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    assert (got[0] == 0).all()


def test_a_history_is_read_without_the_film_that_is_asked_for():
    layer = Attention(2, 3, 4, seed=[1, 2], name="attention")
    stars = np.arange(9, dtype=np.float32).reshape(3, 3)
    layer.read(np.array([[7, 8, 9], [8, 7, -1], [-1, -1, -1]], np.int32), stars)
    users, candidates = np.array([0, 1, 2], np.int32), np.array([8, 9, 8], np.int32)
    films, own = layer.histories(users, candidates)
    assert array(films).tolist() == [[7, -1, 9], [8, 7, -1], [-1, -1, -1]]
    assert array(own).tolist() == stars.tolist()


def test_the_unknown_row_has_no_features():
    table = np.random.default_rng(0).normal(size=(3, 4))
    layer = FeatureVectors(table, 2, seed=[1, 2], name="features")
    rows = np.array([2, 3, 0], np.int32)
    expected = np.vstack([table[2], np.zeros(4), table[0]]) @ array(layer.kernel.value)
    np.testing.assert_allclose(array(layer(rows)), expected, atol=1e-6)
