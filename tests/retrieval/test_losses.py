"""The losses against a NumPy float64 reference, written one candidate at a time."""

import math

import numpy as np
import pytest

from matinee.retrieval.losses import full_softmax, grouped_softmax, in_batch_softmax
from matinee.towers.backend import keras, ops

B, D, N = 7, 4, 5
# Items 0 and 3 stand in the batch more than once.
NUMBERS = np.array([0, 3, 0, 1, 3, 3, 2], np.int32)


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "queries": rng.normal(size=(B, D)).astype(np.float32),
        "candidates": rng.normal(size=(B, D)).astype(np.float32),
        "bias": rng.normal(size=B).astype(np.float32),
        "log_q": np.log(rng.uniform(0.01, 0.5, B)).astype(np.float32),
        "table": rng.normal(size=(N, D)).astype(np.float32),
        "table_bias": rng.normal(size=N).astype(np.float32),
        "weights": rng.uniform(0, 2, B).astype(np.float32),
    }


def reference_in_batch(
    queries,
    candidates,
    numbers=None,
    bias=None,
    temperature=1.0,
    log_q=None,
    mask=False,
    mean=False,
):
    losses = []
    for i in range(len(queries)):
        total = own = 0.0
        for j in range(len(candidates)):
            logit = (
                float(np.dot(queries[i].astype(float), candidates[j].astype(float))) / temperature
            )
            logit += 0.0 if bias is None else float(bias[j])
            logit -= 0.0 if log_q is None else float(log_q[j])
            if j == i:
                own = logit
            elif mask and numbers[j] == numbers[i]:
                continue
            total += math.exp(logit)
        losses.append(math.log(total) - own)
    return np.mean(losses) if mean else np.sum(losses)


def reference_full(queries, table, numbers, bias=None, weights=None, temperature=1.0, mean=False):
    losses = []
    for i, number in enumerate(numbers):
        logits = [
            float(np.dot(queries[i].astype(float), table[j].astype(float))) / temperature
            + (0.0 if bias is None else float(bias[j]))
            for j in range(len(table))
        ]
        loss = math.log(sum(map(math.exp, logits))) - logits[number]
        losses.append(loss * (1.0 if weights is None else float(weights[i])))
    total = np.sum(losses)
    return total / (len(losses) if weights is None else np.sum(weights)) if mean else total


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.2])
@pytest.mark.parametrize("offsets", [(), ("bias",), ("log_q",), ("bias", "log_q")])
def test_in_batch_loss_is_that_of_the_reference(mean, mask, temperature, offsets):
    a = arrays()
    bias = a["bias"] if "bias" in offsets else None
    log_q = a["log_q"] if "log_q" in offsets else None
    got = in_batch_softmax(
        a["queries"],
        a["candidates"],
        NUMBERS,
        bias=bias,
        temperature=temperature,
        log_sampling_probability=log_q,
        mask_accidental_hits=mask,
        reduction="mean" if mean else "sum",
    )
    expected = reference_in_batch(
        a["queries"], a["candidates"], NUMBERS, bias, temperature, log_q, mask, mean
    )
    assert float(got) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.2])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("with_weights", [False, True])
def test_full_loss_is_that_of_the_reference(mean, temperature, with_bias, with_weights):
    a = arrays()
    bias = a["table_bias"] if with_bias else None
    weights = a["weights"] if with_weights else None
    numbers = NUMBERS % N
    got = full_softmax(
        a["queries"],
        a["table"],
        numbers,
        bias=bias,
        weights=weights,
        temperature=temperature,
        reduction="mean" if mean else "sum",
    )
    expected = reference_full(a["queries"], a["table"], numbers, bias, weights, temperature, mean)
    assert float(got) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("weights", [[1, 2, 0, 1, 3, 0, 1], [1] * B])
def test_a_weight_says_how_often_a_rating_stands_in_the_batch(mean, weights):
    a = arrays()
    rows = np.repeat(np.arange(B), weights)
    got = in_batch_softmax(
        a["queries"],
        a["candidates"],
        bias=a["bias"],
        weights=np.array(weights, np.float32),
        reduction="mean" if mean else "sum",
    )
    expected = reference_in_batch(
        a["queries"][rows], a["candidates"][rows], bias=a["bias"][rows], mean=mean
    )
    assert float(got) == pytest.approx(expected, rel=2e-5)


