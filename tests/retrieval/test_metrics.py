"""FactorizedTopK against hand-computed cases and a brute-force count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.retrieval.metrics import FactorizedTopK
from matinee.towers.backend import keras, ops


def accuracy(queries, table, positives, bias=None, ks=(1, 2, 3), block_size=8192):
    metric = FactorizedTopK(ks=ks, block_size=block_size)
    metric.update_state(
        ops.convert_to_tensor(np.asarray(queries, np.float32)),
        ops.convert_to_tensor(np.asarray(table, np.float32)),
        ops.convert_to_tensor(np.asarray(positives, np.int32)),
        None if bias is None else ops.convert_to_tensor(np.asarray(bias, np.float32)),
    )
    return [float(ops.convert_to_numpy(share)) for share in metric.result().values()]


def brute_force(queries, table, positives, bias, ks):
    scores = queries @ table.T + bias
    shares = []
    for k in ks:
        hits = 0
        for row, positive in enumerate(positives):
            if positive >= len(table) or np.isnan(scores[row, positive]):
                continue
            # A rival whose score is NaN is not beaten.
            rivals = sum(
                not scores[row, item] < scores[row, positive]
                for item in range(len(table))
                if item != positive
            )
            hits += rivals < k
        shares.append(hits / len(positives))
    return shares


def test_ranks_are_counted_by_hand():
    # Scores of the one query: 3, 1, 2, so that films 0, 2, 1 stand at places 1, 2, 3.
    table = [[3.0], [1.0], [2.0]]
    assert accuracy([[1.0]], table, [0]) == [1, 1, 1]
    assert accuracy([[1.0]], table, [2]) == [0, 1, 1]
    assert accuracy([[1.0]], table, [1]) == [0, 0, 1]
    assert accuracy([[1.0]] * 4, table, [0, 2, 1, 1]) == [0.25, 0.5, 1.0]


def test_a_tie_is_never_a_hit():
    # The positive shares the first place with one other: it is not among the best 1.
    assert accuracy([[1.0]], [[3.0], [3.0], [2.0]], [0]) == [0, 1, 1]


@pytest.mark.parametrize("block_size", [1, 3, 100])
def test_collapsed_vectors_score_zero(block_size):
    rng = np.random.default_rng(0)
    queries = rng.normal(size=(6, 4))
    table = np.tile(rng.normal(size=4), (20, 1))
    assert accuracy(queries, table, np.arange(6), ks=(1, 10), block_size=block_size) == [0, 0]


def test_nan_scores_are_misses():
    assert accuracy([[np.nan]] * 2, [[1.0], [2.0]], [0, 1]) == [0, 0, 0]


def test_an_unknown_film_is_a_miss_and_is_counted():
    assert accuracy([[1.0], [1.0]], [[3.0], [1.0]], [2, 0]) == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("block_size", [2, 3, 4, 5, 100])
def test_an_unknown_film_is_a_miss_whatever_k_and_however_blocks_are_filled_up(block_size):
    # Blocks of 2, 3 and 4 are filled up: the unknown film's number is a filled-up row's.
    table = [[5.0], [4.0], [3.0], [2.0], [1.0]]
    ks = (1, 5, 6, 100)
    for bias in (None, [0.0] * 5):
        options = {"bias": bias, "ks": ks, "block_size": block_size}
        assert accuracy([[1.0]], table, [5], **options) == [0, 0, 0, 0]
        assert accuracy([[-1.0]], table, [5], **options) == [0, 0, 0, 0]
        assert accuracy([[1.0]], table, [4], **options) == [0, 1, 1, 1]


@pytest.mark.parametrize("block_size", [1, 2, 3, 100])
def test_a_nan_rival_is_not_beaten_and_a_nan_film_is_a_miss(block_size):
    table = [[3.0], [np.nan], [1.0]]
    options = {"block_size": block_size, "ks": (1, 2, 3, 100)}
    assert accuracy([[1.0]], table, [0], **options) == [0, 1, 1, 1]
    assert accuracy([[1.0]], table, [2], **options) == [0, 0, 1, 1]
    assert accuracy([[1.0]], table, [1], **options) == [0, 0, 0, 0]


def test_bias_moves_the_ranks():
    assert accuracy([[1.0]], [[3.0], [1.0], [2.0]], [1], bias=[0.0, 1.5, 0.0]) == [0, 1, 1]


def test_a_query_of_weight_zero_counts_nowhere():
    metric = FactorizedTopK(ks=(1,))
    table = ops.convert_to_tensor(np.array([[3.0], [1.0]], np.float32))
    queries = ops.convert_to_tensor(np.ones((3, 1), np.float32))
    positives = ops.convert_to_tensor(np.array([0, 1, 0], np.int32))
    weights = ops.convert_to_tensor(np.array([1, 1, 0], np.float32))
    metric.update_state(queries, table, positives, weights=weights)
    assert [float(share) for share in metric.result().values()] == [0.5]


def test_batches_add_up_and_reset_forgets():
    metric = FactorizedTopK(ks=(1,))
    table = ops.convert_to_tensor(np.array([[3.0], [1.0]], np.float32))
    query = ops.convert_to_tensor(np.ones((1, 1), np.float32))
    for positive in (0, 1, 1, 1):
        metric.update_state(query, table, ops.convert_to_tensor(np.array([positive], np.int32)))
    name = "factorized_top_k/top_1_categorical_accuracy"
    assert {key: float(value) for key, value in metric.result().items()} == {name: 0.25}
    metric.reset_state()
    assert float(metric.result()[name]) == 0.0


def test_its_names_are_those_of_the_seed_program():
    assert list(FactorizedTopK().result()) == [
        f"factorized_top_k/top_{k}_categorical_accuracy" for k in (1, 5, 10, 50, 100)
    ]
    assert isinstance(FactorizedTopK(), keras.metrics.Metric)


# Small whole numbers: exact in float32, and full of ties.
whole = st.integers(-2, 2)
broken = st.integers(-2, 2) | st.just(float("nan"))


@settings(max_examples=25, deadline=None)
@given(
    queries=st.lists(st.tuples(whole, whole), min_size=4, max_size=4),
    table=st.lists(st.tuples(whole, whole), min_size=7, max_size=7),
    bias=st.lists(broken, min_size=7, max_size=7),
    positives=st.lists(st.integers(0, 7), min_size=4, max_size=4),
    block_size=st.sampled_from([1, 3, 7, 8]),
)
def test_every_block_size_agrees_with_counting(queries, table, bias, positives, block_size):
    queries, table, bias = (np.array(x, np.float32) for x in (queries, table, bias))
    got = accuracy(queries, table, positives, bias, (1, 2, 5), block_size)
    assert got == pytest.approx(brute_force(queries, table, positives, bias, (1, 2, 5)))
