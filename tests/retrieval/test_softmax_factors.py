"""Softmax factors: gradients, what training reaches, and the average of members."""

import numpy as np
import pytest

from matinee.retrieval import softmax_factors as module
from matinee.retrieval.histories import Histories
from matinee.retrieval.softmax_factors import Factors, FactorSettings, average, fit_factors

SETTINGS = FactorSettings(size=6, epochs=12, batch_users=16, learning_rate=0.02, l2=0.01)


def loss_of(users, films, bias, rated, l2):
    """The mean loss of a rating, as the formula says, in double precision."""
    logits = users @ films.T + bias
    log_sum = np.log(np.exp(logits).sum(axis=1))
    count = rated.sum(axis=1)
    penalty = (count * (users**2).sum(axis=1)).sum() + (rated.sum(axis=0) @ (films**2).sum(axis=1))
    return ((count * log_sum).sum() - (rated * logits).sum() + l2 * penalty) / count.sum()


def test_gradients_are_those_of_the_loss():
    rng = np.random.default_rng(0)
    users, films, bias = rng.normal(size=(4, 3)), rng.normal(size=(7, 3)), rng.normal(size=7)
    rated = (rng.random((4, 7)) < 0.5).astype(float)
    rated[:, 0] = 1
    found = module._gradients(users, films, bias, rated, 0.1)
    plain = loss_of(users, films, bias, rated, 0.0) * rated.sum()
    assert found[0] == pytest.approx(plain)
    for array, gradient in zip((users, films, bias), found[1:], strict=True):
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-6
            up = loss_of(users, films, bias, rated, 0.1)
            array[place] = kept - 1e-6
            down = loss_of(users, films, bias, rated, 0.1)
            array[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_training_lowers_the_loss_and_repeats_itself(split):
    histories = Histories(split.train)
    told, curve = [], []

    def advance(done, loss=None):
        told.append(done)
        curve.extend([] if loss is None else [loss])

    first = fit_factors(histories, SETTINGS, 3, advance)
    again = fit_factors(histories, SETTINGS, 3, advance)
    np.testing.assert_array_equal(first.users, again.users)
    assert first.losses[-1] < first.losses[0] <= np.log(90) + 0.01
    assert told[len(told) // 2 - 1] == SETTINGS.epochs
    assert tuple(curve) == first.losses + again.losses
    other = fit_factors(histories, SETTINGS, 4, advance)
    assert np.abs(other.users - first.users).max() > 0.01


def test_the_average_is_that_of_the_scores():
    rng = np.random.default_rng(0)

    def member():
        shapes = (5, 3), (8, 3), (8,)
        return Factors(*(rng.normal(size=s).astype(np.float32) for s in shapes), losses=(2.0, 1.0))

    members = [member() for _ in range(2)]
    whole = average(members, 5)
    expected = np.mean([m.users @ m.films.T + m.bias for m in members], axis=0)
    np.testing.assert_allclose(whole.users @ whole.films.T + whole.bias, expected, atol=1e-5)
    assert whole.losses == (2.0, 1.0)
    # Cut, it is the best of its rank.
    products = np.mean([m.users @ m.films.T for m in members], axis=0)
    strengths = np.linalg.svd(products, compute_uv=False)
    cut = average(members, 2)
    assert cut.users.shape == (5, 2)
    error = np.linalg.norm(cut.users @ cut.films.T - products)
    assert error == pytest.approx(np.linalg.norm(strengths[2:]), rel=1e-4)