def test_a_rating_of_weight_zero_is_not_there_under_the_mask_either():
    a = arrays()
    weights = np.array([1, 1, 0, 1, 1, 0, 1], np.float32)
    rows = np.flatnonzero(weights)
    got = in_batch_softmax(
        a["queries"], a["candidates"], NUMBERS, weights=weights, mask_accidental_hits=True
    )
    expected = reference_in_batch(
        a["queries"][rows], a["candidates"][rows], NUMBERS[rows], mask=True
    )
    assert float(got) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("n_users", [4, 20])
def test_grouped_loss_is_that_of_the_reference(mean, mask, offsets, n_users):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    user_table = np.random.default_rng(1).normal(size=(n_users, D)).astype(np.float32)
    # With weights of 0 and 1: the last two ratings fill the batch up.
    weights = np.array([1, 1, 1, 1, 1, 0, 0], np.float32)
    bias = a["table_bias"] if offsets else None
    log_q = np.log(np.linspace(0.1, 0.5, N)).astype(np.float32) if offsets else None
    got = grouped_softmax(
        user_table,
        a["table"],
        users,
        NUMBERS,
        bias=bias,
        weights=weights,
        temperature=0.5,
        log_sampling_probability=log_q,
        mask_accidental_hits=mask,
        reduction="mean" if mean else "sum",
    )
    films = NUMBERS[:5]
    expected = reference_in_batch(
        user_table[users[:5]],
        a["table"][films],
        films,
        None if bias is None else bias[films],
        0.5,
        None if log_q is None else log_q[films],
        mask,
        mean,
    )
    assert float(got) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("mask", [False, True])
def test_only_columns_are_grouped_where_each_rating_has_a_row(mask):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    table = np.random.default_rng(1).normal(size=(4, D)).astype(np.float32)
    options = {"bias": a["table_bias"], "mask_accidental_hits": mask, "temperature": 0.5}
    one_each = grouped_softmax(table[users], a["table"], None, NUMBERS, **options)
    together = grouped_softmax(table, a["table"], users, NUMBERS, **options)
    assert float(one_each) == pytest.approx(float(together), rel=1e-6)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("n_users", [4, 20])
def test_grouped_loss_among_the_whole_catalogue_is_that_of_the_reference(mean, with_bias, n_users):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    user_table = np.random.default_rng(1).normal(size=(n_users, D)).astype(np.float32)
    bias = a["table_bias"] if with_bias else None
    got = grouped_softmax(
        user_table,
        a["table"],
        users,
        NUMBERS,
        bias=bias,
        weights=a["weights"],
        temperature=0.5,
        reduction="mean" if mean else "sum",
        negatives="catalogue",
    )
    expected = reference_full(user_table[users], a["table"], NUMBERS, bias, a["weights"], 0.5, mean)
    assert float(got) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("mask", [False, True])
def test_rows_that_fill_up_the_users_and_films_of_a_batch_change_nothing(mask):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    tables = {
        "users": np.random.default_rng(1).normal(size=(4, D)).astype(np.float32),
        "films": a["table"],
        "bias": a["table_bias"],
    }

    def loss(users_of_batch, films, bias):
        return grouped_softmax(
            ops.convert_to_tensor(users_of_batch),
            ops.convert_to_tensor(films),
            users,
            NUMBERS,
            bias=ops.convert_to_tensor(bias),
            temperature=0.5,
            mask_accidental_hits=mask,
        )

    bare, filled = (
        gradient_of(lambda users, films, bias: loss(users, films, bias), **values)
        for values in (
            tables,
            {name: np.concatenate([table, table[-1:]]) for name, table in tables.items()},
        )
    )
    for name, gradient in bare.items():
        np.testing.assert_allclose(filled[name][:-1], gradient, atol=1e-6)
        assert (filled[name][-1] == 0).all()


def test_mask_takes_the_other_copy_of_a_film_out_of_the_sum_by_hand():
    # One dimension, so logits[i, j] = q[i] * c[j]; films of the batch: A, B, A.
    queries = np.log([[2.0], [3.0], [5.0]]).astype(np.float32)
    candidates = np.array([[1.0], [2.0], [1.0]], np.float32)
    films = np.array([7, 8, 7], np.int32)
    # exp(logits) = [[2, 4, 2], [3, 9, 3], [5, 25, 5]]; the first and last row lose one column.
    plain = math.log(8 / 2) + math.log(15 / 9) + math.log(35 / 5)
    masked = math.log(6 / 2) + math.log(15 / 9) + math.log(30 / 5)
    assert float(in_batch_softmax(queries, candidates, films)) == pytest.approx(plain, rel=1e-5)
    got = in_batch_softmax(queries, candidates, films, mask_accidental_hits=True)
    assert float(got) == pytest.approx(masked, rel=1e-5)


def test_a_batch_of_one_film_alone_costs_nothing_when_masked():
    a = arrays()
    same = np.zeros(B, np.int32)
    loss = in_batch_softmax(a["queries"], a["candidates"], same, mask_accidental_hits=True)
    assert float(loss) == pytest.approx(0.0, abs=1e-4)


def test_sum_is_mean_times_the_batch():
    a = arrays()
    total = float(in_batch_softmax(a["queries"], a["candidates"], reduction="sum"))
    mean = float(in_batch_softmax(a["queries"], a["candidates"], reduction="mean"))
    assert total == pytest.approx(B * mean, rel=1e-5)


def test_large_logits_do_not_overflow():
    a = arrays()
    loss = in_batch_softmax(a["queries"] * 100, a["candidates"] * 100, NUMBERS)
    expected = full_precision_large(a["queries"] * 100, a["candidates"] * 100)
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def full_precision_large(queries, candidates):
    logits = queries.astype(float) @ candidates.astype(float).T
    peak = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - peak).sum(axis=1)) + peak[:, 0]
    return float((log_total - np.diag(logits)).sum())


class Step(keras.Model):
    """Takes one step of plain gradient descent at rate 1: the weights move by the gradient."""

    def __init__(self, loss, **weights):
        super().__init__()
        self.loss_of = loss
        self.values = {
            name: self.add_weight(shape=value.shape, initializer="zeros", name=name)
            for name, value in weights.items()
        }
        for name, value in weights.items():
            self.values[name].assign(value)
        self.built = True

    def call(self, x):
        return x

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.loss_of(**self.values)


def gradient_of(loss, **weights):
    model = Step(loss, **weights)
    # Eagerly: a compiled TensorFlow step so small may write a weight before it was read.
    model.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)
    model.train_on_batch(np.zeros((1, 1), np.float32))
    return {
        name: weights[name] - ops.convert_to_numpy(variable.value)
        for name, variable in model.values.items()
    }


def finite_differences(loss, **weights):
    gradients = {}
    for name, value in weights.items():
        gradient = np.zeros(value.shape)
        for at in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = value.astype(np.float64)
                moved[at] += step
                sides.append(loss(**{**weights, name: moved}))
            gradient[at] = (sides[0] - sides[1]) / 2e-5
        gradients[name] = gradient
    return gradients


def softmax_gradient(queries, candidates, bias, numbers, temperature, log_q, mask):
    """The gradient of the in-batch loss in closed form, float64."""
    queries, candidates = queries.astype(np.float64), candidates.astype(np.float64)
    logits = queries @ candidates.T / temperature + bias - log_q
    if mask:
        same = (numbers[:, None] == numbers[None, :]) & ~np.eye(len(numbers), dtype=bool)
        logits = np.where(same, -np.inf, logits)
    chance = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors = chance / chance.sum(axis=1, keepdims=True) - np.eye(len(numbers))
    return {
        "queries": errors @ candidates / temperature,
        "candidates": errors.T @ queries / temperature,
        "bias": errors.sum(axis=0),
    }


@pytest.mark.parametrize("mask", [False, True])
def test_in_batch_gradient_is_that_of_finite_differences(mask):
    a = arrays()
    weights = {name: a[name] for name in ("queries", "candidates", "bias")}
    got = gradient_of(
        lambda queries, candidates, bias: in_batch_softmax(
            queries,
            candidates,
            NUMBERS,
            bias=bias,
            temperature=0.5,
            log_sampling_probability=a["log_q"],
            mask_accidental_hits=mask,
        ),
        **weights,
    )
    expected = finite_differences(
        lambda queries, candidates, bias: reference_in_batch(
            queries, candidates, NUMBERS, bias, 0.5, a["log_q"], mask
        ),
        **weights,
    )
    closed = softmax_gradient(*weights.values(), NUMBERS, 0.5, a["log_q"], mask)
    for name in weights:
        np.testing.assert_allclose(closed[name], expected[name], atol=1e-6)
        np.testing.assert_allclose(got[name], expected[name], atol=2e-4)


@pytest.mark.parametrize("size", [100, 256, 300])
@pytest.mark.parametrize("mask", [False, True])
def test_value_and_gradient_of_a_batch_computed_in_blocks(size, mask):
    rng = np.random.default_rng(3)
    films, n_users = 60, size // 2
    weights = {
        "users": rng.normal(size=(n_users, D)).astype(np.float32),
        "films": rng.normal(size=(films, D)).astype(np.float32),
        "bias": rng.normal(size=films).astype(np.float32),
    }
    users = rng.integers(0, n_users, size).astype(np.int32)
    numbers = rng.integers(0, films, size).astype(np.int32)
    log_q = np.log(rng.uniform(0.01, 0.5, films)).astype(np.float32)

    def loss(users_of_batch, films, bias):
        return grouped_softmax(
            ops.convert_to_tensor(users_of_batch),
            ops.convert_to_tensor(films),
            users,
            numbers,
            bias=ops.convert_to_tensor(bias),
            temperature=0.5,
            log_sampling_probability=log_q,
            mask_accidental_hits=mask,
        )

    plain = weights["users"][users], weights["films"][numbers], weights["bias"][numbers], numbers
    value = float(loss(*weights.values()))
    expected = reference_in_batch(plain[0], plain[1], numbers, plain[2], 0.5, log_q[numbers], mask)
    assert value == pytest.approx(expected, rel=2e-5)
    got = gradient_of(lambda users, films, bias: loss(users, films, bias), **weights)
    closed = softmax_gradient(*plain, 0.5, log_q[numbers], mask)
    rows = {"users": users, "films": numbers, "bias": numbers}
    for (name, own), by_rating in zip(rows.items(), closed.values(), strict=True):
        summed = np.zeros(weights[name].shape)
        np.add.at(summed, own, by_rating)
        np.testing.assert_allclose(got[name], summed, atol=1e-3)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("n_users", [4, 20])
def test_grouped_gradient_is_that_of_finite_differences(mask, n_users):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    weights = {
        "user_table": np.random.default_rng(1).normal(size=(n_users, D)).astype(np.float32),
        "movie_table": a["table"],
        "bias": a["table_bias"],
    }
    got = gradient_of(
        lambda user_table, movie_table, bias: grouped_softmax(
            user_table.value,
            movie_table.value,
            users,
            NUMBERS,
            bias=ops.convert_to_tensor(bias),
            temperature=0.5,
            mask_accidental_hits=mask,
        ),
        **weights,
    )
    expected = finite_differences(
        lambda user_table, movie_table, bias: reference_in_batch(
            user_table[users], movie_table[NUMBERS], NUMBERS, bias[NUMBERS], 0.5, None, mask
        ),
        **weights,
    )
    for name in weights:
        np.testing.assert_allclose(got[name], expected[name], atol=2e-4)


@pytest.mark.parametrize("n_users", [4, 20])
def test_grouped_gradient_among_the_whole_catalogue_is_that_of_finite_differences(n_users):
    a = arrays()
    users = np.array([0, 3, 0, 1, 3, 2, 0], np.int32)
    weights = {
        "user_table": np.random.default_rng(1).normal(size=(n_users, D)).astype(np.float32),
        "movie_table": a["table"],
        "bias": a["table_bias"],
    }
    got = gradient_of(
        lambda user_table, movie_table, bias: grouped_softmax(
            user_table.value,
            movie_table.value,
            users,
            NUMBERS,
            bias=ops.convert_to_tensor(bias),
            weights=a["weights"],
            temperature=0.5,
            negatives="catalogue",
        ),
        **weights,
    )
    expected = finite_differences(
        lambda user_table, movie_table, bias: reference_full(
            user_table[users], movie_table, NUMBERS, bias, a["weights"], 0.5
        ),
        **weights,
    )
    for name in weights:
        np.testing.assert_allclose(got[name], expected[name], atol=2e-4)


def test_full_gradient_is_that_of_finite_differences():
    a = arrays()
    weights = {"queries": a["queries"], "table": a["table"], "bias": a["table_bias"]}
    numbers = NUMBERS % N
    got = gradient_of(
        lambda queries, table, bias: full_softmax(
            queries.value,
            table.value,
            numbers,
            bias=ops.convert_to_tensor(bias),
            weights=a["weights"],
            temperature=0.5,
        ),
        **weights,
    )
    expected = finite_differences(
        lambda queries, table, bias: reference_full(
            queries, table, numbers, bias, a["weights"], 0.5
        ),
        **weights,
    )
    for name in weights:
        np.testing.assert_allclose(got[name], expected[name], atol=2e-4)
